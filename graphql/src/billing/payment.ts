/** Payments: money that came in, by reference, and the invoices it settled. */
import { PaymentByReference, type PaymentView } from '@bivouac/billing/api';
import type { Settlement } from '@bivouac/events/billing';

import { builder } from '../language/builder.ts';
import { MoneyRef } from '../language/money.ts';
import { idArgument } from '../language/node.ts';
import { requestError } from '../errors/request-error.ts';
import { InvoiceRef, invoiceById } from './invoice.ts';

const SettlementRef = builder.objectRef<Settlement>('Settlement').implement({
  description: 'An invoice that a payment paid, in part or whole, as it stood then.',
  fields: (t) => ({
    invoiceId: t.exposeID('invoiceId', { description: 'The invoice.' }),
    invoice: t.field({
      type: InvoiceRef,
      nullable: true,
      description: 'The invoice as it is now.',
      resolve: ({ invoiceId }, _args, { services }) => invoiceById(services, invoiceId),
    }),
    paid: t.expose('paid', { type: MoneyRef, description: 'How much of it was paid then.' }),
    open: t.expose('open', { type: MoneyRef, description: 'What was left.' }),
  }),
});

interface Reversal {
  readonly at: string;
  readonly reason: string;
}

const ReversalRef = builder.objectRef<Reversal>('PaymentReversal').implement({
  description: 'The money went back.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When it was recorded.' }),
    reason: t.exposeString('reason', { description: 'Why.' }),
  }),
});

export const PaymentRef = builder.objectRef<PaymentView>('Payment').implement({
  description: 'Money that came in. It pays the oldest open invoices; the rest is credit.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Its id, `pay_…`.' }),
    reference: t.exposeString('reference', {
      description: 'What it is known by where it came from; one payment per reference, for ever.',
    }),
    amount: t.expose('amount', { type: MoneyRef, description: 'How much.' }),
    receivedAt: t.expose('receivedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the money came in, where that was said.',
    }),
    recordedAt: t.expose('recordedAt', { type: 'DateTime', description: 'When it was recorded.' }),
    settled: t.expose('settled', {
      type: [SettlementRef],
      description: 'The invoices it paid when it was recorded.',
      extensions: { size: 3 },
    }),
    reversed: t.expose('reversed', {
      type: ReversalRef,
      nullable: true,
      description: 'Set where the money went back.',
    }),
  }),
});

export const PaymentConnection = builder.connectionObject(
  { type: PaymentRef, name: 'PaymentConnection', description: 'A page of payments.' },
  { name: 'PaymentEdge', description: 'A payment and where it stands.' },
);

const MAX_REFERENCE = 120;

builder.queryField('payment', (t) =>
  t.field({
    type: PaymentRef,
    nullable: true,
    description: 'A payment by its reference; null where there is none or it is out of your reach.',
    args: {
      accountId: t.arg.id({ description: 'The account it was recorded for.' }),
      reference: t.arg.string({ description: 'The reference.' }),
    },
    resolve: async (_root, args, { services }) => {
      const { reference } = args;
      if (reference.trim() === '' || reference.length > MAX_REFERENCE) {
        throw requestError(
          'INVALID_ARGUMENT',
          `The argument reference has ${reference.length} characters: expected 1 to ${MAX_REFERENCE}.`,
          { argument: 'reference' },
        );
      }
      const accountId = idArgument('accountId', 'tenant', args.accountId);
      const found = await services.query(PaymentByReference, { accountId, reference });
      return found !== null && services.sees(PaymentByReference, found.accountId) ? found : null;
    },
  }),
);
