/**
 * Rating: an account's charges and a month to invoice lines. Pure, exact, and the same for invoices,
 * previews and anyone who recomputes. The rule is `calendar-days.half-up.1` of events/billing.
 */
import type { Cause, Period, RatingPolicy, Subtotals } from '@bivouac/events/billing';
import { minorUnits, money, rational, roundHalfUp, type Money } from '@bivouac/events/values';

import { daysBetween, firstDayOf, nextMonth, periodOf } from './calendar.ts';
import type { AddOn, Charges, Subscription } from './charged.ts';
import { addOnSpan, chargedAddresses, oneDay, segmentsOf, type Span, spansOf } from './service.ts';

export const RATED_BY: RatingPolicy = 'calendar-days.half-up.1';

/** What a line charges; each kind has its part of the subtotals. */
export type LineKind = 'plan' | 'address' | 'setup' | 'add-on' | 'fee';

export interface Line {
  readonly kind: LineKind;
  readonly description: string;
  /** Null where the account itself is charged. */
  readonly subscriptionId: string | null;
  readonly containerId: string | null;
  /** Half-open days in the zone. */
  readonly service: { readonly zone: string; readonly from: string; readonly until: string };
  readonly quantity: { readonly days: number; readonly of: number };
  /** How many of it. */
  readonly units: number;
  readonly unitPrice: Money;
  readonly amount: Money;
  readonly causes: readonly Cause[];
}

export type Rated =
  /** Nothing is owed: no line, or lines whose sum is zero. */
  | { readonly kind: 'nothing'; readonly periods: readonly Period[] }
  | {
      readonly kind: 'owed';
      readonly periods: readonly Period[];
      readonly lines: readonly Line[];
      readonly subtotals: Subtotals;
      readonly total: Money;
    }
  /** One invoice has one currency. */
  | { readonly kind: 'currencies-differ'; readonly currencies: readonly string[] };

/** Rates a month. The order in which charges are given does not matter. */
export function rate(charges: Charges, month: string): Rated {
  const lines = linesOf(charges, month);
  const zones = new Set(lines.map((line) => line.service.zone));
  const periods = [...(zones.size === 0 ? ['UTC'] : zones)]
    .sort()
    .map((zone) => periodOf(month, zone));
  const currencies = [...new Set(lines.map((line) => line.amount.currency))].sort();
  const [currency] = currencies;
  if (currency === undefined) return { kind: 'nothing', periods };
  if (currencies.length > 1) return { kind: 'currencies-differ', currencies };

  const subtotals = subtotalsOf(lines, currency);
  const total = lines.reduce((sum, line) => sum + minorUnits(line.amount), 0n);
  if (total === 0n) return { kind: 'nothing', periods };
  return { kind: 'owed', periods, lines, subtotals, total: money(total, currency) };
}

/** A line's amount: price x days / of, rounded half up to the currency's minor unit. */
export function prorated(price: Money, days: number, of: number, units = 1): Money {
  const exact = rational(minorUnits(price) * BigInt(units) * BigInt(days), BigInt(of));
  return money(roundHalfUp(exact), price.currency);
}

/** What is charged by the day always has its part; the other kinds where there are such lines. */
function subtotalsOf(lines: readonly Line[], currency: string): Subtotals {
  const sum = (kind: LineKind): Money =>
    money(
      lines.reduce((n, line) => (line.kind === kind ? n + minorUnits(line.amount) : n), 0n),
      currency,
    );
  const has = (kind: LineKind): boolean => lines.some((line) => line.kind === kind);
  return {
    plans: sum('plan'),
    addresses: sum('address'),
    setup: sum('setup'),
    ...(has('add-on') ? { addOns: sum('add-on') } : {}),
    ...(has('fee') ? { fees: sum('fee') } : {}),
  };
}

/** What is to be charged for a span of days, before the month cuts it. */
interface Charge {
  readonly kind: LineKind;
  readonly description: string;
  readonly subscriptionId: string | null;
  readonly containerId: string | null;
  readonly zone: string;
  readonly units: number;
  readonly unitPrice: Money;
  readonly span: Span;
  readonly causes: readonly Cause[];
  /** What ended it. */
  readonly end: Cause | undefined;
}

