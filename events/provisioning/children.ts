/** Events of an operation over many, about the operations it starts: one per subject. */
import { z } from 'zod';

import { customer, event, staff } from '../language/index.ts';
import { RefusalSchema } from '../operations/index.ts';
import { idOf } from '../values/index.ts';
import { OperationOrderSchema } from './order.ts';

const operationId = customer(idOf('operation'));
const childId = customer(idOf('operation'));
/** What the child is about, e.g. an account. */
const subject = customer(z.string().min(1).max(60));

/** How a child can end. */
export const ChildOutcomeSchema = z.enum([
  'succeeded',
  'failed',
  'cancelled',
  'resolved',
  'released',
]);
export type ChildOutcome = z.output<typeof ChildOutcomeSchema>;

/** At most so many failures are named in one event; all are found by the query of children. */
export const NAMED_FAILURES = 100;

/** What became of the children. */
export const ChildrenCountSchema = z.strictObject({
  /** Succeeded, or resolved by staff. */
  succeeded: z.number().int().min(0),
  failed: z.number().int().min(0),
  /** The failed ones, the first hundred of them. */
  failures: z
    .array(
      z.strictObject({
        childId: idOf('operation'),
        subject: z.string().min(1).max(60),
        /** Of its refusal, or how it ended. */
        code: z.string().min(1).max(80),
      }),
    )
    .max(NAMED_FAILURES),
});
export type ChildrenCount = z.output<typeof ChildrenCountSchema>;

/** It is known over how many it goes. */
export const ChildrenCounted = event(
  'provisioning.ChildrenCounted',
  z.strictObject({ operationId, count: customer(z.number().int().min(0)) }),
);

/** An operation of its own is to be started for a subject. */
export const ChildStarted = event(
  'provisioning.ChildStarted',
  z.strictObject({
    operationId,
    childId,
    subject,
    order: customer(OperationOrderSchema),
    tenantId: staff(idOf('tenant')),
    homeId: staff(idOf('tenant')),
  }),
);

/** A child waits for staff; it does not keep others from being started. */
export const ChildWaiting = event(
  'provisioning.ChildWaiting',
  z.strictObject({ operationId, childId, subject, refusal: customer(RefusalSchema) }),
);

export const ChildEnded = event(
  'provisioning.ChildEnded',
  z.strictObject({
    operationId,
    childId,
    subject,
    outcome: customer(ChildOutcomeSchema),
    /** It had been waiting for staff. */
    waited: customer(z.boolean()),
    refusal: customer(RefusalSchema.optional()),
  }),
);

export const childEvents = [ChildrenCounted, ChildStarted, ChildWaiting, ChildEnded] as const;
