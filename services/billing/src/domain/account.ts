/**
 * The aggregate of a tenant's account, `account-<ten id>`: what is charged since when and because of
 * which event, which months are closed, what was booked and paid.
 */
import type { accountEvents, Subtotals } from '@bivouac/events/billing';
import type { EventOf } from '@bivouac/events/language';
import { deriveId, type Money } from '@bivouac/events/values';

import { monthOf, nextMonth, periodOf } from './calendar.ts';
import { causeOf } from './cause.ts';
import type { AddOn, Charges, Fee, Subscription } from './charged.ts';
import { type DunningState, dunningInitial, evolveDunning } from './dunning-state.ts';
import { evolveLedger, type Ledger, ledgerInitial } from './ledger.ts';

export type { Subscription } from './charged.ts';

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

export interface AccountState extends Charges {
  issuer: { readonly id: string; readonly homeId: string } | undefined;
  /** By subscription. */
  readonly subscriptions: Map<string, Subscription>;
  /** The youngest subscription of each container. */
  readonly latest: Map<string, string>;
  readonly addOns: Map<string, AddOn>;
  readonly fees: Map<string, Fee>;
  /** By month. */
  readonly closed: Map<string, Closing>;
  readonly ledger: Ledger;
  readonly dunning: DunningState;
  /** Asks that wait, or waited, for a period's end, by {@link waitOf}. */
  readonly waits: Map<string, { readonly endsAt: string; reached: boolean }>;
}

export const accountInitial = (): AccountState => ({
  issuer: undefined,
  subscriptions: new Map(),
  latest: new Map(),
  addOns: new Map(),
  fees: new Map(),
  closed: new Map(),
  ledger: ledgerInitial(),
  dunning: dunningInitial(),
  waits: new Map(),
});

export function accountStream(accountId: string): string {
  return `account-${accountId}`;
}

/** An account has one invoice for a month, for ever. */
export function invoiceIdOf(accountId: string, month: string): string {
  return deriveId('invoice', accountId, month);
}

/** Names an ask that waits. */
export function waitOf(ref: {
  readonly operationId: string;
  readonly step: string;
  readonly attempt: number;
}): string {
  return `${ref.operationId}-${ref.step}-${ref.attempt}`;
}

/** The subscription that charges a container now, if any. */
export function running(state: AccountState, containerId: string): Subscription | undefined {
  const subscription = state.subscriptions.get(state.latest.get(containerId) ?? '');
  return subscription?.ended === undefined ? subscription : undefined;
}

/** An account's currency is that of what runs on it; undefined where nothing does. */
export function currencyOf(state: AccountState): string | undefined {
  for (const subscription of state.subscriptions.values()) {
    if (subscription.ended === undefined) {
      return subscription.stretches.at(-1)?.terms.monthly.currency;
    }
  }
  for (const addOn of state.addOns.values()) {
    const subscription = state.subscriptions.get(addOn.subscriptionId ?? '');
    if (addOn.ended === undefined && subscription?.ended === undefined)
      return addOn.monthly.currency;
  }
  return undefined;
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
      const { accountId: _accountId, addresses, terms, ...rest } = event.data;
      state.subscriptions.set(rest.subscriptionId, {
        ...rest,
        stretches: [{ terms, from: rest.startedAt, cause: rest.cause }],
        addresses: addresses.map((a) => ({ ...a, addedAt: rest.startedAt, cause: rest.cause })),
      });
      state.latest.set(rest.containerId, rest.subscriptionId);
      return state;
    }
    case 'billing.SetupCharged': {
      const { subscriptionId, amount, chargedAt, cause } = event.data;
      const subscription = state.subscriptions.get(subscriptionId);
      if (subscription !== undefined) subscription.setup = { amount, at: chargedAt, cause };
      return state;
    }
    case 'billing.PlanChanged': {
      const { subscriptionId, terms, changedAt, cause } = event.data;
      const stretches = state.subscriptions.get(subscriptionId)?.stretches;
      if (stretches !== undefined) enter(stretches, { terms, from: changedAt, cause });
      return state;
    }
    case 'billing.TermsRenewed': {
      const { subscriptionId, terms, renewedFrom, cause } = event.data;
      const stretches = state.subscriptions.get(subscriptionId)?.stretches;
      if (stretches !== undefined) enter(stretches, { terms, from: renewedFrom, cause });
      return state;
    }
    case 'billing.AddressesAdded': {
      const { subscriptionId, addresses, addedAt, cause } = event.data;
      const added = addresses.map((a) => ({ ...a, addedAt, cause }));
      state.subscriptions.get(subscriptionId)?.addresses.push(...added);
      return state;
    }
    case 'billing.AddressesRemoved': {
      const { subscriptionId, leaseIds, removedAt, undone, cause } = event.data;
      for (const address of state.subscriptions.get(subscriptionId)?.addresses ?? []) {
        if (address.removed === undefined && leaseIds.includes(address.leaseId)) {
          address.removed = { at: removedAt, cause };
          if (undone === true) address.undone = true;
        }
      }
      return state;
    }
    case 'billing.SubscriptionEnded': {
      const { subscriptionId, endedAt, cause } = event.data;
      const subscription = state.subscriptions.get(subscriptionId);
      if (subscription !== undefined) subscription.ended = { at: endedAt, cause };
      return state;
    }
    case 'billing.SubscriptionVoided': {
      const { subscriptionId, cause } = event.data;
      const subscription = state.subscriptions.get(subscriptionId);
      if (subscription !== undefined) subscription.voided = cause;
      return state;
    }
    case 'billing.AddOnAttached': {
      const { accountId: _accountId, ...addOn } = event.data;
      state.addOns.set(addOn.addOnId, { ...addOn, cause: causeOf(event) });
      return state;
    }
    case 'billing.AddOnCancelled': {
      const addOn = state.addOns.get(event.data.addOnId);
      if (addOn !== undefined) addOn.ended = { at: event.data.endsAt, cause: causeOf(event) };
      return state;
    }
    case 'billing.FeeCharged': {
      const { feeId, name, amount, zone, chargedAt } = event.data;
      const fee = { feeId, name, amount, zone, chargedAt, cause: causeOf(event) };
      state.fees.set(feeId, fee);
      return state;
    }
    case 'billing.PeriodEndAwaited': {
      const { ref, endsAt } = event.data;
      state.waits.set(waitOf(ref), { endsAt, reached: false });
      return state;
    }
    case 'billing.PeriodEndReached': {
      const wait = state.waits.get(waitOf(event.data.ref));
      if (wait !== undefined) wait.reached = true;
      return state;
    }
    case 'billing.MonthClosed':
      state.closed.set(event.data.month, { revision: event.revision, owed: event.data.owed });
      return state;
    case 'billing.InvoiceBooked': {
      const closing = state.closed.get(event.data.month);
      if (closing !== undefined) closing.booked = { number: event.data.number };
      evolveLedger(state.ledger, event);
      return state;
    }
    default:
      evolveLedger(state.ledger, event);
      evolveDunning(state.dunning, event);
      return state;
  }
}

/** By when they begin; of two that begin at once the later recorded is the later. */
function enter(stretches: Subscription['stretches'], stretch: Subscription['stretches'][number]) {
  const behind = stretches.findIndex((other) => other.from > stretch.from);
  stretches.splice(behind === -1 ? stretches.length : behind, 0, stretch);
}
