/** An operation as its owner, and staff, read it. */
import {
  AskNameSchema,
  PivotSchema,
  RefusalSchema,
  StepNameSchema,
} from '@bivouac/events/operations';
import {
  ChildrenCountSchema,
  LeftoverSchema,
  OperationKindSchema,
  OperationTargetSchema,
} from '@bivouac/events/provisioning';
import { idOf, InstantSchema } from '@bivouac/events/values';
import { z } from 'zod';

/**
 * `undoing`: it failed or was cancelled, and takes back what it did. `needs-attention`: it waits for
 * staff. `closing`: staff end it, and it lets go of its container.
 */
export const OperationStatusSchema = z.enum([
  'running',
  'undoing',
  'needs-attention',
  'closing',
  'succeeded',
  'failed',
  'cancelled',
  'resolved',
  'released',
]);
export type OperationStatus = z.output<typeof OperationStatusSchema>;

export const StepStatusSchema = z.enum(['asked', 'done', 'refused', 'failed', 'timed-out']);

export const OperationStepSchema = z.object({
  name: StepNameSchema,
  /** Who is asked for what; the owner context is the part before the dot. */
  ask: AskNameSchema,
  attempt: z.number().int(),
  status: StepStatusSchema,
  askedAt: InstantSchema,
  /** After that it counts as not answered. */
  deadline: InstantSchema,
  endedAt: InstantSchema.nullable(),
  refusal: RefusalSchema.nullable(),
  /** It was put off: when it is asked for again. */
  againAt: InstantSchema.optional(),
  /** From when on the operation can only go forward; null where it still can be undone. */
  pivot: PivotSchema.nullable(),
});

/** Of an operation over many. */
export const ChildrenViewSchema = ChildrenCountSchema.extend({
  /** How many there are to be. */
  total: z.number().int(),
  started: z.number().int(),
  /** Started and waiting for staff. */
  waiting: z.number().int(),
});

/** What staff did to an operation that needed attention. */
export const InterventionSchema = z.object({
  act: z.enum(['retried', 'resolved', 'released']),
  at: InstantSchema,
  /** Lasting pseudonym; null for those who are not staff. */
  actorId: z.string().nullable(),
  /** Why; null for those who are not staff. */
  reason: z.string().nullable(),
});

export const OperationViewSchema = z.object({
  id: idOf('operation'),
  kind: OperationKindSchema,
  tenantId: idOf('tenant'),
  /** The operation over many whose child it is. */
  parentId: idOf('operation').nullable(),
  status: OperationStatusSchema,
  /** Per cent of the planned steps (and children) that have ended, 0–100. */
  progress: z.number().int().min(0).max(100),
  /** How many steps it takes, as far as is known. */
  plannedSteps: z.number().int(),
  steps: z.array(OperationStepSchema),
  target: OperationTargetSchema,
  /** Whether it can be cancelled now. */
  cancellable: z.boolean(),
  /** Why it failed or needs attention; null while it runs and when it succeeded. */
  error: RefusalSchema.nullable(),
  /** Since when it waits for staff. */
  attentionSince: InstantSchema.nullable(),
  interventions: z.array(InterventionSchema),
  /** Of a released one, for staff: the asks that would see to what it left. */
  leftovers: z.array(LeftoverSchema),
  /** For staff: reservations it should have settled. */
  overdueReservationIds: z.array(idOf('reservation')),
  /** Null but with an operation over many, and there until it is known how many. */
  children: ChildrenViewSchema.nullable(),
  /** With close-month: the invoice, null where nothing was owed. */
  invoiceId: idOf('invoice').nullable(),
  createdAt: InstantSchema,
  endedAt: InstantSchema.nullable(),
  /** Position of the first event: the order of lists. */
  position: z.string(),
});
export type OperationView = z.output<typeof OperationViewSchema>;
