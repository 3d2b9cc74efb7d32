import { ledgerEvents } from './ledger.ts';

export * from './ledger.ts';

/** Every event type of quotas. */
export const quotasEvents = [...ledgerEvents] as const;
