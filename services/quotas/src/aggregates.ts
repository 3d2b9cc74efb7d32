/** The aggregate of quotas, as the host runs it. */
import { ledgerEvents } from '@bivouac/events/quotas';
import { aggregate } from '@bivouac/infra/runtime';

import { emptyLedger, evolveLedger } from './domain/ledger.ts';

/** One per home: limits and reservations of its whole tree. */
export const ledger = aggregate({
  category: 'ledger',
  events: ledgerEvents,
  initial: emptyLedger,
  evolve: evolveLedger,
});