function linesOf(charges: Charges, month: string): Line[] {
  const first = firstDayOf(month);
  const next = firstDayOf(nextMonth(month));
  const days = daysBetween(first, next);
  return chargesOf(charges).flatMap((charge): Line[] => {
    const { span, end, causes, zone, ...rest } = charge;
    const from = span.from > first ? span.from : first;
    const ends = span.until !== undefined && span.until < next;
    const until = ends && span.until !== undefined ? span.until : next;
    if (from >= until || minorUnits(rest.unitPrice) === 0n) return [];
    const of = rest.kind === 'setup' || rest.kind === 'fee' ? 1 : days;
    const charged = daysBetween(from, until);
    return [
      {
        ...rest,
        service: { zone, from, until },
        quantity: { days: charged, of },
        amount: prorated(rest.unitPrice, charged, of, rest.units),
        // What ended the service is a cause where it shortened the month.
        causes: end !== undefined && ends ? [...causes, end] : causes,
      },
    ];
  });
}

/**
 * Subscriptions by start, then add-ons, then fees; ids decide what is equal. Of two that a container began at
 * one instant, the one that the log has first is the elder.
 */
function chargesOf(charges: Charges): Charge[] {
  const subscriptions = [...charges.subscriptions.values()]
    .filter(({ voided }) => voided === undefined)
    // Sorting keeps what is equal in its order, and those of one container are in that of the log.
    .sort(by(({ startedAt, containerId }) => [startedAt, containerId]));
  const spans = spansOf(subscriptions);
  const addOns = [...charges.addOns.values()]
    .filter(({ subscriptionId }) => subscriptionId === null || spans.has(subscriptionId))
    .sort(by((a) => [a.attachedAt, a.addOnId]));
  const fees = [...charges.fees.values()].sort(by((f) => [f.chargedAt, f.feeId]));
  return [
    ...subscriptions.flatMap((s) => chargesOfSubscription(s, spans.get(s.subscriptionId))),
    ...addOns.map((addOn) => chargeOfAddOn(addOn, charges, spans)),
    ...fees.map(({ name, amount, zone, chargedAt, cause }): Charge => ({
      ...{ kind: 'fee', description: name, subscriptionId: null, containerId: null, zone },
      ...{ units: 1, unitPrice: amount, span: oneDay(chargedAt, zone), causes: [cause] },
      end: undefined,
    })),
  ];
}

function chargesOfSubscription(subscription: Subscription, service: Span | undefined): Charge[] {
  if (service === undefined) return [];
  const { hostname, zone, setup } = subscription;
  const { subscriptionId, containerId } = subscription;
  const subject = { subscriptionId, containerId, zone, units: 1 };
  const segments = segmentsOf(subscription, service);
  const charges: Charge[] = segments.map(({ terms, span, causes, end }) => ({
    ...subject,
    ...{ kind: 'plan', description: `${terms.name}: ${hostname}`, unitPrice: terms.monthly },
    ...{ span, causes, end },
  }));
  for (const { address, terms, span, end } of chargedAddresses(subscription, service, segments)) {
    charges.push({
      ...subject,
      kind: 'address',
      description: `Additional address ${address.address}: ${hostname}`,
      unitPrice: terms.extraAddressMonthly,
      ...{ span, causes: [address.cause], end },
    });
  }
  if (setup !== undefined) {
    charges.push({
      ...subject,
      ...{ kind: 'setup', description: `Set-up: ${hostname}`, unitPrice: setup.amount },
      ...{ span: oneDay(setup.at, zone), causes: [setup.cause], end: undefined },
    });
  }
  return charges;
}

function chargeOfAddOn(addOn: AddOn, charges: Charges, spans: ReadonlyMap<string, Span>): Charge {
  const { name, quantity, subscriptionId, containerId, zone, monthly } = addOn;
  const subscription = charges.subscriptions.get(subscriptionId ?? '');
  const { span, end } = addOnSpan(addOn, subscription, spans.get(subscriptionId ?? ''));
  return {
    kind: 'add-on',
    description: subscription === undefined ? name : `${name}: ${subscription.hostname}`,
    ...{ subscriptionId, containerId, zone, units: quantity, unitPrice: monthly },
    ...{ span, causes: [addOn.cause], end },
  };
}

function by<T>(key: (item: T) => readonly [string, string]) {
  return (a: T, b: T): number => {
    const [a0, a1] = key(a);
    const [b0, b1] = key(b);
    if (a0 !== b0) return a0 < b0 ? -1 : 1;
    return a1 < b1 ? -1 : a1 > b1 ? 1 : 0;
  };
}
