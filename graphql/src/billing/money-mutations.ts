/** Money in and out: payments, credit, void invoices, dunning. For whoever invoices the account. */
import {
  GrantCredit,
  PauseDunning,
  RecordPayment,
  ResumeDunning,
  ReversePayment,
  VoidInvoice,
} from '@bivouac/billing/api';

import { builder } from '../language/builder.ts';
import { given } from '../language/given.ts';
import { MoneyInput } from '../language/money.ts';
import { mutation, PayloadRef } from '../language/mutation.ts';
import { type BilledPayload, BilledPayloadRef } from './charging-mutations.ts';
import { invoiceById, InvoiceRef } from './invoice.ts';

interface PaymentPayload extends BilledPayload {
  readonly paymentId: string;
}

const interfaces = [PayloadRef, BilledPayloadRef];

const PaymentRecorded = builder.objectRef<PaymentPayload>('PaymentRecorded').implement({
  description: 'The payment is in the books.',
  interfaces,
  fields: (t) => ({ paymentId: t.exposeID('paymentId', { description: 'The payment, `pay_…`.' }) }),
});

mutation('recordPayment', {
  description:
    'For whoever invoices the account, and its billing integrations: money came in. The same ' +
    'reference with the same amount is the same payment, for ever, under any idempotencyKey.',
  input: builder.inputType('RecordPaymentInput', {
    description: 'Money that came in. It pays the oldest open invoices; the rest is credit.',
    fields: (t) => ({
      accountId: t.id({ description: 'Who paid.' }),
      reference: t.string({ description: 'What it is known by, e.g. a bank’s transaction id.' }),
      amount: t.field({ type: MoneyInput, description: 'How much.' }),
      receivedAt: t.field({
        type: 'DateTime',
        required: false,
        description: 'When the money came in, where that is known.',
      }),
    }),
  }),
  type: PaymentRecorded,
  act: ({ accountId, reference, amount, receivedAt }, key, { services }) =>
    services.command(
      RecordPayment,
      { accountId, reference, amount, ...given({ receivedAt }) },
      key,
    ),
  payload: ({ paymentId }, { accountId }) => ({ accountId, paymentId }),
});

const PaymentReversed = builder.objectRef<PaymentPayload>('PaymentReversed').implement({
  description: 'The payment is out of the books; what it had paid is open again.',
  interfaces,
  fields: (t) => ({ paymentId: t.exposeID('paymentId', { description: 'The payment, `pay_…`.' }) }),
});

mutation('reversePayment', {
  description: 'For whoever invoices the account: the money went back. Once per payment.',
  input: builder.inputType('ReversePaymentInput', {
    description: 'The payment, and why it went back.',
    fields: (t) => ({
      accountId: t.id({ description: 'Whose payment it was.' }),
      reference: t.string({ description: 'Its reference.' }),
      reason: t.string({ description: 'Why; the debtor reads it.' }),
    }),
  }),
  type: PaymentReversed,
  act: ({ accountId, reference, reason }, key, { services }) =>
    services.command(ReversePayment, { accountId, reference, reason }, key),
  payload: ({ paymentId }, { accountId }) => ({ accountId, paymentId }),
});

interface CreditPayload extends BilledPayload {
  readonly creditId: string | null;
}

const CreditGranted = builder.objectRef<CreditPayload>('CreditGranted').implement({
  description: 'The credit paid what is open, or pays what is to come.',
  interfaces,
  fields: (t) => ({
    creditId: t.exposeID('creditId', { nullable: true, description: 'The credit, `itm_…`.' }),
  }),
});

mutation('grantCredit', {
  description: 'For whoever invoices the account: gives it credit.',
  input: builder.inputType('GrantCreditInput', {
    description: 'How much, and why.',
    fields: (t) => ({
      accountId: t.id({ description: 'Who gets it.' }),
      amount: t.field({ type: MoneyInput, description: 'How much.' }),
      reason: t.string({ description: 'Why; the debtor reads it.' }),
    }),
  }),
  type: CreditGranted,
  act: ({ accountId, amount, reason }, key, { services }) =>
    services.command(GrantCredit, { accountId, amount, reason }, key),
  payload: ({ creditId }, { accountId }) => ({ accountId, creditId }),
});

interface VoidPayload extends BilledPayload {
  readonly invoiceId: string;
}

const InvoiceVoided = builder.objectRef<VoidPayload>('InvoiceVoided').implement({
  description: 'Nothing is owed by the invoice any more; its credit note follows.',
  interfaces,
  fields: (t) => ({
    invoice: t.field({
      type: InvoiceRef,
      nullable: true,
      description: 'The invoice.',
      resolve: ({ invoiceId }, _args, { services }) => invoiceById(services, invoiceId),
    }),
  }),
});

mutation('voidInvoice', {
  description: 'For whoever issued it: takes a whole invoice back by a credit note, once.',
  input: builder.inputType('VoidInvoiceInput', {
    description: 'Which invoice, and why.',
    fields: (t) => ({
      accountId: t.id({ description: 'Who owes it.' }),
      invoiceId: t.id({ description: 'The invoice.' }),
      reason: t.string({ description: 'Why; the debtor reads it.' }),
    }),
  }),
  type: InvoiceVoided,
  act: ({ accountId, invoiceId, reason }, key, { services }) =>
    services.command(VoidInvoice, { accountId, invoiceId, reason }, key),
  payload: ({ invoiceId }, { accountId }) => ({ accountId, invoiceId }),
});

const DunningPaused = builder.objectRef<BilledPayload>('DunningPaused').implement({
  description: 'No invoice of the account reaches a further stage. A hold that stands stays.',
  interfaces,
});

mutation('pauseDunning', {
  description: 'For whoever invoices the account: reminds it of nothing until dunning is resumed.',
  input: builder.inputType('PauseDunningInput', {
    description: 'Whom not to remind, and why.',
    fields: (t) => ({
      accountId: t.id({ description: 'The account.' }),
      reason: t.string({ description: 'Why; the debtor reads it.' }),
    }),
  }),
  type: DunningPaused,
  act: ({ accountId, reason }, key, { services }) =>
    services.command(PauseDunning, { accountId, reason }, key),
  payload: ({ accountId }) => ({ accountId }),
});

const DunningResumed = builder.objectRef<BilledPayload>('DunningResumed').implement({
  description: 'Stages whose day has come are reached at once, one after the other.',
  interfaces,
});

mutation('resumeDunning', {
  description: 'For whoever invoices the account: reminds it again.',
  input: builder.inputType('ResumeDunningInput', {
    description: 'Whom to remind again.',
    fields: (t) => ({ accountId: t.id({ description: 'The account.' }) }),
  }),
  type: DunningResumed,
  act: ({ accountId }, key, { services }) => services.command(ResumeDunning, { accountId }, key),
  payload: ({ accountId }) => ({ accountId }),
});
