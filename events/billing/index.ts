import { accountEvents } from './account.ts';
import { planEvents } from './plan.ts';
import { seriesEvents } from './series.ts';

export * from './account.ts';
export * from './facts.ts';
export * from './invoice.ts';
export * from './plan.ts';
export * from './series.ts';

/** Every event type of billing. */
export const billingEvents = [...planEvents, ...accountEvents, ...seriesEvents] as const;
