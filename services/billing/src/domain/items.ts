/** What the issuer charges besides containers: add-ons by the month, fees once. */
import { AddOnAttached, AddOnCancelled, FeeCharged } from '@bivouac/events/billing';
import { accept, refuse, type DecideContext, type Decision } from '@bivouac/events/language';
import { deriveId, laterOf, minorUnits, money, type Money } from '@bivouac/events/values';

import { type AccountState, countsFrom, currencyOf } from './account.ts';
import { isZone, monthOf, periodOf } from './calendar.ts';
import { notIssuer } from './dunning.ts';

export function attachAddOn(
  state: AccountState,
  input: {
    readonly accountId: string;
    readonly byIssuer: boolean;
    readonly name: string;
    readonly monthly: Money;
    readonly quantity: number;
    readonly zone: string;
    readonly subscriptionId?: string | undefined;
  },
  context: Pick<DecideContext, 'now' | 'commandKey'>,
): Decision {
  const { accountId, name, quantity, subscriptionId } = input;
  if (!input.byIssuer) return notIssuer();
  const wrong = wrongMoney(state, input.monthly, 'monthly') ?? wrongZone(input.zone);
  if (wrong !== undefined) return wrong;
  const subscription = state.subscriptions.get(subscriptionId ?? '');
  if (subscriptionId !== undefined && subscription === undefined) {
    return refuse(
      'SUBSCRIPTION_UNKNOWN',
      `The account has no subscription ${subscriptionId}; read its subscriptions.`,
      { path: ['input', 'subscriptionId'] },
    );
  }
  if (subscription?.ended !== undefined) {
    return refuse(
      'SUBSCRIPTION_ENDED',
      `Subscription ${subscription.subscriptionId} has ended; nothing can be added to it any more.`,
      { path: ['input', 'subscriptionId'] },
    );
  }
  const zone = subscription?.zone ?? input.zone;
  return accept(
    AddOnAttached({
      accountId,
      addOnId: deriveId('item', context.commandKey),
      ...{ name, quantity, zone },
      monthly: exact(input.monthly),
      subscriptionId: subscription?.subscriptionId ?? null,
      containerId: subscription?.containerId ?? null,
      attachedAt: countsFrom(state, context.now, zone),
    }),
  );
}

/** At once: the day is not charged, unless it began that day. At the period's end: the month is. */
export function cancelAddOn(
  state: AccountState,
  input: {
    readonly accountId: string;
    readonly addOnId: string;
    readonly at: 'now' | 'period-end';
    readonly reason?: string | undefined;
  },
  context: Pick<DecideContext, 'now'>,
): Decision {
  const { accountId, addOnId, at, reason } = input;
  const addOn = state.addOns.get(addOnId);
  if (addOn === undefined) {
    return refuse('ADD_ON_UNKNOWN', `This account has no add-on ${addOnId}; read its add-ons.`, {
      path: ['input', 'addOnId'],
    });
  }
  const counts = laterOf(countsFrom(state, context.now, addOn.zone), addOn.attachedAt);
  const endsAt = at === 'now' ? counts : periodOf(monthOf(counts, addOn.zone), addOn.zone).endsAt;
  // What ends sooner, or has ended, stays as it is.
  if (addOn.ended !== undefined && addOn.ended.at <= endsAt) return accept();
  return accept(
    AddOnCancelled({ accountId, addOnId, endsAt, ...(reason === undefined ? {} : { reason }) }),
  );
}

export function chargeFee(
  state: AccountState,
  input: {
    readonly accountId: string;
    readonly byIssuer: boolean;
    readonly name: string;
    readonly amount: Money;
    readonly reason: string;
    readonly zone: string;
  },
  context: Pick<DecideContext, 'now' | 'commandKey'>,
): Decision {
  const { accountId, name, reason, zone } = input;
  if (!input.byIssuer) return notIssuer();
  const wrong = wrongMoney(state, input.amount, 'amount') ?? wrongZone(zone);
  if (wrong !== undefined) return wrong;
  return accept(
    FeeCharged({
      accountId,
      feeId: deriveId('item', context.commandKey),
      ...{ name, reason, zone },
      amount: exact(input.amount),
      chargedAt: countsFrom(state, context.now, zone),
    }),
  );
}

/** One invoice has one currency: that of what runs on the account. */
function wrongMoney(
  state: AccountState,
  price: Money,
  field: string,
): ReturnType<typeof refuse> | undefined {
  if (minorUnits(price) === 0n) {
    return refuse('AMOUNT_NOT_POSITIVE', 'The price is zero; give one that is charged.', {
      path: ['input', field],
    });
  }
  const currency = currencyOf(state);
  if (currency === undefined || currency === price.currency) return undefined;
  return refuse(
    'CURRENCIES_DIFFER',
    `The account is invoiced in ${currency}; give the price in ${currency}, too.`,
    { path: ['input', field, 'currency'] },
  );
}

function wrongZone(zone: string): ReturnType<typeof refuse> | undefined {
  if (isZone(zone)) return undefined;
  return refuse('ZONE_UNKNOWN', `There is no time zone ${zone}; use an IANA name.`, {
    path: ['input', 'zone'],
  });
}

function exact(price: Money): Money {
  return money(minorUnits(price), price.currency);
}
