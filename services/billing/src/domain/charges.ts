/**
 * What starts, changes and ends charging on an account. Each decision is idempotent by its subject: a
 * container, an address with the event that brought it.
 */
import {
  AccountOpened,
  AddressesAdded,
  AddressesRemoved,
  PeriodEndAwaited,
  PeriodEndReached,
  PlanChanged,
  SetupCharged,
  SubscriptionEnded,
  SubscriptionStarted,
  type Cause,
} from '@bivouac/events/billing';
import {
  accept,
  refuse,
  type Decided,
  type DecideContext,
  type Decision,
} from '@bivouac/events/language';
import type { AskRef, PlanTerms } from '@bivouac/events/operations';
import { minorUnits } from '@bivouac/events/values';

import { countsFrom, running, waitOf, type AccountState } from './account.ts';
import { monthOf, periodOf } from './calendar.ts';
import { type Subscription, subscriptionIdOf, type SubscriptionKey } from './charged.ts';

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
    readonly key?: SubscriptionKey | undefined;
  },
): Decision {
  const { accountId, containerId, hostname, terms, zone, cause, key } = input;
  const subscriptionId = subscriptionIdOf(containerId, key);
  if (state.subscriptions.has(subscriptionId) || running(state, containerId) !== undefined) {
    return accept();
  }
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
  // What is restored was set up before.
  if (minorUnits(terms.setup) === 0n || key?.restoredBy !== undefined) return accept(started);
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
  const subscription = latest(state, containerId);
  if (subscription === undefined) return unknownSubscription(containerId);
  if (isOfBefore(subscription, cause)) return accept();
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
  const subscription = running(state, containerId);
  // Undoing an attachment that never came about detaches what was never charged.
  if (subscription === undefined || isOfBefore(subscription, cause)) return accept();
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
  const subscription = latest(state, containerId);
  if (subscription === undefined) return unknownSubscription(containerId);
  if (subscription.ended !== undefined || isOfBefore(subscription, cause)) return accept();
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

/** The same event again changes nothing; terms that are in force already neither. */
export function changePlan(
  state: AccountState,
  input: {
    readonly accountId: string;
    readonly containerId: string;
    readonly terms: PlanTerms;
    readonly cause: Cause;
  },
): Decision {
  const { accountId, containerId, terms, cause } = input;
  const subscription = latest(state, containerId);
  if (subscription === undefined) return unknownSubscription(containerId);
  // What ended meanwhile is charged no more, at whatever terms.
  if (subscription.ended !== undefined || isOfBefore(subscription, cause)) return accept();
  const { subscriptionId, stretches, zone } = subscription;
  if (stretches.some((stretch) => stretch.cause.eventId === cause.eventId)) return accept();
  const changedAt = countsFrom(state, cause.time, zone);
  return accept(PlanChanged({ accountId, subscriptionId, containerId, terms, changedAt, cause }));
}

/** Remembers an ask that waits for the period's end; refuses one that would be over before. */
export function awaitPeriodEnd(
  state: AccountState,
  input: {
    readonly accountId: string;
    readonly containerId: string;
    readonly ref: AskRef;
    readonly askedAt: string;
    readonly notAfter: string;
  },
  context: Pick<DecideContext, 'homeId'>,
): Decision {
  const { accountId, containerId, ref, askedAt, notAfter } = input;
  if (state.waits.has(waitOf(ref))) return accept();
  const subscription = running(state, containerId);
  if (subscription === undefined) {
    return refuse(
      'SUBSCRIPTION_UNKNOWN',
      `Container ${containerId} is not charged, so no period of it ends; do it now instead.`,
    );
  }
  const { zone } = subscription;
  const { endsAt } = periodOf(monthOf(askedAt, zone), zone);
  if (endsAt > notAfter) {
    return refuse(
      'PERIOD_ENDS_LATER',
      `The period ends at ${endsAt}, and who asks waits until ${notAfter} only; order it nearer the end.`,
      { details: { endsAt, notAfter } },
    );
  }
  const { homeId } = context;
  return accept(PeriodEndAwaited({ accountId, containerId, ref, homeId, zone, endsAt, notAfter }));
}

/** The timer's word; before the end, or again: nothing. */
export function endPeriodWait(
  state: AccountState,
  input: { readonly accountId: string; readonly ref: AskRef; readonly notAfter: string },
  context: Pick<DecideContext, 'now'>,
): Decision {
  const { accountId, ref, notAfter } = input;
  const wait = state.waits.get(waitOf(ref));
  if (wait === undefined || wait.reached || context.now < wait.endsAt) return accept();
  return accept(PeriodEndReached({ accountId, ref, endedAt: wait.endsAt, notAfter }));
}

/** A fact of the container's life before this subscription: it comes again, and was taken up then. */
function isOfBefore(subscription: Subscription, cause: Cause): boolean {
  const { stream, revision } = subscription.cause;
  return cause.stream === stream && BigInt(cause.revision) < BigInt(revision);
}

function latest(state: AccountState, containerId: string) {
  return state.subscriptions.get(state.latest.get(containerId) ?? '');
}

export function unknownSubscription(containerId: string): ReturnType<typeof refuse> {
  return refuse(
    'SUBSCRIPTION_UNKNOWN',
    `The account has no subscription for ${containerId}; its start must be taken up first.`,
  );
}
