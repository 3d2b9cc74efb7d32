/**
 * New prices for existing subscriptions: a catalog version that says so counts from the first period
 * that begins once it is in force. Worked out when the period is closed (or previewed), from the
 * catalog as it is: no version can be dated back, so whoever closes first and later finds the same.
 */
import type { Cause } from '@bivouac/events/billing';
import type { PlanTerms } from '@bivouac/events/operations';

import { periodOf } from './calendar.ts';
import type { Charges, Stretch, Subscription } from './charged.ts';

/** A version of a plan, as subscriptions would be given it. */
export interface CatalogVersion {
  readonly planId: string;
  readonly terms: PlanTerms;
  readonly effectiveFrom: string;
  readonly forExisting: boolean;
  /** The event that put it into the catalog. */
  readonly cause: Cause;
}

export interface Renewal {
  readonly subscription: Subscription;
  readonly stretch: Stretch;
}

/** The plans whose versions {@link renewalsOf} wants to see. */
export function plansOf(charges: Charges): string[] {
  const plans = [...charges.subscriptions.values()].flatMap((subscription) =>
    subscription.stretches.map((stretch) => stretch.terms.planId),
  );
  return [...new Set(plans)].sort();
}

/** The subscriptions that get other terms with this month's start. */
export function renewalsOf(
  charges: Charges,
  month: string,
  versions: readonly CatalogVersion[],
): Renewal[] {
  return [...charges.subscriptions.values()].flatMap((subscription): Renewal[] => {
    const { startsAt } = periodOf(month, subscription.zone);
    const { ended, voided } = subscription;
    if (voided !== undefined || (ended !== undefined && ended.at <= startsAt)) return [];
    const current = subscription.stretches.filter((s) => s.from <= startsAt).at(-1)?.terms;
    // A reseller's own prices do not follow the catalog.
    if (current === undefined || current.pricedBy !== undefined) return [];
    const ofPlan = versions.filter((version) => version.planId === current.planId);
    const newest = ofPlan
      .filter((version) => version.forExisting && version.effectiveFrom <= startsAt)
      .sort(byForce)
      .at(-1);
    const own = ofPlan.find((v) => v.terms.source.revision === current.source.revision);
    if (newest === undefined || own === undefined || byForce(newest, own) <= 0) return [];
    // Its price changes; what its container may use does not.
    const terms = { ...newest.terms, limits: current.limits };
    return [{ subscription, stretch: { terms, from: startsAt, cause: newest.cause } }];
  });
}

/** The charges as they are with the renewals. */
export function renewed(charges: Charges, renewals: readonly Renewal[]): Charges {
  if (renewals.length === 0) return charges;
  const subscriptions = new Map(charges.subscriptions);
  for (const { subscription, stretch } of renewals) {
    const before = subscription.stretches.filter((s) => s.from <= stretch.from);
    const after = subscription.stretches.filter((s) => s.from > stretch.from);
    const stretches = [...before, stretch, ...after];
    subscriptions.set(subscription.subscriptionId, { ...subscription, stretches });
  }
  return { ...charges, subscriptions };
}

/** The later in force is the newer; of one date, the later recorded. */
function byForce(a: CatalogVersion, b: CatalogVersion): number {
  if (a.effectiveFrom !== b.effectiveFrom) return a.effectiveFrom < b.effectiveFrom ? -1 : 1;
  return Number(BigInt(a.terms.source.revision) - BigInt(b.terms.source.revision));
}
