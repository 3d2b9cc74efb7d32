/** Accounts with what they owe, whom they are charged by, and what is open over all of them. */
import {
  AccountOpened,
  AddOnAttached,
  AddOnCancelled,
  CreditGranted,
  CreditNoteBooked,
  DunningPaused,
  DunningResumed,
  FeeCharged,
  InvoiceBooked,
  InvoiceVoided,
  type Leg,
  MonthClosed,
  PaymentRecorded,
  PaymentReversed,
  SubscriptionEnded,
  SubscriptionStarted,
} from '@bivouac/events/billing';
import {
  addMoney,
  instantOf,
  laterOf,
  millisecondsOf,
  minorUnits,
  money,
  type Money,
} from '@bivouac/events/values';
import { on, projection } from '@bivouac/infra/runtime';
import { table, type WritableView } from '@bivouac/infra/views';

import { monthOf } from '../domain/calendar.ts';
import { addOns, openAddOns, subscriptions } from './charges.ts';

export interface AccountRow {
  readonly accountId: string;
  readonly homeId: string;
  readonly issuerId: string;
  /** One amount per currency, by currency. */
  readonly owed: Money[];
  readonly credit: Money[];
  readonly bookings: number;
  readonly dunningPaused: { readonly at: string; readonly reason: string } | null;
  /** The first month anything was charged in; null where nothing ever was. */
  readonly chargedFrom: string | null;
  /** Subscriptions and add-ons that go on, and the last month of what does not. */
  readonly charging: number;
  readonly chargedUntil: string | null;
  /** Months that are closed, ascending. */
  readonly closed: string[];
}

export const accounts = table<AccountRow>()({
  name: 'accounts',
  key: (row) => row.accountId,
  indexes: { byIssuer: (row) => [row.issuerId, row.accountId] },
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
  tables: [accounts, totals],
  on: [
    on(AccountOpened, (event, view) => {
      const { accountId, issuerId } = event.data;
      view.put(accounts, {
        ...{ accountId, issuerId, homeId: event.homeid, owed: [], credit: [], bookings: 0 },
        ...{ dunningPaused: null, chargedFrom: null, charging: 0, chargedUntil: null, closed: [] },
      });
    }),
    on(SubscriptionStarted, (event, view) => {
      const { accountId, startedAt, zone } = event.data;
      charged(view, accountId, monthOf(startedAt, zone), 1);
      count(view, { openCharges: 1 });
    }),
    on(SubscriptionEnded, (event, view) => {
      const { accountId, subscriptionId, endedAt } = event.data;
      const { zone = 'UTC', startedAt = endedAt } = view.get(subscriptions, subscriptionId) ?? {};
      const addOnsToo = openAddOns(view, subscriptionId).length;
      ended(view, accountId, lastMonth(startedAt, endedAt, zone), 1 + addOnsToo);
      count(view, { openCharges: -1 });
    }),
    on(AddOnAttached, (event, view) => {
      const { accountId, attachedAt, zone } = event.data;
      charged(view, accountId, monthOf(attachedAt, zone), 1);
    }),
    on(AddOnCancelled, (event, view) => {
      const { accountId, addOnId, endsAt } = event.data;
      const addOn = view.get(addOns, addOnId);
      // The rows of charges are still as they were before this event.
      if (addOn?.endsAt !== null) return;
      ended(view, accountId, lastMonth(addOn.attachedAt, endsAt, addOn.zone), 1);
    }),
    on(FeeCharged, (event, view) => {
      const { accountId, chargedAt, zone } = event.data;
      const month = monthOf(chargedAt, zone);
      charged(view, accountId, month, 0);
      ended(view, accountId, month, 0);
    }),
    on(MonthClosed, (event, view) => {
      const { accountId, month, owed } = event.data;
      change(view, accountId, (row) => ({ closed: [...row.closed, month].sort() }));
      if (owed !== null) count(view, { unbookedInvoices: 1 });
    }),
    on(InvoiceBooked, (event, view) => {
      post(view, event.data.accountId, event.data.legs);
      count(view, { unbookedInvoices: -1 });
    }),
    // Until its credit note is booked it is neither owed nor out of the books.
    on(InvoiceVoided, (_event, view) => {
      count(view, { unbookedInvoices: 1 });
    }),
    on(CreditNoteBooked, (event, view) => {
      post(view, event.data.accountId, event.data.legs);
      count(view, { unbookedInvoices: -1 });
    }),
    on(PaymentRecorded, (event, view) => {
      post(view, event.data.accountId, event.data.legs);
    }),
    on(PaymentReversed, (event, view) => {
      post(view, event.data.accountId, event.data.legs);
    }),
    on(CreditGranted, (event, view) => {
      post(view, event.data.accountId, event.data.legs);
    }),
    on(DunningPaused, (event, view) => {
      const dunningPaused = { at: event.time, reason: event.data.reason };
      change(view, event.data.accountId, () => ({ dunningPaused }));
    }),
    on(DunningResumed, (event, view) => {
      change(view, event.data.accountId, () => ({ dunningPaused: null }));
    }),
  ],
});

function change(
  view: WritableView,
  accountId: string,
  to: (row: AccountRow) => Partial<AccountRow>,
): void {
  const row = view.get(accounts, accountId);
  if (row !== undefined) view.put(accounts, { ...row, ...to(row) });
}

function charged(view: WritableView, accountId: string, month: string, more: number): void {
  change(view, accountId, ({ chargedFrom, charging }) => ({
    chargedFrom: chargedFrom === null || month < chargedFrom ? month : chargedFrom,
    charging: charging + more,
  }));
}

/** Ends are exclusive, but what ends as it begins has a day. */
function lastMonth(startedAt: string, endedAt: string, zone: string): string {
  return monthOf(laterOf(startedAt, instantOf(millisecondsOf(endedAt) - 1)), zone);
}

function ended(view: WritableView, accountId: string, month: string, less: number): void {
  change(view, accountId, ({ chargedUntil, charging }) => ({
    chargedUntil: chargedUntil === null || month > chargedUntil ? month : chargedUntil,
    charging: charging - less,
  }));
}

/** A journal entry's part of the balances. */
function post(view: WritableView, accountId: string, legs: readonly Leg[]): void {
  const sum = (of: Leg['account'], from: readonly Money[], sign: bigint): Money[] =>
    legs
      .filter((leg) => leg.account === of)
      .map(({ amount }) => money(sign * minorUnits(amount), amount.currency))
      .reduce(plus, [...from]);
  change(view, accountId, (row) => ({
    owed: sum('receivable', row.owed, 1n),
    credit: sum('credit', row.credit, -1n),
    bookings: row.bookings + 1,
  }));
}

function plus(sums: Money[], amount: Money): Money[] {
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
