/** The events by which operations ask and owners answer. */
import { z } from 'zod';

import { customer, event, staff } from '../language/index.ts';
import { idOf, InstantSchema } from '../values/index.ts';
import { AskNameSchema, JsonObjectSchema } from './asks.ts';
import { RefusalSchema } from './facts.ts';

/** A step of an operation, e.g. `reserve` or `undo-lease`. */
export const StepNameSchema = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/);

/** What identifies an ask: it gets exactly one answer. */
export const AskRefSchema = z.strictObject({
  operationId: idOf('operation'),
  step: StepNameSchema,
  /** From 1. */
  attempt: z.number().int().min(1).max(1000),
});
export type AskRef = z.output<typeof AskRefSchema>;

export const PivotSchema = z.enum(['asked', 'done']);
export type Pivot = z.output<typeof PivotSchema>;

/** On the operation's stream: an owner is to act. Its owner refuses it after `notAfter`. */
export const StepAsked = event(
  'provisioning.StepAsked',
  z.strictObject({
    ref: customer(AskRefSchema),
    ask: customer(AskNameSchema),
    /** The tenant whose things the operation changes. */
    tenantId: staff(idOf('tenant')),
    input: staff(JsonObjectSchema),
    notAfter: customer(InstantSchema),
    /** From when on the operation can only go forward: once this is asked, or once it is done. */
    pivot: customer(PivotSchema.optional()),
    /** How many steps the operation takes, as far as it is known with this ask. */
    planned: customer(z.number().int().min(1).max(1000).optional()),
  }),
);

export const OutcomeSchema = z.enum(['done', 'refused', 'failed', 'timed-out']);
export type Outcome = z.output<typeof OutcomeSchema>;

/** Revision 0, and the only event, of the ask's answer stream. */
export const AskAnswered = event(
  'operations.AskAnswered',
  z.strictObject({
    ref: customer(AskRefSchema),
    ask: customer(AskNameSchema),
    outcome: customer(OutcomeSchema),
    /** With `done`: the ask's result. */
    result: staff(JsonObjectSchema.optional()),
    /** With `refused` and `failed`: why. */
    refusal: customer(RefusalSchema.optional()),
  }),
);

/** The stream that holds the one answer to an ask. */
export function answerStream(ref: AskRef): string {
  return `answer-${ref.operationId}-${ref.step}-${ref.attempt}`;
}

export const operationProtocolEvents = [StepAsked, AskAnswered] as const;
