/** Events of an operation's stream, `operation-<op id>`; the asks are in events/operations. */
import { z } from 'zod';

import { customer, event, staff } from '../language/index.ts';
import {
  AskNameSchema,
  AskRefSchema,
  JsonObjectSchema,
  OutcomeSchema,
  RefusalSchema,
  StepNameSchema,
} from '../operations/index.ts';
import { idOf, InstantSchema } from '../values/index.ts';
import { ChildrenCountSchema } from './children.ts';
import { OperationKindSchema, OperationOrderSchema, OperationTargetSchema } from './order.ts';

const operationId = customer(idOf('operation'));
/** The operation over many whose child it is. */
const parentId = customer(idOf('operation').optional());
/** With an operation over many: what became of its children. */
const children = customer(ChildrenCountSchema.optional());

export const OperationStarted = event(
  'provisioning.OperationStarted',
  z.strictObject({
    operationId,
    kind: customer(OperationKindSchema),
    tenantId: customer(idOf('tenant')),
    target: customer(OperationTargetSchema),
    order: customer(OperationOrderSchema),
    parentId,
  }),
);

/** A step got its one answer. */
export const StepEnded = event(
  'provisioning.StepEnded',
  z.strictObject({
    ref: customer(AskRefSchema),
    ask: customer(AskNameSchema),
    outcome: customer(OutcomeSchema),
    result: staff(JsonObjectSchema.optional()),
    refusal: customer(RefusalSchema.optional()),
  }),
);

/**
 * A step was refused for something that passes by itself (another operation holds the container, say):
 * it is asked for again at `until`.
 */
export const StepDelayed = event(
  'provisioning.StepDelayed',
  z.strictObject({
    operationId,
    ref: customer(AskRefSchema),
    until: customer(InstantSchema),
    refusal: customer(RefusalSchema),
  }),
);

/** The wait is over; where the operation still needs the step, it is asked for again. */
export const StepResumed = event(
  'provisioning.StepResumed',
  z.strictObject({ operationId, step: customer(StepNameSchema) }),
);

/** Somebody asked for it to stop; what was done is being undone. */
export const CancelRequested = event(
  'provisioning.CancelRequested',
  z.strictObject({ operationId }),
);

/** A step could not be done; what was done before is being undone. */
export const UndoStarted = event(
  'provisioning.UndoStarted',
  z.strictObject({ operationId, refusal: customer(RefusalSchema) }),
);

export const OperationSucceeded = event(
  'provisioning.OperationSucceeded',
  z.strictObject({
    operationId,
    /** With close-month: the invoice, null where nothing was owed. */
    invoiceId: customer(idOf('invoice').nullable()),
    parentId,
    children,
  }),
);

/** It did not come about, and nothing of it is left. */
export const OperationFailed = event(
  'provisioning.OperationFailed',
  z.strictObject({ operationId, refusal: customer(RefusalSchema), parentId }),
);

/** It was cancelled, and nothing of it is left but what its children had ended. */
export const OperationCancelled = event(
  'provisioning.OperationCancelled',
  z.strictObject({ operationId, parentId, children }),
);

/** A step that must not fail did: staff have to act. docs/operations-runbook.md says how. */
export const AttentionNeeded = event(
  'provisioning.AttentionNeeded',
  z.strictObject({
    operationId,
    ref: staff(AskRefSchema),
    refusal: customer(RefusalSchema),
    parentId,
  }),
);

/** A reservation of it was neither committed nor given back in time, and it cannot do so now. */
export const OverdueReservationNoted = event(
  'provisioning.OverdueReservationNoted',
  z.strictObject({ operationId, reservationId: staff(idOf('reservation')) }),
);

export const workflowEvents = [
  OperationStarted,
  StepEnded,
  StepDelayed,
  StepResumed,
  CancelRequested,
  UndoStarted,
  OperationSucceeded,
  OperationFailed,
  OperationCancelled,
  AttentionNeeded,
  OverdueReservationNoted,
] as const;
