/** Commands that only this service's own policies and timers send. */
import { command } from '@bivouac/events/language';
import {
  AskNameSchema,
  AskRefSchema,
  JsonObjectSchema,
  OutcomeSchema,
  RefusalSchema,
} from '@bivouac/events/operations';
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
