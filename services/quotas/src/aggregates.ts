/** The aggregates of quotas, as the host runs them. */
import { ledgerEvents, usageEvents } from '@bivouac/events/quotas';
import { aggregate } from '@bivouac/infra/runtime';

import { emptyLedger, evolveLedger } from './domain/ledger.ts';
import { evolveUsage, noUsage } from './domain/usage.ts';

/** One per home: limits and reservations of its whole tree. */
export const ledger = aggregate({
  category: 'ledger',
  events: ledgerEvents,
  initial: emptyLedger,
  evolve: evolveLedger,
});

/** One per home and hour: what its containers used. */
export const usageHour = aggregate({
  category: 'usage',
  events: usageEvents,
  initial: noUsage,
  evolve: evolveUsage,
});
