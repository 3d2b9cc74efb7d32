/** Every issuer's journal and its sums: one row per entry, one per ledger account and currency. */
import {
  CreditGranted,
  CreditNoteBooked,
  InvoiceBooked,
  type Leg,
  type LedgerAccount,
  PaymentRecorded,
  PaymentReversed,
} from '@bivouac/events/billing';
import type { Recorded } from '@bivouac/events/language';
import { addMoney, type Money } from '@bivouac/events/values';
import { on, projection } from '@bivouac/infra/runtime';
import { table, type WritableView } from '@bivouac/infra/views';

import type { JournalEntry } from '../api/ledger.ts';
import { accounts } from './accounts.ts';

export const journal = table<JournalEntry>()({
  name: 'journal',
  key: (row) => row.eventId,
  indexes: {
    byIssuer: (row) => [row.issuerId, row.position],
    byAccount: (row) => [row.accountId, row.position],
  },
});

interface BalanceRow {
  readonly issuerId: string;
  readonly account: LedgerAccount;
  readonly amount: Money;
}

export const balances = table<BalanceRow>()({
  name: 'ledgerBalances',
  key: (row) => `${row.issuerId}-${row.account}-${row.amount.currency}`,
  indexes: { byIssuer: (row) => [row.issuerId, row.amount.currency, row.account] },
});

interface CountRow {
  readonly issuerId: string;
  readonly entries: number;
}

export const entryCounts = table<CountRow>()({
  name: 'ledgerEntries',
  key: (row) => row.issuerId,
  indexes: {},
});

export const journalProjection = projection({
  name: 'billing.journal',
  tables: [journal, balances, entryCounts],
  on: [
    on(InvoiceBooked, (event, view) => {
      enter(view, event, event.data, event.data.number);
    }),
    on(CreditNoteBooked, (event, view) => {
      enter(view, event, event.data, event.data.number);
    }),
    on(PaymentRecorded, (event, view) => {
      enter(view, event, event.data, event.data.reference);
    }),
    on(PaymentReversed, (event, view) => {
      enter(view, event, event.data, event.data.reference);
    }),
    on(CreditGranted, (event, view) => {
      enter(view, event, event.data, event.data.creditId);
    }),
  ],
});

function enter(
  view: WritableView,
  event: Recorded<string, unknown>,
  entry: { readonly accountId: string; readonly legs: Leg[] },
  reference: string,
): void {
  const { accountId, legs } = entry;
  const issuerId = view.get(accounts, accountId)?.issuerId;
  if (issuerId === undefined) return;
  view.put(journal, {
    ...{ eventId: event.id, type: event.type, accountId, issuerId, reference, legs },
    ...{ time: event.time, position: event.position },
  });
  const count = view.get(entryCounts, issuerId)?.entries ?? 0;
  view.put(entryCounts, { issuerId, entries: count + 1 });
  for (const { account, amount } of legs) {
    const row = view.get(balances, `${issuerId}-${account}-${amount.currency}`);
    const sum = row === undefined ? amount : addMoney(row.amount, amount);
    view.put(balances, { issuerId, account, amount: sum });
  }
}
