/** Invoices, with the events behind each line; what an account owes and what a month will cost. */
import {
  InvoiceById,
  InvoiceHistory,
  type InvoiceLine,
  InvoiceLines,
  Invoices,
  type InvoiceView,
  PreviewInvoice,
} from '@bivouac/billing/api';
import type { Cause } from '@bivouac/events/billing';
import type { z } from 'zod';

import { accountById, AccountRef } from '../accounts/account.ts';
import { atLeast } from '../language/at-least.ts';
import { builder } from '../language/builder.ts';
import { createdArgs, createdRange } from '../language/created.ts';
import { given } from '../language/given.ts';
import { enumeration } from '../language/enumeration.ts';
import { EventConnection, EventRef, historyConnection } from '../language/history.ts';
import { MoneyRef } from '../language/money.ts';
import { idArgument, NodeRef, optionalIdArgument, registerNode } from '../language/node.ts';
import { connection, type PageArgs, pageRequest } from '../language/paging.ts';
import type { Services } from '../request/services.ts';

type WholeInvoice = NonNullable<z.output<typeof InvoiceById.result>>;

/** One invoice with its lines, once per request. */
export function invoiceById(services: Services, id: string): Promise<WholeInvoice | null> {
  return services.once(`invoice:${id}`, async () => {
    const found = await services.query(InvoiceById, { invoiceId: id });
    if (found === null || !services.sees(InvoiceById, found.accountId, found.issuerId)) return null;
    return found;
  });
}

const LineKind = enumeration('InvoiceLineKind', 'What a line charges.', {
  plan: 'The plan, by the days in service.',
  address: 'An address beyond the included ones, by the days in service.',
  setup: 'The set-up, once.',
  'add-on': 'An add-on, by the days it was attached.',
  fee: 'A fee, once.',
});

const CauseRef = builder.objectRef<Cause>('Cause').implement({
  description: 'The event a charge follows from: enough to find it in the log and check it there.',
  fields: (t) => ({
    eventId: t.exposeID('eventId', { description: 'The event’s id, a UUID.' }),
    type: t.exposeString('type', { description: 'What happened.' }),
    stream: t.exposeString('stream', { description: 'The stream it is in.' }),
    revision: t.expose('revision', { type: 'Revision', description: 'Its number there.' }),
    time: t.expose('time', { type: 'DateTime', description: 'When it was recorded.' }),
  }),
});

const ServicePeriodRef = builder.objectRef<InvoiceLine['service']>('ServicePeriod').implement({
  description: 'The days a line charges.',
  fields: (t) => ({
    zone: t.exposeString('zone', { description: 'The time zone whose days they are.' }),
    from: t.exposeString('from', { description: 'The first day, e.g. `2026-04-10`.' }),
    until: t.exposeString('until', { description: 'The day after the last.' }),
  }),
});

const QuantityRef = builder.objectRef<InvoiceLine['quantity']>('Quantity').implement({
  description: 'Days charged of the days the month has; 1 of 1 for a fee.',
  fields: (t) => ({
    days: t.exposeInt('days', { description: 'Days charged.' }),
    of: t.exposeInt('of', { description: 'Days of the month.' }),
  }),
});

export const InvoiceLineRef = builder.objectRef<InvoiceLine>('InvoiceLine').implement({
  description: 'unitPrice x units x days / of, rounded half up to the minor unit, is the amount.',
  fields: (t) => ({
    kind: t.expose('kind', { type: LineKind, description: 'What it charges.' }),
    description: t.exposeString('description', { description: 'The same in a sentence.' }),
    containerId: t.exposeID('containerId', {
      nullable: true,
      description: 'The container; null where the account itself is charged.',
    }),
    subscriptionId: t.exposeID('subscriptionId', {
      nullable: true,
      description: 'The subscription; null where the account itself is charged.',
    }),
    service: t.expose('service', { type: ServicePeriodRef, description: 'The days.' }),
    quantity: t.expose('quantity', { type: QuantityRef, description: 'How many of them.' }),
    units: t.exposeInt('units', { description: 'How many of it.' }),
    unitPrice: t.expose('unitPrice', {
      type: MoneyRef,
      description: 'Of one, for the whole month.',
    }),
    amount: t.expose('amount', { type: MoneyRef, description: 'What the line comes to.' }),
    causes: t.expose('causes', {
      type: [CauseRef],
      description: 'The events it follows from, oldest first.',
      extensions: { size: 2 },
    }),
  }),
});

