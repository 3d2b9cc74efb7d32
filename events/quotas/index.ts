import { ledgerEvents } from './ledger.ts';
import { usageEvents } from './usage.ts';

export * from './ledger.ts';
export * from './usage.ts';

/** Every event type of quotas. */
export const quotasEvents = [...ledgerEvents, ...usageEvents] as const;
