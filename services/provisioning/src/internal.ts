/** Commands that only this service's own policies and timers send. */
import { command } from '@bivouac/events/language';
import {
  AskNameSchema,
  AskRefSchema,
  JsonObjectSchema,
  OutcomeSchema,
  RefusalSchema,
  StepNameSchema,
} from '@bivouac/events/operations';
import { ChildOutcomeSchema, OperationOrderSchema } from '@bivouac/events/provisioning';
import { idOf, InstantSchema } from '@bivouac/events/values';
import { z } from 'zod';

/** Records on the operation what the answer stream says. */
export const RecordAnswer = command({
  name: 'provisioning.RecordAnswer',
  access: 'internal',
  input: z.strictObject({
    ref: AskRefSchema,
    ask: AskNameSchema,
    outcome: OutcomeSchema,
    result: JsonObjectSchema.optional(),
    refusal: RefusalSchema.optional(),
  }),
  result: z.strictObject({}),
});

/** At an ask's deadline: answers `timed-out`, unless its owner was first. */
export const TimeOutAsk = command({
  name: 'provisioning.TimeOutAsk',
  access: 'internal',
  input: z.strictObject({
    ref: AskRefSchema,
    ask: AskNameSchema,
    tenantId: z.string(),
    homeId: z.string(),
  }),
  result: z.strictObject({}),
});

/** By timer: a step that was put off is asked for again, where it is still needed. */
export const ResumeStep = command({
  name: 'provisioning.ResumeStep',
  access: 'internal',
  input: z.strictObject({
    operationId: idOf('operation'),
    step: StepNameSchema,
    until: InstantSchema,
  }),
  result: z.strictObject({}),
});

/** Starts a child; its id is its parent's choice, so that it is started once. */
export const StartChild = command({
  name: 'provisioning.StartChild',
  access: 'internal',
  input: z.strictObject({
    parentId: idOf('operation'),
    childId: idOf('operation'),
    order: OperationOrderSchema,
    tenantId: idOf('tenant'),
    homeId: idOf('tenant'),
  }),
  result: z.strictObject({}),
});

/** Records on the parent that a child waits for staff, or how it ended. */
export const RecordChild = command({
  name: 'provisioning.RecordChild',
  access: 'internal',
  input: z.strictObject({
    parentId: idOf('operation'),
    child: z.discriminatedUnion('outcome', [
      z.strictObject({
        childId: idOf('operation'),
        outcome: z.literal('waiting'),
        refusal: RefusalSchema,
      }),
      z.strictObject({
        childId: idOf('operation'),
        outcome: ChildOutcomeSchema,
        refusal: RefusalSchema.optional(),
      }),
    ]),
  }),
  result: z.strictObject({}),
});

/** A ledger asks about a reservation that nobody committed or gave back in time. */
export const AnswerOverdue = command({
  name: 'provisioning.AnswerOverdue',
  access: 'internal',
  input: z.strictObject({
    operationId: idOf('operation'),
    reservationId: idOf('reservation'),
  }),
  result: z.strictObject({}),
});
