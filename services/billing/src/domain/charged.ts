/** What an account is charged for, as rating reads it. */
import type { Cause } from '@bivouac/events/billing';
import type { PlanTerms } from '@bivouac/events/operations';
import { deriveId, type Money } from '@bivouac/events/values';

/** When something stopped being charged, and why. */
interface End {
  readonly at: string;
  readonly cause: Cause;
}

/** An address in service. The order in a subscription is its seniority. */
export interface AddressService {
  readonly leaseId: string;
  readonly address: string;
  readonly addedAt: string;
  readonly cause: Cause;
  removed?: End;
  /** What attached it was undone: it is charged for no day. */
  undone?: true;
}

/** Terms in force from an instant until the next stretch begins. */
export interface Stretch {
  readonly terms: PlanTerms;
  readonly from: string;
  readonly cause: Cause;
}

export interface Subscription {
  readonly subscriptionId: string;
  readonly containerId: string;
  readonly hostname: string;
  readonly zone: string;
  readonly startedAt: string;
  readonly cause: Cause;
  /** By when they begin; at least one. */
  readonly stretches: Stretch[];
  readonly addresses: AddressService[];
  setup?: { readonly amount: Money; readonly at: string; readonly cause: Cause };
  ended?: End;
  /** The order it came from was undone: nothing of it is charged. */
  voided?: Cause;
}

/** Something charged by the month besides a plan. */
export interface AddOn {
  readonly addOnId: string;
  readonly name: string;
  /** Of one. */
  readonly monthly: Money;
  readonly quantity: number;
  readonly zone: string;
  readonly subscriptionId: string | null;
  readonly containerId: string | null;
  readonly attachedAt: string;
  readonly cause: Cause;
  ended?: End;
}

/** Something charged once. */
export interface Fee {
  readonly feeId: string;
  readonly name: string;
  readonly amount: Money;
  readonly zone: string;
  readonly chargedAt: string;
  readonly cause: Cause;
}

/** Everything an account is charged for. */
export interface Charges {
  readonly subscriptions: ReadonlyMap<string, Subscription>;
  readonly addOns: ReadonlyMap<string, AddOn>;
  readonly fees: ReadonlyMap<string, Fee>;
}

/** Which subscription of a container: of whom it is charged, and by which restoration. */
export interface SubscriptionKey {
  /** Set where not the container's own tenant is charged but the one that invoices it. */
  readonly of?: string | undefined;
  /** The event that restored it; absent for its first subscription. */
  readonly restoredBy?: string | undefined;
}

/** A container has one subscription for each life and each account it is charged to. */
export function subscriptionIdOf(containerId: string, key: SubscriptionKey = {}): string {
  return deriveId(
    'subscription',
    containerId,
    ...(key.of === undefined ? [] : ['of', key.of]),
    ...(key.restoredBy === undefined ? [] : ['restored', key.restoredBy]),
  );
}
