/**
 * What was undone is not charged, neither from now on nor for what it was charged before: open months
 * leave it out, and what closed months had for it comes back as credit.
 */
import {
  AddressesRemoved,
  type Cause,
  CreditGranted,
  SubscriptionVoided,
} from '@bivouac/events/billing';
import { accept, type Decided, type DecideContext, type Decision } from '@bivouac/events/language';
import { deriveId, minorUnits, money, type Money } from '@bivouac/events/values';

import { type AccountState, countsFrom } from './account.ts';
import { unknownSubscription } from './charges.ts';
import type { Charges, Subscription } from './charged.ts';
import { clearedBy } from './dunning.ts';
import { entryOf, leg } from './ledger.ts';
import { rate } from './rating.ts';

type Context = Pick<DecideContext, 'homeId'>;

interface Input {
  readonly accountId: string;
  readonly containerId: string;
  readonly cause: Cause;
}

/** Every life of the container on this account; once. Refused: SUBSCRIPTION_UNKNOWN. */
export function voidSubscriptions(state: AccountState, input: Input, context: Context): Decision {
  const { accountId, containerId, cause } = input;
  const own = [...state.subscriptions.values()].filter((one) => one.containerId === containerId);
  if (own.length === 0) return unknownSubscription(containerId);
  const standing = own.filter(({ voided }) => voided === undefined);
  if (standing.length === 0) return accept();
  const without = replaced(
    state,
    standing.map((subscription) => ({ ...subscription, voided: cause })),
  );
  return accept<Decided>(
    ...standing.map(({ subscriptionId }) =>
      SubscriptionVoided({ accountId, subscriptionId, containerId, cause }),
    ),
    ...credited(state, without, input, context),
  );
}

/** Addresses whose attaching was undone. Of those not charged (any more): nothing happens. */
export function undoAddresses(
  state: AccountState,
  input: Input & { readonly leaseIds: readonly string[] },
  context: Context,
): Decision {
  const { accountId, containerId, cause } = input;
  const subscription = state.subscriptions.get(state.latest.get(containerId) ?? '');
  if (subscription === undefined || subscription.ended !== undefined) return accept();
  const undone = subscription.addresses.filter(
    ({ removed, leaseId }) => removed === undefined && input.leaseIds.includes(leaseId),
  );
  if (undone.length === 0) return accept();
  const addresses = subscription.addresses.filter((address) => !undone.includes(address));
  const { subscriptionId, zone } = subscription;
  return accept<Decided>(
    AddressesRemoved({
      accountId,
      subscriptionId,
      containerId,
      leaseIds: undone.map(({ leaseId }) => leaseId),
      removedAt: countsFrom(state, cause.time, zone),
      undone: true,
      cause,
    }),
    ...credited(state, replaced(state, [{ ...subscription, addresses }]), input, context),
  );
}

/** What closed months charged too much, as it is known now: one grant for each currency. */
function credited(
  state: AccountState,
  without: Charges,
  { accountId, cause }: Input,
  context: Context,
): Decided[] {
  return tooMuch(state, without).flatMap((amount) => {
    const entry = entryOf(state.ledger, { kind: 'funds', amount }, [
      leg('revenue.credits', minorUnits(amount), amount.currency),
    ]);
    const creditId = deriveId('item', cause.eventId, accountId, amount.currency);
    const reason = 'what it was charged for was undone';
    return [
      CreditGranted({ accountId, creditId, amount, reason, ...entry }),
      ...clearedBy(state, accountId, context.homeId, entry.settled),
    ];
  });
}

function tooMuch(state: AccountState, without: Charges): Money[] {
  const sums = new Map<string, bigint>();
  for (const [month, { owed }] of state.closed) {
    // An invoice that was voided is owed no more.
    if (owed === null || state.ledger.invoices.get(owed.invoiceId)?.voided !== undefined) continue;
    const [was, is] = [rate(state, month), rate(without, month)];
    if (was.kind !== 'owed') continue;
    const { currency } = was.total;
    const less = minorUnits(was.total) - (is.kind === 'owed' ? minorUnits(is.total) : 0n);
    sums.set(currency, (sums.get(currency) ?? 0n) + less);
  }
  return [...sums].flatMap(([currency, sum]) => (sum > 0n ? [money(sum, currency)] : []));
}

function replaced(charges: Charges, changed: readonly Subscription[]): Charges {
  const subscriptions = new Map(charges.subscriptions);
  for (const subscription of changed) subscriptions.set(subscription.subscriptionId, subscription);
  return { ...charges, subscriptions };
}
