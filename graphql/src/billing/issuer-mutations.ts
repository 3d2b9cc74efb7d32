/** What an issuer of invoices sets for itself: its price list and its payment term. */
import { SetPaymentTerm, SetPrice, WithdrawPrice } from '@bivouac/billing/api';

import { accountById } from '../accounts/account.ts';
import { notFound, type UserErrorValue, validationFailed } from '../errors/user-error.ts';
import { builder } from '../language/builder.ts';
import { given } from '../language/given.ts';
import { MoneyInput } from '../language/money.ts';
import { mutation, PayloadRef } from '../language/mutation.ts';
import { idProblem } from '../language/node.ts';
import type { Services } from '../request/services.ts';
import { type BilledPayload, BilledPayloadRef } from './charging-mutations.ts';

const interfaces = [PayloadRef, BilledPayloadRef];

/** An issuer with its home, or the error that says why it cannot be named. */
async function issuerOf(
  services: Services,
  id: string,
): Promise<{ readonly issuerId: string; readonly issuerHomeId: string } | UserErrorValue> {
  const path = ['input', 'issuerId'];
  const problem = idProblem('tenant', id);
  if (problem !== undefined) return validationFailed(path, `The issuerId: ${problem}.`);
  const account = await accountById(services, id);
  if (account === null) return notFound(path, 'account');
  return { issuerId: account.id, issuerHomeId: account.homeId };
}

const PriceSet = builder.objectRef<BilledPayload>('PriceSet').implement({
  description: 'New orders of those it invoices are quoted the price from its date on.',
  interfaces,
});

mutation('setPrice', {
  description: 'For a reseller: its own price for a plan of the catalog. What runs keeps its own.',
  input: builder.inputType('SetPriceInput', {
    description: 'The price of a plan, in the plan’s currency.',
    fields: (t) => ({
      issuerId: t.id({ description: 'The reseller.' }),
      planCode: t.string({ description: 'The plan.' }),
      monthly: t.field({ type: MoneyInput, description: 'The price of a month.' }),
      setup: t.field({ type: MoneyInput, description: 'Once, when the container first runs.' }),
      extraAddressMonthly: t.field({
        type: MoneyInput,
        description: 'The price of a month for each further address.',
      }),
      effectiveFrom: t.field({
        type: 'DateTime',
        required: false,
        description: 'From when on; now unless told.',
      }),
    }),
  }),
  type: PriceSet,
  act: async ({ issuerId, effectiveFrom, ...prices }, key, { services }) => {
    const issuer = await issuerOf(services, issuerId);
    if ('__typename' in issuer) return issuer;
    return services.command(SetPrice, { ...issuer, ...prices, ...given({ effectiveFrom }) }, key);
  },
  payload: ({ issuerId }) => ({ accountId: issuerId }),
});

const PriceWithdrawn = builder.objectRef<BilledPayload>('PriceWithdrawn').implement({
  description: 'The plan costs those it invoices what it costs the reseller.',
  interfaces,
});

mutation('withdrawPrice', {
  description: 'For a reseller: takes its own price for a plan from its list, also those ahead.',
  input: builder.inputType('WithdrawPriceInput', {
    description: 'Which price.',
    fields: (t) => ({
      issuerId: t.id({ description: 'The reseller.' }),
      planCode: t.string({ description: 'The plan.' }),
    }),
  }),
  type: PriceWithdrawn,
  act: async ({ issuerId, planCode }, key, { services }) => {
    const issuer = await issuerOf(services, issuerId);
    if ('__typename' in issuer) return issuer;
    return services.command(WithdrawPrice, { ...issuer, planCode }, key);
  },
  payload: ({ issuerId }) => ({ accountId: issuerId }),
});

const PaymentTermSet = builder.objectRef<BilledPayload>('PaymentTermSet').implement({
  description: 'Invoices it issues from now on are due after so many days.',
  interfaces,
});

mutation('setPaymentTerm', {
  description: 'For an issuer: the days its next invoices are to be paid in; 14 unless set.',
  input: builder.inputType('SetPaymentTermInput', {
    description: 'The term.',
    fields: (t) => ({
      issuerId: t.id({ description: 'The provider or a reseller.' }),
      days: t.int({ description: 'From 0 to 365.' }),
    }),
  }),
  type: PaymentTermSet,
  act: async ({ issuerId, days }, key, { services }) => {
    const issuer = await issuerOf(services, issuerId);
    if ('__typename' in issuer) return issuer;
    return services.command(SetPaymentTerm, { ...issuer, days }, key);
  },
  payload: ({ issuerId }) => ({ accountId: issuerId }),
});
