/** Events of an account's stream: a subscription's terms in its life, and waits for its periods. */
import { z } from 'zod';

import { customer, event, staff } from '../language/index.ts';
import { AskRefSchema, PlanTermsSchema } from '../operations/index.ts';
import { idOf, InstantSchema } from '../values/index.ts';
import { CauseSchema, ZoneSchema } from './facts.ts';

const subject = {
  accountId: customer(idOf('tenant')),
  subscriptionId: customer(idOf('subscription')),
  containerId: customer(idOf('container')),
} as const;

/** The container has another plan: the day it changes on is charged at what ends the day. */
export const PlanChanged = event(
  'billing.PlanChanged',
  z.strictObject({
    ...subject,
    terms: customer(PlanTermsSchema),
    changedAt: customer(InstantSchema),
    cause: customer(CauseSchema),
  }),
);

/**
 * The catalog's new prices for existing subscriptions, from a period's start on. Recorded when the
 * period is closed, with the period's closing behind it; the cause is the catalog's version.
 */
export const TermsRenewed = event(
  'billing.TermsRenewed',
  z.strictObject({
    ...subject,
    terms: customer(PlanTermsSchema),
    renewedFrom: customer(InstantSchema),
    cause: customer(CauseSchema),
  }),
);

/**
 * Nothing is charged for it, neither set-up nor any day: the order it came from was undone. What a
 * closed month had charged comes back as credit in the same append.
 */
export const SubscriptionVoided = event(
  'billing.SubscriptionVoided',
  z.strictObject({ ...subject, cause: customer(CauseSchema) }),
);

/** An operation waits for the end of the container's billing period. */
export const PeriodEndAwaited = event(
  'billing.PeriodEndAwaited',
  z.strictObject({
    accountId: customer(idOf('tenant')),
    containerId: customer(idOf('container')),
    ref: customer(AskRefSchema),
    homeId: staff(idOf('tenant')),
    zone: customer(ZoneSchema),
    endsAt: customer(InstantSchema),
    notAfter: staff(InstantSchema),
  }),
);

/** The period has ended: whoever waited goes on. */
export const PeriodEndReached = event(
  'billing.PeriodEndReached',
  z.strictObject({
    accountId: customer(idOf('tenant')),
    ref: customer(AskRefSchema),
    endedAt: customer(InstantSchema),
    notAfter: staff(InstantSchema),
  }),
);

export const subscriptionEvents = [
  PlanChanged,
  TermsRenewed,
  SubscriptionVoided,
  PeriodEndAwaited,
  PeriodEndReached,
] as const;
