/** An account's money: what it is charged for, owes and paid; and, as an issuer, its books. */
import {
  AccountBalance,
  AddOns,
  type AddOnView,
  CreditNotes,
  Fees,
  type FeeView,
  Journal,
  type JournalEntry,
  type ListedPrice,
  Payments,
  PriceList,
  Subscriptions,
  type SubscriptionView,
  TrialBalance,
} from '@bivouac/billing/api';
import type { Leg } from '@bivouac/events/billing';
import type { Money } from '@bivouac/events/values';
import type { z } from 'zod';

import { accountById, AccountRef } from '../accounts/account.ts';
import { builder } from '../language/builder.ts';
import { enumeration } from '../language/enumeration.ts';
import { MoneyRef } from '../language/money.ts';
import { idArgument, optionalIdArgument } from '../language/node.ts';
import { connection, pageRequest } from '../language/paging.ts';
import type { Services } from '../request/services.ts';
import { CreditNoteConnection } from './credit-note.ts';
import { PaymentConnection, PaymentRef } from './payment.ts';
import { CreditNoteRef } from './credit-note.ts';
import { planById, PlanRef } from './plan.ts';

type Balance = NonNullable<z.output<typeof AccountBalance.result>>;

/** An account's balances, once per request. */
export function balanceOf(services: Services, accountId: string): Promise<Balance | null> {
  return services.once(`balance:${accountId}`, () => services.query(AccountBalance, { accountId }));
}

const SubscriptionRef = builder.objectRef<SubscriptionView>('Subscription').implement({
  description: 'A container that an account is charged for; a restored one has another.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Its id, `sub_…`.' }),
    containerId: t.exposeID('containerId', { description: 'The container.' }),
    hostname: t.exposeString('hostname', { description: 'The host name it was started with.' }),
    planCode: t.exposeString('planCode', { description: 'The plan it is on now.' }),
    plan: t.field({
      type: PlanRef,
      nullable: true,
      description: 'That plan as the catalog has it now.',
      resolve: ({ planId }, _args, { services }) => planById(services, planId),
    }),
    monthly: t.expose('monthly', { type: MoneyRef, description: 'Its own price of a month.' }),
    extraAddressMonthly: t.expose('extraAddressMonthly', {
      type: MoneyRef,
      description: 'Of each address beyond the included ones.',
    }),
    addresses: t.exposeInt('addresses', { description: 'Addresses in service.' }),
    zone: t.exposeString('zone', { description: 'The time zone whose days are charged.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'Since when.' }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Until when; null while it goes on.',
    }),
  }),
});

const SubscriptionConnection = builder.connectionObject(
  {
    type: SubscriptionRef,
    name: 'SubscriptionConnection',
    description: 'A page of subscriptions.',
  },
  { name: 'SubscriptionEdge', description: 'A subscription and where it stands.' },
);

const AddOnRef = builder.objectRef<AddOnView>('AddOn').implement({
  description: 'Something charged by the month besides a plan.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Its id, `itm_…`.' }),
    name: t.exposeString('name', { description: 'What it is called on the invoice.' }),
    monthly: t.expose('monthly', { type: MoneyRef, description: 'Of one, for a month.' }),
    quantity: t.exposeInt('quantity', { description: 'How many of it.' }),
    zone: t.exposeString('zone', { description: 'The time zone whose days are charged.' }),
    subscriptionId: t.exposeID('subscriptionId', {
      nullable: true,
      description: 'The subscription it belongs to and ends with; null: the account’s own.',
    }),
    attachedAt: t.expose('attachedAt', { type: 'DateTime', description: 'Since when.' }),
    endsAt: t.expose('endsAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Until when, which may lie ahead; null while nobody cancelled it.',
    }),
  }),
});

const AddOnConnection = builder.connectionObject(
  { type: AddOnRef, name: 'AddOnConnection', description: 'A page of add-ons.' },
  { name: 'AddOnEdge', description: 'An add-on and where it stands.' },
);

const FeeRef = builder.objectRef<FeeView>('Fee').implement({
  description: 'Something charged once.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Its id, `itm_…`.' }),
    name: t.exposeString('name', { description: 'What it is called on the invoice.' }),
    amount: t.expose('amount', { type: MoneyRef, description: 'What it comes to.' }),
    reason: t.exposeString('reason', { description: 'Why it is charged.' }),
    chargedAt: t.expose('chargedAt', { type: 'DateTime', description: 'The month it is in.' }),
  }),
});

