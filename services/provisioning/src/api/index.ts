/** What the outside may ask of provisioning: start, cancel, repair and read operations. */
import { command, PageArgsSchema, pageSchema, query } from '@bivouac/events/language';
import {
  ChangesArgsSchema,
  ChangesSchema,
  createdRangeShape,
  HistoryArgsSchema,
  HistoryPageSchema,
} from '@bivouac/events/operations';
import {
  OperationKindSchema,
  OperationOrderSchema,
  OperationTargetSchema,
  rightOfOrder,
  StaffReasonSchema,
} from '@bivouac/events/provisioning';
import { idOf } from '@bivouac/events/values';
import { z } from 'zod';

import { OperationStatusSchema, OperationViewSchema } from './view.ts';

export * from './view.ts';
export { OperationKindSchema, OperationOrderSchema };
export type { OperationKind, OperationOrder } from '@bivouac/events/provisioning';

/**
 * Orders a workflow. The tenant concerned is `tenantId` of the order, or that of the container or
 * account named; what a context has to say against it comes as the operation's outcome.
 */
export const StartOperation = command({
  name: 'provisioning.StartOperation',
  access: 'tenant',
  right: ({ order }) => rightOfOrder(order),
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

/**
 * Asks a running operation to stop; what it did is undone. Refused once it cannot be undone, and
 * NOT_ALLOWED to who could not have ordered it.
 */
export const CancelOperation = command({
  name: 'provisioning.CancelOperation',
  access: 'tenant',
  // Whoever sees it may ask; what its order takes, the decision knows.
  right: 'containers.read',
  input: z.strictObject({ operationId: idOf('operation') }),
  result: z.strictObject({ operationId: idOf('operation') }),
});

const staffAct = {
  access: 'staff',
  right: 'operations.repair',
  /** Why, in a sentence; for the staff and the auditor. */
  input: z.strictObject({ operationId: idOf('operation'), reason: StaffReasonSchema }),
  result: z.strictObject({ operationId: idOf('operation') }),
} as const;

/**
 * Goes on at the step that needs attention, with new attempts. Of one that was released, what it left is
 * asked for again as far as it only has to be given back. Like all acts of the staff it is refused otherwise.
 */
export const RetryOperation = command({ name: 'provisioning.RetryOperation', ...staffAct });

/**
 * Staff have made the world as the operation should have: it lets go of its container and ends as
 * resolved.
 */
export const ResolveOperation = command({ name: 'provisioning.ResolveOperation', ...staffAct });

/**
 * Staff give it up: it lets go of its container and ends as released; what it leaves is listed in
 * its `leftovers`.
 */
export const ReleaseOperation = command({ name: 'provisioning.ReleaseOperation', ...staffAct });

export const OperationById = query({
  name: 'provisioning.OperationById',
  access: 'tenant',
  right: 'containers.read',
  input: z.strictObject({ operationId: idOf('operation') }),
  result: OperationViewSchema.nullable(),
});

/** The caller's operations, oldest first; what is given of the filters must hold together. */
export const Operations = query({
  name: 'provisioning.Operations',
  access: 'tenant',
  right: 'containers.read',
  input: z.strictObject({
    page: PageArgsSchema,
    tenantId: idOf('tenant').optional(),
    targetId: z.string().max(60).optional(),
    /** The children of this one. */
    parentId: idOf('operation').optional(),
    status: OperationStatusSchema.optional(),
    kind: OperationKindSchema.optional(),
    ...createdRangeShape,
  }),
  result: pageSchema(OperationViewSchema),
});

export const OperationHistory = query({
  name: 'provisioning.OperationHistory',
  access: 'tenant',
  right: 'history.read',
  input: z.strictObject({ operationId: idOf('operation'), page: HistoryArgsSchema }),
  result: HistoryPageSchema.nullable(),
});

/** What changed about an operation, for who follows it. Null: there is none, or it is out of reach. */
export const OperationChanges = query({
  name: 'provisioning.OperationChanges',
  access: 'tenant',
  right: 'containers.read',
  input: z.strictObject({ operationId: idOf('operation'), page: ChangesArgsSchema }),
  result: ChangesSchema.nullable(),
});
