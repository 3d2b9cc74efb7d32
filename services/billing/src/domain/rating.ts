/**
 * Rating: an account's charges and a month to invoice lines. Pure, exact, and the same for invoices,
 * previews and anyone who recomputes. The rule is `calendar-days.half-up.1` of events/billing.
 */
import type { Cause, Period, RatingPolicy, Subtotals } from '@bivouac/events/billing';
import { minorUnits, money, rational, roundHalfUp, type Money } from '@bivouac/events/values';

import type { AddressService, Subscription } from './account.ts';
import { dayAfter, dayOf, daysBetween, firstDayOf, nextMonth, periodOf } from './calendar.ts';

export const RATED_BY: RatingPolicy = 'calendar-days.half-up.1';

type LineKind = 'plan' | 'address' | 'setup';

export interface Line {
  readonly kind: LineKind;
  readonly description: string;
  readonly subscriptionId: string;
  readonly containerId: string;
  /** Half-open days in the zone. */
  readonly service: { readonly zone: string; readonly from: string; readonly until: string };
  readonly quantity: { readonly days: number; readonly of: number };
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

/** Rates a month. The order in which subscriptions are given does not matter. */
export function rate(subscriptions: Iterable<Subscription>, month: string): Rated {
  const ordered = [...subscriptions].sort(byStart);
  const bounds = boundsOf(month);
  const lines = ordered.flatMap((subscription) => linesOf(subscription, bounds));
  const zones = new Set(lines.map((line) => line.service.zone));
  const periods = [...(zones.size === 0 ? ['UTC'] : zones)]
    .sort()
    .map((zone) => periodOf(month, zone));
  const currencies = [...new Set(lines.map((line) => line.amount.currency))].sort();
  const [currency] = currencies;
  if (currency === undefined) return { kind: 'nothing', periods };
  if (currencies.length > 1) return { kind: 'currencies-differ', currencies };

  const sum = (kind: LineKind): bigint =>
    lines.reduce((n, line) => (line.kind === kind ? n + minorUnits(line.amount) : n), 0n);
  const [plans, addresses, setup] = [sum('plan'), sum('address'), sum('setup')];
  const total = plans + addresses + setup;
  if (total === 0n) return { kind: 'nothing', periods };
  return {
    kind: 'owed',
    periods,
    lines,
    subtotals: {
      plans: money(plans, currency),
      addresses: money(addresses, currency),
      setup: money(setup, currency),
    },
    total: money(total, currency),
  };
}

/** A line's amount: price x days / of, rounded half up to the currency's minor unit. */
export function prorated(price: Money, days: number, of: number): Money {
  const exact = rational(minorUnits(price) * BigInt(days), BigInt(of));
  return money(roundHalfUp(exact), price.currency);
}

/** A month's half-open days. */
interface Month {
  readonly first: string;
  readonly next: string;
  readonly days: number;
}

function boundsOf(month: string): Month {
  const [first, next] = [firstDayOf(month), firstDayOf(nextMonth(month))];
  return { first, next, days: daysBetween(first, next) };
}

/** Half-open days; `until` is absent while the service goes on. */
interface Span {
  readonly from: string;
  readonly until: string | undefined;
}

/** Days in service: the day it starts counts, the day it ends does not, unless they are the same. */
function spanOf(startedAt: string, endedAt: string | undefined, zone: string): Span {
  const from = dayOf(startedAt, zone);
  if (endedAt === undefined) return { from, until: undefined };
  const end = dayOf(endedAt, zone);
  return { from, until: end > from ? end : dayAfter(from) };
}

function linesOf(subscription: Subscription, month: Month): Line[] {
  const { terms, zone, hostname } = subscription;
  const lines: Line[] = [];
  const service = spanOf(subscription.startedAt, subscription.ended?.at, zone);
  const line = (
    kind: LineKind,
    description: string,
    unitPrice: Money,
    span: Span,
    causes: readonly Cause[],
    end: Cause | undefined,
  ): void => {
    const charged = withinMonth(span, month);
    if (charged === undefined || minorUnits(unitPrice) === 0n) return;
    const of = kind === 'setup' ? 1 : month.days;
    const days = daysBetween(charged.from, charged.until);
    lines.push({
      kind,
      description,
      subscriptionId: subscription.subscriptionId,
      containerId: subscription.containerId,
      service: { zone, from: charged.from, until: charged.until },
      quantity: { days, of },
      unitPrice,
      amount: prorated(unitPrice, days, of),
      // What ended the service is a cause where it shortened the month.
      causes: end !== undefined && charged.ends ? [...causes, end] : causes,
    });
  };

  line(
    'plan',
    `${terms.name}: ${hostname}`,
    terms.monthly,
    service,
    [subscription.cause],
    subscription.ended?.cause,
  );
  for (const { address, span, end } of chargedAddresses(subscription, service)) {
    line(
      'address',
      `Additional address ${address.address}: ${hostname}`,
      terms.extraAddressMonthly,
      span,
      [address.cause],
      end,
    );
  }
  if (subscription.setup !== undefined) {
    const { amount, at, cause } = subscription.setup;
    const from = dayOf(at, zone);
    line(
      'setup',
      `Set-up: ${hostname}`,
      amount,
      { from, until: dayAfter(from) },
      [cause],
      undefined,
    );
  }
  return lines;
}

interface ChargedAddress {
  readonly address: AddressService;
  readonly span: Span;
  /** What ended the charge. */
  readonly end: Cause | undefined;
}

/**
 * The plan's included addresses are free: on each day the senior ones in service. A junior is charged
 * from its start until it ends, or until so many seniors have left that it is an included one itself.
 */
function chargedAddresses(subscription: Subscription, service: Span): ChargedAddress[] {
  const { zone, ended, terms } = subscription;
  const all = subscription.addresses.map((address): ChargedAddress => {
    const own = spanOf(address.addedAt, address.removed?.at, zone);
    const cut =
      service.until !== undefined && (own.until === undefined || service.until < own.until);
    return {
      address,
      span: cut ? { from: own.from, until: service.until } : own,
      end: cut ? ended?.cause : address.removed?.cause,
    };
  });
  return all.flatMap((own, index) => {
    // Seniors started no later, so their number in service only falls: it sinks below the included
    // number on the day on which the included-th longest of them ends.
    const freeing = all.slice(0, index).sort(longestFirst)[terms.includedAddresses - 1];
    if (freeing === undefined) return [];
    const { until } = freeing.span;
    if (until !== undefined && until <= own.span.from) return [];
    const freed = until !== undefined && (own.span.until === undefined || until < own.span.until);
    return freed ? [{ ...own, span: { from: own.span.from, until }, end: freeing.end }] : [own];
  });
}

function withinMonth(
  span: Span,
  { first, next }: Month,
): { readonly from: string; readonly until: string; readonly ends: boolean } | undefined {
  const from = span.from > first ? span.from : first;
  const until = span.until !== undefined && span.until < next ? span.until : next;
  return from < until
    ? { from, until, ends: span.until !== undefined && span.until < next }
    : undefined;
}

function longestFirst(a: ChargedAddress, b: ChargedAddress): number {
  if (a.span.until === b.span.until) return 0;
  if (a.span.until === undefined) return -1;
  if (b.span.until === undefined) return 1;
  return a.span.until < b.span.until ? 1 : -1;
}

/** By start, then by id: the same lines in the same order whoever's events came first. */
function byStart(a: Subscription, b: Subscription): number {
  if (a.startedAt !== b.startedAt) return a.startedAt < b.startedAt ? -1 : 1;
  return a.subscriptionId < b.subscriptionId ? -1 : a.subscriptionId > b.subscriptionId ? 1 : 0;
}
