/** What the outside may ask of provisioning: start and cancel operations, and read them. */
import { command, PageArgsSchema, pageSchema, query } from '@bivouac/events/language';
import {
  AskNameSchema,
  HistoryArgsSchema,
  HistoryPageSchema,
  RefusalSchema,
  StepNameSchema,
} from '@bivouac/events/operations';
import {
  OperationKindSchema,
  OperationOrderSchema,
  OperationTargetSchema,
} from '@bivouac/events/provisioning';
import { idOf, InstantSchema } from '@bivouac/events/values';
import { z } from 'zod';

export { OperationKindSchema, OperationOrderSchema };
export type { OperationKind, OperationOrder } from '@bivouac/events/provisioning';

/** `undoing` and `needs-attention` are states of a failed operation: the second waits for staff. */
export const OperationStatusSchema = z.enum([
  'running',
  'undoing',
  'succeeded',
  'failed',
  'cancelled',
  'needs-attention',
]);
export type OperationStatus = z.output<typeof OperationStatusSchema>;

export const StepStatusSchema = z.enum(['asked', 'done', 'refused', 'failed', 'timed-out']);

export const OperationStepSchema = z.object({
  name: StepNameSchema,
  ask: AskNameSchema,
  attempt: z.number().int(),
  status: StepStatusSchema,
  askedAt: InstantSchema,
  endedAt: InstantSchema.nullable(),
  refusal: RefusalSchema.nullable(),
});

export const OperationViewSchema = z.object({
  id: idOf('operation'),
  kind: OperationKindSchema,
  tenantId: idOf('tenant'),
  status: OperationStatusSchema,
  /** Per cent of the planned steps that have ended, 0–100. */
  progress: z.number().int().min(0).max(100),
  steps: z.array(OperationStepSchema),
  target: OperationTargetSchema,
  /** Why it failed; null while it runs and when it succeeded. */
  error: RefusalSchema.nullable(),
  /** With close-month: the invoice, null where nothing was owed. */
  invoiceId: idOf('invoice').nullable(),
  createdAt: InstantSchema,
  endedAt: InstantSchema.nullable(),
  /** Position of the first event: the order of lists. */
  position: z.string(),
});
export type OperationView = z.output<typeof OperationViewSchema>;

/**
 * Orders a workflow. The tenant concerned is `tenantId` of the order, or that of the container or
 * account named; what a context has to say against it comes as the operation's outcome.
 */
export const StartOperation = command({
  name: 'provisioning.StartOperation',
  access: 'tenant',
  input: z.strictObject({
    order: OperationOrderSchema,
    /** Whose the operation is: the tenant that owns the target, with its home. */
    tenantId: idOf('tenant'),
    homeId: idOf('tenant'),
  }),
  result: z.strictObject({
    operationId: idOf('operation'),
    target: OperationTargetSchema,
  }),
});

/** Asks a running operation to stop; what it did is undone. Refused once it cannot be undone. */
export const CancelOperation = command({
  name: 'provisioning.CancelOperation',
  access: 'tenant',
  input: z.strictObject({ operationId: idOf('operation') }),
  result: z.strictObject({ operationId: idOf('operation') }),
});

export const OperationById = query({
  name: 'provisioning.OperationById',
  access: 'tenant',
  input: z.strictObject({ operationId: idOf('operation') }),
  result: OperationViewSchema.nullable(),
});

/** The caller's operations, oldest first; of one target, or of one tenant. */
export const Operations = query({
  name: 'provisioning.Operations',
  access: 'tenant',
  input: z.strictObject({
    page: PageArgsSchema,
    tenantId: idOf('tenant').optional(),
    targetId: z.string().max(60).optional(),
  }),
  result: pageSchema(OperationViewSchema),
});

export const OperationHistory = query({
  name: 'provisioning.OperationHistory',
  access: 'tenant',
  input: z.strictObject({ operationId: idOf('operation'), page: HistoryArgsSchema }),
  result: HistoryPageSchema.nullable(),
});
