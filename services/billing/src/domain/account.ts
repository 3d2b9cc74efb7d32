/**
 * The aggregate of a tenant's account, `account-<ten id>`: what is charged since when and because of
 * which event, which months are closed, what was booked.
 */
import type { accountEvents, Cause, Subtotals } from '@bivouac/events/billing';
import type { EventOf } from '@bivouac/events/language';
import type { PlanTerms } from '@bivouac/events/operations';
import { deriveId, type Money } from '@bivouac/events/values';

import { monthOf, nextMonth, periodOf } from './calendar.ts';

/** An address in service. The order in a subscription is its seniority. */
export interface AddressService {
  readonly leaseId: string;
  readonly address: string;
  readonly addedAt: string;
  readonly cause: Cause;
  removed?: { readonly at: string; readonly cause: Cause };
}

export interface Subscription {
  readonly subscriptionId: string;
  readonly containerId: string;
  readonly hostname: string;
  readonly terms: PlanTerms;
  readonly zone: string;
  readonly startedAt: string;
  readonly cause: Cause;
  readonly addresses: AddressService[];
  setup?: { readonly amount: Money; readonly at: string; readonly cause: Cause };
  ended?: { readonly at: string; readonly cause: Cause };
}

/** A closed month: what was owed, where it says so, and the number once it is booked. */
export interface Closing {
  readonly revision: bigint;
  readonly owed: {
    readonly invoiceId: string;
    readonly total: Money;
    readonly subtotals: Subtotals;
    readonly lineCount: number;
  } | null;
  booked?: { readonly number: string };
}

export interface AccountState {
  issuer: { readonly id: string; readonly homeId: string } | undefined;
  /** By container. */
  readonly subscriptions: Map<string, Subscription>;
  /** By month. */
  readonly closed: Map<string, Closing>;
}

export const accountInitial = (): AccountState => ({
  issuer: undefined,
  subscriptions: new Map(),
  closed: new Map(),
});

export function accountStream(accountId: string): string {
  return `account-${accountId}`;
}

/** A container has one subscription in its life. */
export function subscriptionIdOf(containerId: string): string {
  return deriveId('subscription', containerId);
}

/** An account has one invoice for a month, for ever. */
export function invoiceIdOf(accountId: string, month: string): string {
  return deriveId('invoice', accountId, month);
}

/**
 * From when a fact counts: its recorded time, unless that lies in a month that is already closed.
 * Then it counts from the end of that month (and of those closed behind it), so that no closed month
 * changes and nothing is lost silently.
 */
export function countsFrom(state: AccountState, time: string, zone: string): string {
  let month = monthOf(time, zone);
  if (!state.closed.has(month)) return time;
  while (state.closed.has(nextMonth(month))) month = nextMonth(month);
  return periodOf(month, zone).endsAt;
}

export function evolveAccount(
  state: AccountState,
  event: EventOf<(typeof accountEvents)[number]>,
): AccountState {
  switch (event.type) {
    case 'billing.AccountOpened':
      state.issuer = { id: event.data.issuerId, homeId: event.data.issuerHomeId };
      return state;
    case 'billing.SubscriptionStarted': {
      const { accountId: _accountId, addresses, ...rest } = event.data;
      state.subscriptions.set(rest.containerId, {
        ...rest,
        addresses: addresses.map((a) => ({ ...a, addedAt: rest.startedAt, cause: rest.cause })),
      });
      return state;
    }
    case 'billing.SetupCharged': {
      const { containerId, amount, chargedAt, cause } = event.data;
      const subscription = state.subscriptions.get(containerId);
      if (subscription !== undefined) subscription.setup = { amount, at: chargedAt, cause };
      return state;
    }
    case 'billing.AddressesAdded': {
      const { containerId, addresses, addedAt, cause } = event.data;
      const added = addresses.map((a) => ({ ...a, addedAt, cause }));
      state.subscriptions.get(containerId)?.addresses.push(...added);
      return state;
    }
    case 'billing.AddressesRemoved': {
      const { containerId, leaseIds, removedAt, cause } = event.data;
      for (const address of state.subscriptions.get(containerId)?.addresses ?? []) {
        if (address.removed === undefined && leaseIds.includes(address.leaseId)) {
          address.removed = { at: removedAt, cause };
        }
      }
      return state;
    }
    case 'billing.SubscriptionEnded': {
      const { containerId, endedAt, cause } = event.data;
      const subscription = state.subscriptions.get(containerId);
      if (subscription !== undefined) subscription.ended = { at: endedAt, cause };
      return state;
    }
    case 'billing.MonthClosed':
      state.closed.set(event.data.month, { revision: event.revision, owed: event.data.owed });
      return state;
    case 'billing.InvoiceBooked': {
      const closing = state.closed.get(event.data.month);
      if (closing !== undefined) closing.booked = { number: event.data.number };
      return state;
    }
    default:
      return state;
  }
}