const FeeConnection = builder.connectionObject(
  { type: FeeRef, name: 'FeeConnection', description: 'A page of fees.' },
  { name: 'FeeEdge', description: 'A fee and where it stands.' },
);

const LedgerAccount = enumeration('LedgerAccount', 'An account of the journal.', {
  receivable: 'What debtors owe.',
  cash: 'Money received, less what went back.',
  credit: 'What debtors paid or were granted beyond their invoices; negative.',
  'revenue.plans': 'Earned by plans; negative.',
  'revenue.addresses': 'Earned by additional addresses; negative.',
  'revenue.setup': 'Earned by set-ups; negative.',
  'revenue.add-ons': 'Earned by add-ons; negative.',
  'revenue.fees': 'Earned by fees; negative.',
  'revenue.credits': 'Given away as credit; positive.',
});

const LegRef = builder.objectRef<Leg>('JournalLeg').implement({
  description: 'An amount on a ledger account: a debit is positive, a credit negative.',
  fields: (t) => ({
    account: t.expose('account', { type: LedgerAccount, description: 'The ledger account.' }),
    amount: t.expose('amount', { type: MoneyRef, description: 'The amount.' }),
  }),
});

const JournalEntryRef = builder.objectRef<JournalEntry>('JournalEntry').implement({
  description: 'One event that moved money, with all its legs: they sum to zero.',
  fields: (t) => ({
    eventId: t.exposeID('eventId', { description: 'The event’s id, a UUID.' }),
    type: t.exposeString('type', { description: 'What happened, e.g. `billing.InvoiceBooked`.' }),
    reference: t.exposeString('reference', {
      description: 'The number, or the payment’s reference.',
    }),
    time: t.expose('time', { type: 'DateTime', description: 'When it was recorded.' }),
    legs: t.expose('legs', {
      type: [LegRef],
      description: 'Its legs.',
      extensions: { size: 4 },
    }),
    account: t.field({
      type: AccountRef,
      nullable: true,
      description: 'The debtor.',
      resolve: ({ accountId }, _args, { services }) => accountById(services, accountId),
    }),
  }),
});

const JournalConnection = builder.connectionObject(
  { type: JournalEntryRef, name: 'JournalConnection', description: 'A page of a journal.' },
  { name: 'JournalEdge', description: 'An entry and where it stands.' },
);

type Trial = NonNullable<z.output<typeof TrialBalance.result>>;

const TrialBalanceRef = builder.objectRef<Trial>('TrialBalance').implement({
  description: 'The sums of a journal by ledger account and currency.',
  fields: (t) => ({
    entries: t.exposeInt('entries', { description: 'How many entries there are.' }),
    balances: t.expose('balances', {
      type: [LegRef],
      description: 'One per ledger account and currency.',
      extensions: { size: 9 },
    }),
    sums: t.expose('sums', {
      type: [MoneyRef],
      description: 'One per currency; each is zero, or the books are wrong.',
      extensions: { size: 1 },
    }),
  }),
});

const ListedPriceRef = builder.objectRef<ListedPrice>('ListedPrice').implement({
  description: 'An issuer’s own price for a plan of the catalog.',
  fields: (t) => ({
    planCode: t.exposeString('planCode', { description: 'The plan.' }),
    monthly: t.expose('monthly', { type: MoneyRef, description: 'The price of a month.' }),
    setup: t.expose('setup', { type: MoneyRef, description: 'Once.' }),
    extraAddressMonthly: t.expose('extraAddressMonthly', {
      type: MoneyRef,
      description: 'Of each further address.',
    }),
    effectiveFrom: t.expose('effectiveFrom', {
      type: 'DateTime',
      description: 'New orders are quoted it from then on, until a later one counts.',
    }),
    withdrawnAt: t.expose('withdrawnAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was withdrawn; null while it stands.',
    }),
  }),
});

const ListedPriceConnection = builder.connectionObject(
  { type: ListedPriceRef, name: 'ListedPriceConnection', description: 'A page of prices.' },
  { name: 'ListedPriceEdge', description: 'A price and where it stands.' },
);

interface Pause {
  readonly at: string;
  readonly reason: string;
}

const DunningPauseRef = builder.objectRef<Pause>('DunningPause').implement({
  description: 'Why and since when nobody is reminded.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'Since when.' }),
    reason: t.exposeString('reason', { description: 'Why.' }),
  }),
});

const sums =
  (of: (balance: Balance) => readonly Money[]) =>
  async (
    { id }: { readonly id: string },
    _args: unknown,
    { services }: { readonly services: Services },
  ): Promise<Money[]> => {
    const balance = await balanceOf(services, id);
    return balance === null ? [] : [...of(balance)];
  };

