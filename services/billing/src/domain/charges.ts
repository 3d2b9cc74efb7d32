/**
 * What starts, changes and ends charging on an account. Each decision is idempotent by its subject: a
 * container, an address with the event that brought it.
 */
import {
  AccountOpened,
  AddressesAdded,
  AddressesRemoved,
  SetupCharged,
  SubscriptionEnded,
  SubscriptionStarted,
  type Cause,
} from '@bivouac/events/billing';
import { accept, refuse, type Decided, type Decision } from '@bivouac/events/language';
import type { PlanTerms } from '@bivouac/events/operations';
import { minorUnits } from '@bivouac/events/values';

import { countsFrom, subscriptionIdOf, type AccountState } from './account.ts';

interface Address {
  readonly leaseId: string;
  readonly address: string;
}

export function openAccount(
  state: AccountState,
  input: { readonly accountId: string; readonly issuerId: string; readonly issuerHomeId: string },
): Decision {
  if (state.issuer !== undefined) return accept();
  const { accountId, issuerId, issuerHomeId } = input;
  return accept(AccountOpened({ accountId, issuerId, issuerHomeId }));
}

export function startSubscription(
  state: AccountState,
  input: {
    readonly accountId: string;
    readonly containerId: string;
    readonly hostname: string;
    readonly terms: PlanTerms;
    readonly zone: string;
    readonly addresses: readonly Address[];
    readonly cause: Cause;
  },
): Decision {
  const { accountId, containerId, hostname, terms, zone, cause } = input;
  if (state.subscriptions.has(containerId)) return accept();
  const subscriptionId = subscriptionIdOf(containerId);
  const startedAt = countsFrom(state, cause.time, zone);
  const started = SubscriptionStarted({
    accountId,
    subscriptionId,
    containerId,
    hostname,
    terms,
    zone,
    addresses: [...input.addresses],
    startedAt,
    cause,
  });
  if (minorUnits(terms.setup) === 0n) return accept(started);
  return accept<Decided>(
    started,
    SetupCharged({
      accountId,
      subscriptionId,
      containerId,
      amount: terms.setup,
      chargedAt: startedAt,
      cause,
    }),
  );
}

export function addAddresses(
  state: AccountState,
  input: {
    readonly accountId: string;
    readonly containerId: string;
    readonly addresses: readonly Address[];
    readonly cause: Cause;
  },
): Decision {
  const { accountId, containerId, cause } = input;
  const subscription = state.subscriptions.get(containerId);
  if (subscription === undefined) return unknownSubscription(containerId);
  const added = input.addresses.filter(
    ({ leaseId }) =>
      !subscription.addresses.some(
        (a) =>
          a.leaseId === leaseId && (a.removed === undefined || a.cause.eventId === cause.eventId),
      ),
  );
  if (added.length === 0) return accept();
  if (subscription.ended !== undefined) {
    return refuse(
      'SUBSCRIPTION_ENDED',
      `Charging of ${containerId} has ended; addresses cannot join it any more.`,
    );
  }
  return accept(
    AddressesAdded({
      accountId,
      subscriptionId: subscription.subscriptionId,
      containerId,
      addresses: added,
      addedAt: countsFrom(state, cause.time, subscription.zone),
      cause,
    }),
  );
}

export function removeAddresses(
  state: AccountState,
  input: {
    readonly accountId: string;
    readonly containerId: string;
    readonly leaseIds: readonly string[];
    readonly cause: Cause;
  },
): Decision {
  const { accountId, containerId, cause } = input;
  const subscription = state.subscriptions.get(containerId);
  // Undoing an attachment that never came about detaches what was never charged.
  if (subscription === undefined || subscription.ended !== undefined) return accept();
  const leaseIds = subscription.addresses
    .filter((a) => a.removed === undefined && input.leaseIds.includes(a.leaseId))
    .map((a) => a.leaseId);
  if (leaseIds.length === 0) return accept();
  return accept(
    AddressesRemoved({
      accountId,
      subscriptionId: subscription.subscriptionId,
      containerId,
      leaseIds,
      removedAt: countsFrom(state, cause.time, subscription.zone),
      cause,
    }),
  );
}

export function endSubscription(
  state: AccountState,
  input: { readonly accountId: string; readonly containerId: string; readonly cause: Cause },
): Decision {
  const { accountId, containerId, cause } = input;
  const subscription = state.subscriptions.get(containerId);
  if (subscription === undefined) return unknownSubscription(containerId);
  if (subscription.ended !== undefined) return accept();
  return accept(
    SubscriptionEnded({
      accountId,
      subscriptionId: subscription.subscriptionId,
      containerId,
      endedAt: countsFrom(state, cause.time, subscription.zone),
      cause,
    }),
  );
}

function unknownSubscription(containerId: string): ReturnType<typeof refuse> {
  return refuse(
    'SUBSCRIPTION_UNKNOWN',
    `The account has no subscription for ${containerId}; its start must be taken up first.`,
  );
}