export const InvoiceLineConnection = builder.connectionObject(
  { type: InvoiceLineRef, name: 'InvoiceLineConnection', description: 'A page of lines.' },
  { name: 'InvoiceLineEdge', description: 'A line and its number, from 0.' },
);

const InvoiceState = enumeration('InvoiceState', 'What is left to do about an invoice.', {
  open: 'Some or all of it is to be paid.',
  paid: 'It is paid.',
  void: 'It was taken back; nothing is owed by it.',
});

const DunningStage = enumeration('DunningStage', 'How far a debtor was reminded.', {
  reminder: '3 days after the due date.',
  warning: '10 days after the due date.',
  hold: '21 days after the due date: the account is held.',
});

/** A list answers invoices without lines; they are read when asked for. */
export const InvoiceRef = builder
  .objectRef<InvoiceView & { readonly lines?: readonly InvoiceLine[] }>('Invoice')
  .implement({
    description: 'An invoice: final once issued, or taken back whole by a credit note.',
    interfaces: [NodeRef],
    fields: (t) => ({
      number: t.exposeString('number', {
        description: 'Gapless within the issuer’s series, e.g. `2026-000001`.',
      }),
      month: t.expose('month', { type: 'Month', description: 'The month it is for.' }),
      total: t.expose('total', { type: MoneyRef, description: 'What is owed.' }),
      state: t.expose('state', { type: InvoiceState, description: 'Open, paid or void.' }),
      paid: t.expose('paid', { type: MoneyRef, description: 'How much of it is paid.' }),
      open: t.expose('open', { type: MoneyRef, description: 'What is left to pay.' }),
      dueAt: t.expose('dueAt', {
        type: 'DateTime',
        nullable: true,
        description: 'Until when it is to be paid; null where no term was agreed.',
      }),
      dunning: t.expose('dunning', {
        type: DunningStage,
        nullable: true,
        description: 'How far its debtor was reminded; null: not at all.',
      }),
      lineCount: t.exposeInt('lineCount', { description: 'How many lines it has.' }),
      lineConnection: t.connection(
        {
          type: InvoiceLineRef,
          description: 'Its lines in pages, for invoices with many.',
          resolve: async ({ id }, args, { services }) => {
            const input = { invoiceId: id, page: pageRequest(args) };
            const page = await services.query(InvoiceLines, input);
            return connection(page ?? { items: [], hasNext: false, hasPrevious: false });
          },
        },
        InvoiceLineConnection,
      ),
      lines: t.field({
        type: [InvoiceLineRef],
        description: 'What it is made of; the amounts sum to the total exactly.',
        extensions: { size: 10 },
        resolve: (invoice, _args, { services }) =>
          invoice.lines ?? invoiceById(services, invoice.id).then((whole) => whole?.lines ?? []),
      }),
      account: t.field({
        type: AccountRef,
        nullable: true,
        description: 'Who owes it.',
        resolve: ({ accountId }, _args, { services }) => accountById(services, accountId),
      }),
      issuer: t.field({
        type: AccountRef,
        nullable: true,
        description: 'Who issued it; null where that is out of your reach.',
        resolve: ({ issuerId }, _args, { services }) => accountById(services, issuerId),
      }),
      issuedAt: t.expose('issuedAt', { type: 'DateTime', description: 'When it was issued.' }),
      bookedAt: t.expose('bookedAt', {
        type: 'DateTime',
        description: 'When it entered the account’s books: from then on it is listed.',
      }),
      history: t.connection(
        {
          type: EventRef,
          description: 'Its month closed, it was issued and booked; voided, where it was.',
          resolve: ({ id }, args, { services }) =>
            historyConnection(args, (page) =>
              services.query(InvoiceHistory, { invoiceId: id, page }),
            ),
        },
        EventConnection,
      ),
    }),
  });