builder.objectFields(AccountRef, (t) => ({
  owed: t.field({
    type: [MoneyRef],
    description: 'What it owes by its books, by currency; empty where nothing was ever booked.',
    extensions: { size: 1 },
    resolve: sums((balance) => balance.owed),
  }),
  credit: t.field({
    type: [MoneyRef],
    description: 'What it paid or was granted beyond its invoices, by currency.',
    extensions: { size: 1 },
    resolve: sums((balance) => balance.credit),
  }),
  dunningPaused: t.field({
    type: DunningPauseRef,
    nullable: true,
    description: 'Set while its invoices are not reminded of.',
    resolve: async ({ id }, _args, { services }) =>
      (await balanceOf(services, id))?.dunningPaused ?? null,
  }),
  subscriptions: t.connection(
    {
      type: SubscriptionRef,
      description: 'The containers it is charged for, oldest first, the ended among them.',
      resolve: async ({ id }, args, { services }) =>
        connection(
          await services.query(Subscriptions, { accountId: id, page: pageRequest(args) }),
          (node) => services.sees(Subscriptions, node.accountId),
        ),
    },
    SubscriptionConnection,
  ),
  addOns: t.connection(
    {
      type: AddOnRef,
      description: 'Its add-ons, oldest first, the cancelled among them.',
      resolve: async ({ id }, args, { services }) =>
        connection(
          await services.query(AddOns, { accountId: id, page: pageRequest(args) }),
          (node) => services.sees(AddOns, node.accountId),
        ),
    },
    AddOnConnection,
  ),
  fees: t.connection(
    {
      type: FeeRef,
      description: 'Its fees, oldest first.',
      resolve: async ({ id }, args, { services }) =>
        connection(await services.query(Fees, { accountId: id, page: pageRequest(args) }), (node) =>
          services.sees(Fees, node.accountId),
        ),
    },
    FeeConnection,
  ),
  payments: t.connection(
    {
      type: PaymentRef,
      description: 'Its payments, oldest first.',
      resolve: async ({ id }, args, { services }) =>
        connection(
          await services.query(Payments, { accountId: id, page: pageRequest(args) }),
          (node) => services.sees(Payments, node.accountId),
        ),
    },
    PaymentConnection,
  ),
  creditNotes: t.connection(
    {
      type: CreditNoteRef,
      description: 'Credit notes to it, oldest first.',
      resolve: async ({ id }, args, { services }) =>
        connection(
          await services.query(CreditNotes, { accountId: id, page: pageRequest(args) }),
          (node) => services.sees(CreditNotes, node.accountId),
        ),
    },
    CreditNoteConnection,
  ),
  prices: t.connection(
    {
      type: ListedPriceRef,
      description:
        'Its own prices for those it invoices, oldest first, those withdrawn among them.',
      resolve: async ({ id }, args, { services }) =>
        connection(
          await services.query(PriceList, { issuerId: id, page: pageRequest(args) }),
          (node) => services.sees(PriceList, node.issuerId),
        ),
    },
    ListedPriceConnection,
  ),
}));

builder.queryFields((t) => ({
  journal: t.connection(
    {
      type: JournalEntryRef,
      description: 'An issuer’s journal, oldest first; empty where it is out of your reach.',
      args: {
        issuerId: t.arg.id({ description: 'Whose books: the provider’s or a reseller’s.' }),
        accountId: t.arg.id({ required: false, description: 'Only entries of this debtor.' }),
      },
      resolve: async (_root, args, { services }) => {
        const accountId = optionalIdArgument('accountId', 'tenant', args.accountId);
        const page = await services.query(Journal, {
          page: pageRequest(args),
          issuerId: idArgument('issuerId', 'tenant', args.issuerId),
          ...(accountId === undefined ? {} : { accountId }),
        });
        return connection(page, (entry) => services.sees(Journal, entry.issuerId));
      },
    },
    JournalConnection,
  ),
  trialBalance: t.field({
    type: TrialBalanceRef,
    nullable: true,
    description: 'The sums of an issuer’s journal; null where it is out of your reach.',
    args: { issuerId: t.arg.id({ description: 'Whose books.' }) },
    resolve: async (_root, args, { services }) => {
      const issuerId = idArgument('issuerId', 'tenant', args.issuerId);
      const found = await services.query(TrialBalance, { issuerId });
      return found !== null && services.sees(TrialBalance, found.issuerId) ? found : null;
    },
  }),
}));
