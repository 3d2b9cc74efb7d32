import { accountEvents } from './account.ts';
import { planEvents } from './plan.ts';
import { priceEvents } from './prices.ts';
import { creditSeriesEvents, seriesEvents } from './series.ts';

export * from './account.ts';
export * from './credit-note.ts';
export * from './dunning.ts';
export * from './facts.ts';
export * from './invoice.ts';
export * from './items.ts';
export * from './ledger.ts';
export * from './plan.ts';
export * from './prices.ts';
export * from './series.ts';
export * from './subscription.ts';

/** Every event type of billing. */
export const billingEvents = [
  ...planEvents,
  ...priceEvents,
  ...accountEvents,
  ...seriesEvents,
  ...creditSeriesEvents,
] as const;
