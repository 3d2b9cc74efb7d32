/**
 * Events of staff's acts on an operation that needs attention. The customer sees that staff acted and
 * when; why is for the staff and the auditor.
 */
import { z } from 'zod';

import { customer, event, staff } from '../language/index.ts';
import {
  AskNameSchema,
  AskRefSchema,
  JsonObjectSchema,
  StepNameSchema,
} from '../operations/index.ts';
import { idOf } from '../values/index.ts';

const operationId = customer(idOf('operation'));
const parentId = customer(idOf('operation').optional());

/** Why staff did it, in a sentence. */
export const StaffReasonSchema = z.string().trim().min(1).max(500);
const reason = staff(StaffReasonSchema);

/** What an operation had not done, or not undone, when it was given up: the ask that would do it. */
export const LeftoverSchema = z.strictObject({
  step: StepNameSchema,
  ask: AskNameSchema,
  input: JsonObjectSchema,
});
export type Leftover = z.output<typeof LeftoverSchema>;

/** It goes on at the step that needs attention, with new attempts; a released one gives back what it left. */
export const OperationRetried = event(
  'provisioning.OperationRetried',
  z.strictObject({ operationId, ref: staff(AskRefSchema), reason }),
);

/** Staff have made the world as the operation should have; it lets go of what it holds and ends. */
export const ResolutionStated = event(
  'provisioning.ResolutionStated',
  z.strictObject({ operationId, reason }),
);

/** Staff give it up; it lets go of what it holds and ends. */
export const ReleaseOrdered = event(
  'provisioning.ReleaseOrdered',
  z.strictObject({
    operationId,
    reason,
    leftovers: staff(z.array(LeftoverSchema).max(100)),
  }),
);

/** Of what a released operation left something was seen to since; what is left now. */
export const LeftoversChanged = event(
  'provisioning.LeftoversChanged',
  z.strictObject({ operationId, leftovers: staff(z.array(LeftoverSchema).max(100)) }),
);

export const OperationResolved = event(
  'provisioning.OperationResolved',
  z.strictObject({ operationId, parentId }),
);

export const OperationReleased = event(
  'provisioning.OperationReleased',
  z.strictObject({ operationId, parentId }),
);

export const staffEvents = [
  OperationRetried,
  ResolutionStated,
  ReleaseOrdered,
  LeftoversChanged,
  OperationResolved,
  OperationReleased,
] as const;
