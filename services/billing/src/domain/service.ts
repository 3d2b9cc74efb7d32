/**
 * Days in service: which calendar days of its zone each charged thing is charged for, and at which
 * terms. A day is charged once, at the terms in force when it ends.
 */
import type { Cause } from '@bivouac/events/billing';
import type { PlanTerms } from '@bivouac/events/operations';

import { dayAfter, dayOf } from './calendar.ts';
import type { AddOn, AddressService, Subscription } from './charged.ts';

/** Half-open days; `until` is absent while the service goes on. */
export interface Span {
  readonly from: string;
  readonly until: string | undefined;
}

/** The one day an instant falls on. */
export function oneDay(at: string, zone: string): Span {
  const from = dayOf(at, zone);
  return { from, until: dayAfter(from) };
}

/**
 * The days of each subscription. A container that is deleted and restored on one day is charged for
 * that day by one of its subscriptions, the elder.
 *
 * @param ordered by start.
 */
export function spansOf(ordered: readonly Subscription[]): Map<string, Span> {
  const spans = new Map<string, Span>();
  const covered = new Map<string, string>();
  for (const { subscriptionId, containerId, startedAt, ended, zone } of ordered) {
    const own = spanBetween(startedAt, ended?.at, zone);
    const until = covered.get(containerId);
    const span = until !== undefined && until > own.from ? { ...own, from: until } : own;
    spans.set(subscriptionId, span);
    if (span.until !== undefined && (until === undefined || span.until > until)) {
      covered.set(containerId, span.until);
    }
  }
  return spans;
}

/** Days at the same terms. */
export interface Segment {
  readonly terms: PlanTerms;
  readonly span: Span;
  /** What brought the terms into force, and what ended them. */
  readonly causes: readonly Cause[];
  readonly end: Cause | undefined;
}

/**
 * A subscription's days by terms. Terms that were not in force when any day ended have none; terms
 * that came back within a day were never away.
 */
export function segmentsOf(subscription: Subscription, service: Span): Segment[] {
  const { zone, stretches, ended } = subscription;
  const kept: { terms: PlanTerms; from: string; causes: readonly Cause[] }[] = [];
  for (const { terms, from: at, cause } of stretches) {
    const day = dayOf(at, zone);
    const from = day > service.from ? day : service.from;
    while ((kept.at(-1)?.from ?? '') >= from) kept.pop();
    if (sameTerms(kept.at(-1)?.terms, terms)) continue;
    // Changed on its first day: it runs because it was started, and at these terms by the change.
    const changed = kept.length === 0 && cause.eventId !== subscription.cause.eventId;
    kept.push({ terms, from, causes: changed ? [subscription.cause, cause] : [cause] });
  }
  return kept.flatMap(({ terms, from, causes }, index): Segment[] => {
    const next = kept[index + 1];
    const cut =
      next === undefined || (service.until !== undefined && service.until <= next.from)
        ? { until: service.until, end: ended?.cause }
        : { until: next.from, end: next.causes.at(-1) };
    if (cut.until !== undefined && cut.until <= from) return [];
    return [{ terms, causes, span: { from, until: cut.until }, end: cut.end }];
  });
}

/** The same prices of the same plan: nothing changes between them. */
function sameTerms(a: PlanTerms | undefined, b: PlanTerms): boolean {
  return (
    a !== undefined &&
    a.source.stream === b.source.stream &&
    a.source.revision === b.source.revision &&
    a.pricedBy?.stream === b.pricedBy?.stream &&
    a.pricedBy?.revision === b.pricedBy?.revision
  );
}

export interface ChargedAddress {
  readonly address: AddressService;
  readonly terms: PlanTerms;
  readonly span: Span;
  /** What ended the charge. */
  readonly end: Cause | undefined;
}

/**
 * The plan's included addresses are free: on each day the senior ones in service. A junior is charged
 * from its start until it ends, until so many seniors have left that it is an included one itself, or
 * until other terms count.
 */
export function chargedAddresses(
  subscription: Subscription,
  service: Span,
  segments: readonly Segment[],
): ChargedAddress[] {
  const { zone, ended } = subscription;
  const all = subscription.addresses
    .filter(({ undone }) => undone !== true)
    .map((address) => {
      const own = spanBetween(address.addedAt, address.removed?.at, zone);
      return { address, ...within(own, service, address.removed?.cause, ended?.cause) };
    });
  return all.flatMap((own, index) => {
    const longest = all.slice(0, index).sort(longestFirst);
    return segments.flatMap(({ terms, span, end }): ChargedAddress[] => {
      // Seniors started no later, so their number in service only falls: it sinks below the included
      // number on the day on which the included-th longest of them ends.
      const freeing = longest[terms.includedAddresses - 1];
      if (freeing === undefined) return [];
      const alone = within(
        own.span,
        { ...own.span, until: freeing.span.until },
        own.end,
        freeing.end,
      );
      const charged = within(alone.span, span, alone.end, end);
      if (charged.span.until !== undefined && charged.span.until <= charged.span.from) return [];
      return [{ address: own.address, terms, ...charged }];
    });
  });
}

/** An add-on's days: until it was cancelled, or its subscription ended. */
export function addOnSpan(
  addOn: AddOn,
  subscription: Subscription | undefined,
  service: Span | undefined,
): { readonly span: Span; readonly end: Cause | undefined } {
  const own = spanBetween(addOn.attachedAt, addOn.ended?.at, addOn.zone);
  if (service === undefined) return { span: own, end: addOn.ended?.cause };
  return within(own, service, addOn.ended?.cause, subscription?.ended?.cause);
}

/** Days in service: the day it starts counts, the day it ends does not, unless they are the same. */
function spanBetween(startedAt: string, endedAt: string | undefined, zone: string): Span {
  const from = dayOf(startedAt, zone);
  if (endedAt === undefined) return { from, until: undefined };
  const end = dayOf(endedAt, zone);
  return { from, until: end > from ? end : dayAfter(from) };
}

/** The days common to both, and what ended them. */
function within(
  own: Span,
  outer: Span,
  ownEnd: Cause | undefined,
  outerEnd: Cause | undefined,
): { readonly span: Span; readonly end: Cause | undefined } {
  const from = outer.from > own.from ? outer.from : own.from;
  const cut = outer.until !== undefined && (own.until === undefined || outer.until < own.until);
  return cut
    ? { span: { from, until: outer.until }, end: outerEnd }
    : { span: { from, until: own.until }, end: ownEnd };
}

function longestFirst(a: { readonly span: Span }, b: { readonly span: Span }): number {
  if (a.span.until === b.span.until) return 0;
  if (a.span.until === undefined) return -1;
  if (b.span.until === undefined) return 1;
  return a.span.until < b.span.until ? 1 : -1;
}
