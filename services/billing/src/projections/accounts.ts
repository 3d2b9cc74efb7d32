/** Accounts with what they owe, what they are charged for, and what is open over all of them. */
import {
  AccountOpened,
  AddressesAdded,
  AddressesRemoved,
  InvoiceBooked,
  MonthClosed,
  SubscriptionEnded,
  SubscriptionStarted,
} from '@bivouac/events/billing';
import { addMoney, type Money } from '@bivouac/events/values';
import { on, projection } from '@bivouac/infra/runtime';
import { table, type WritableView } from '@bivouac/infra/views';
import type { z } from 'zod';

import type { SubscriptionViewSchema } from '../api/invoices.ts';

export interface AccountRow {
  readonly accountId: string;
  /** One amount per currency, by currency. */
  readonly owed: Money[];
  readonly bookings: number;
}

export const accounts = table<AccountRow>()({
  name: 'accounts',
  key: (row) => row.accountId,
  indexes: {},
});

export const subscriptions = table<z.output<typeof SubscriptionViewSchema>>()({
  name: 'subscriptions',
  key: (row) => row.containerId,
  indexes: { byAccount: (row) => [row.accountId, row.position] },
});

interface TotalsRow {
  readonly id: 'all';
  readonly openCharges: number;
  readonly unbookedInvoices: number;
}

export const totals = table<TotalsRow>()({
  name: 'totals',
  key: (row) => row.id,
  indexes: {},
});

export const accountsProjection = projection({
  name: 'billing.accounts',
  tables: [accounts, subscriptions, totals],
  on: [
    on(AccountOpened, (event, view) => {
      view.put(accounts, { accountId: event.data.accountId, owed: [], bookings: 0 });
    }),
    on(SubscriptionStarted, (event, view) => {
      const { accountId, subscriptionId, containerId, hostname, terms, zone } = event.data;
      view.put(subscriptions, {
        ...{ id: subscriptionId, accountId, containerId, hostname, zone },
        planId: terms.planId,
        planCode: terms.code,
        monthly: terms.monthly,
        addresses: event.data.addresses.length,
        startedAt: event.data.startedAt,
        endedAt: null,
        position: event.position,
      });
      count(view, { openCharges: 1 });
    }),
    on(AddressesAdded, (event, view) => {
      countAddresses(view, event.data.containerId, event.data.addresses.length);
    }),
    on(AddressesRemoved, (event, view) => {
      countAddresses(view, event.data.containerId, -event.data.leaseIds.length);
    }),
    on(SubscriptionEnded, (event, view) => {
      const row = view.get(subscriptions, event.data.containerId);
      if (row === undefined) return;
      view.put(subscriptions, { ...row, addresses: 0, endedAt: event.data.endedAt });
      count(view, { openCharges: -1 });
    }),
    on(MonthClosed, (event, view) => {
      if (event.data.owed !== null) count(view, { unbookedInvoices: 1 });
    }),
    on(InvoiceBooked, (event, view) => {
      const { accountId, legs } = event.data;
      const row = view.get(accounts, accountId);
      if (row === undefined) return;
      const owed = legs
        .filter((leg) => leg.account === 'receivable')
        .reduce((sums, leg) => plus(sums, leg.amount), row.owed);
      view.put(accounts, { ...row, owed, bookings: row.bookings + 1 });
      count(view, { unbookedInvoices: -1 });
    }),
  ],
});

function countAddresses(view: WritableView, containerId: string, by: number): void {
  const row = view.get(subscriptions, containerId);
  if (row !== undefined) view.put(subscriptions, { ...row, addresses: row.addresses + by });
}

function plus(sums: readonly Money[], amount: Money): Money[] {
  const same = sums.find((sum) => sum.currency === amount.currency);
  const others = sums.filter((sum) => sum !== same);
  return [...others, same === undefined ? amount : addMoney(same, amount)].sort((a, b) =>
    a.currency < b.currency ? -1 : 1,
  );
}

function count(view: WritableView, by: Partial<Omit<TotalsRow, 'id'>>): void {
  const row = view.get(totals, 'all') ?? { id: 'all', openCharges: 0, unbookedInvoices: 0 };
  view.put(totals, {
    id: 'all',
    openCharges: row.openCharges + (by.openCharges ?? 0),
    unbookedInvoices: row.unbookedInvoices + (by.unbookedInvoices ?? 0),
  });
}
