/** Events of an account's stream: reminding of invoices that are overdue, to the billing hold. */
import { z } from 'zod';

import { customer, event, staff } from '../language/index.ts';
import { idOf, InstantSchema, MoneySchema } from '../values/index.ts';
import { DunningStageSchema, ReasonSchema } from './facts.ts';

const accountId = customer(idOf('tenant'));
const invoiceId = customer(idOf('invoice'));

/** An open invoice is so many days overdue that the debtor is told. */
export const DunningStageReached = event(
  'billing.DunningStageReached',
  z.strictObject({
    accountId,
    invoiceId,
    stage: customer(DunningStageSchema),
    dueAt: customer(InstantSchema),
    open: customer(MoneySchema),
  }),
);

/** The account is to be held for this invoice. */
export const DunningHoldDue = event(
  'billing.DunningHoldDue',
  z.strictObject({
    accountId,
    homeId: staff(idOf('tenant')),
    invoiceId,
    stage: customer(DunningStageSchema),
  }),
);

/** The invoice is paid or void: the hold it caused is to be lifted. */
export const DunningHoldClear = event(
  'billing.DunningHoldClear',
  z.strictObject({ accountId, homeId: staff(idOf('tenant')), invoiceId }),
);

/** No invoice of the account reaches a further stage until dunning is resumed. Holds stay. */
export const DunningPaused = event(
  'billing.DunningPaused',
  z.strictObject({ accountId, reason: customer(ReasonSchema) }),
);

export const DunningResumed = event('billing.DunningResumed', z.strictObject({ accountId }));

export const dunningEvents = [
  DunningStageReached,
  DunningHoldDue,
  DunningHoldClear,
  DunningPaused,
  DunningResumed,
] as const;