registerNode('invoice', 'Invoice', (id, { services }) => invoiceById(services, id));

const InvoiceConnection = builder.connectionObject(
  { type: InvoiceRef, name: 'InvoiceConnection', description: 'A page of invoices.' },
  { name: 'InvoiceEdge', description: 'An invoice and where it stands.' },
);

type InvoiceFilters = Omit<z.input<typeof Invoices.input>, 'page'>;

async function invoicesConnection(services: Services, args: PageArgs, filters: InvoiceFilters) {
  const page = await services.query(Invoices, { page: pageRequest(args), ...filters });
  return connection(page, (invoice) =>
    services.sees(Invoices, invoice.accountId, invoice.issuerId),
  );
}

builder.queryFields((t) => ({
  invoice: t.field({
    type: InvoiceRef,
    nullable: true,
    description: 'One invoice; null where there is none or it is out of your reach.',
    args: { id: t.arg.id({ description: 'Its id, `inv_…`.' }), atLeast: atLeast(t.arg) },
    resolve: (_root, args, { services }) => {
      services.raiseTo(args.atLeast);
      return invoiceById(services, idArgument('id', 'invoice', args.id));
    },
  }),
  invoices: t.connection(
    {
      type: InvoiceRef,
      description: 'The invoices you may see, oldest first.',
      args: {
        accountId: t.arg.id({ required: false, description: 'Only those this account owes.' }),
        state: t.arg({
          type: InvoiceState,
          required: false,
          description: 'Only those of which so much is left to do.',
        }),
        month: t.arg({ type: 'Month', required: false, description: 'Only of this month.' }),
        ...createdArgs(t.arg),
        atLeast: atLeast(t.arg),
      },
      resolve: (_root, args, { services }) => {
        services.raiseTo(args.atLeast);
        const accountId = optionalIdArgument('accountId', 'tenant', args.accountId);
        return invoicesConnection(services, args, {
          ...given({ accountId, state: args.state, month: args.month }),
          ...createdRange(args),
        });
      },
    },
    InvoiceConnection,
  ),
}));

type Preview = NonNullable<z.output<typeof PreviewInvoice.result>>;

const PreviewRef = builder.objectRef<Preview>('InvoicePreview').implement({
  description: 'A month as its invoice would be now; what still runs counts to the month’s end.',
  fields: (t) => ({
    month: t.expose('month', { type: 'Month', description: 'The month.' }),
    closed: t.exposeBoolean('closed', {
      description: 'The month is closed: these are the invoiced lines and cannot change.',
    }),
    total: t.expose('total', {
      type: MoneyRef,
      nullable: true,
      description: 'What it comes to; null where nothing is owed.',
    }),
    lines: t.expose('lines', {
      type: [InvoiceLineRef],
      description: 'What it is made of.',
      extensions: { size: 10 },
    }),
  }),
});

builder.objectFields(AccountRef, (t) => ({
  invoices: t.connection(
    {
      type: InvoiceRef,
      description: 'The invoices it owes, oldest first.',
      resolve: ({ id }, args, { services }) =>
        invoicesConnection(services, args, { accountId: id }),
    },
    InvoiceConnection,
  ),
  invoicePreview: t.field({
    type: PreviewRef,
    nullable: true,
    description: 'A month rated now; null where nothing was ever charged.',
    args: { month: t.arg({ type: 'Month', description: 'The month, e.g. `2026-04`.' }) },
    resolve: ({ id }, { month }, { services }) =>
      services.query(PreviewInvoice, { accountId: id, month }),
  }),
}));
