/** Changing what an account is charged besides containers: add-ons and fees. */
import { AttachAddOn, CancelAddOn, ChargeFee } from '@bivouac/billing/api';

import { accountById, AccountRef } from '../accounts/account.ts';
import { builder } from '../language/builder.ts';
import { enumeration } from '../language/enumeration.ts';
import { given } from '../language/given.ts';
import { MoneyInput } from '../language/money.ts';
import { mutation, type Payload, PayloadRef } from '../language/mutation.ts';

export interface BilledPayload extends Payload {
  readonly accountId: string;
}

/** What a mutation of an account's money answers. */
export const BilledPayloadRef = builder.interfaceRef<BilledPayload>('BilledPayload').implement({
  description: 'What a mutation of an account’s money answers.',
  interfaces: [PayloadRef],
  resolveType: (value) => value.__typename,
  fields: (t) => ({
    accountId: t.exposeID('accountId', { description: 'The account.' }),
    account: t.field({
      type: AccountRef,
      nullable: true,
      description: 'The account as it is after the change.',
      resolve: ({ accountId }, _args, { services }) => accountById(services, accountId),
    }),
  }),
});

interface ItemPayload extends BilledPayload {
  readonly itemId: string | null;
}

const AddOnAttached = builder.objectRef<ItemPayload>('AddOnAttached').implement({
  description: 'The add-on is charged from today on.',
  interfaces: [PayloadRef, BilledPayloadRef],
  fields: (t) => ({
    addOnId: t.exposeID('itemId', { nullable: true, description: 'The add-on, `itm_…`.' }),
  }),
});

mutation('attachAddOn', {
  description: 'For whoever invoices the account: charges something by the month.',
  input: builder.inputType('AttachAddOnInput', {
    description: 'What is charged from today on, until it is cancelled.',
    fields: (t) => ({
      accountId: t.id({ description: 'Who is charged.' }),
      name: t.string({ description: 'What it is called on the invoice.' }),
      monthly: t.field({ type: MoneyInput, description: 'Of one, for a month.' }),
      quantity: t.int({ required: false, description: 'How many; 1 unless told.' }),
      subscriptionId: t.id({
        required: false,
        description: 'The subscription it belongs to and ends with; else it is the account’s.',
      }),
      zone: t.string({
        required: false,
        description: 'IANA time zone whose days are charged; the subscription’s, or UTC.',
      }),
    }),
  }),
  type: AddOnAttached,
  act: ({ accountId, name, monthly, ...rest }, key, { services }) =>
    services.command(AttachAddOn, { accountId, name, monthly, ...given(rest) }, key),
  payload: ({ addOnId }, { accountId }) => ({ accountId, itemId: addOnId }),
});

const CancelAt = enumeration('CancelAt', 'When something ends.', {
  now: 'Today, which is not charged any more unless it began today.',
  'period-end': 'With the month, which is charged whole.',
});

const AddOnCancelled = builder.objectRef<ItemPayload>('AddOnCancelled').implement({
  description: 'The add-on ends, or ended sooner already.',
  interfaces: [PayloadRef, BilledPayloadRef],
  fields: (t) => ({
    addOnId: t.exposeID('itemId', { nullable: true, description: 'The add-on, `itm_…`.' }),
  }),
});

mutation('cancelAddOn', {
  description: 'Ends an add-on: for whoever pays it and whoever charges it.',
  input: builder.inputType('CancelAddOnInput', {
    description: 'Which one, and when it ends.',
    fields: (t) => ({
      accountId: t.id({ description: 'Whose it is.' }),
      addOnId: t.id({ description: 'The add-on, `itm_…`.' }),
      at: t.field({ type: CancelAt, description: 'When it ends.' }),
      reason: t.string({ required: false, description: 'Why.' }),
    }),
  }),
  type: AddOnCancelled,
  act: ({ accountId, addOnId, at, reason }, key, { services }) =>
    services.command(CancelAddOn, { accountId, addOnId, at, ...given({ reason }) }, key),
  payload: ({ addOnId }, { accountId }) => ({ accountId, itemId: addOnId }),
});

const FeeCharged = builder.objectRef<ItemPayload>('FeeCharged').implement({
  description: 'The fee is on this month’s invoice.',
  interfaces: [PayloadRef, BilledPayloadRef],
  fields: (t) => ({
    feeId: t.exposeID('itemId', { nullable: true, description: 'The fee, `itm_…`.' }),
  }),
});

mutation('chargeFee', {
  description: 'For whoever invoices the account: charges something once, with this month.',
  input: builder.inputType('ChargeFeeInput', {
    description: 'What is charged, and why.',
    fields: (t) => ({
      accountId: t.id({ description: 'Who is charged.' }),
      name: t.string({ description: 'What it is called on the invoice.' }),
      amount: t.field({ type: MoneyInput, description: 'What it comes to.' }),
      reason: t.string({ description: 'Why; the debtor reads it.' }),
      zone: t.string({
        required: false,
        description: 'IANA time zone whose month it falls into; UTC unless told.',
      }),
    }),
  }),
  type: FeeCharged,
  act: ({ accountId, name, amount, reason, zone }, key, { services }) =>
    services.command(ChargeFee, { accountId, name, amount, reason, ...given({ zone }) }, key),
  payload: ({ feeId }, { accountId }) => ({ accountId, itemId: feeId }),
});
