/** What an account is charged for: subscriptions of containers, add-ons, fees. */
import {
  AddOns,
  type AddOnView,
  Fees,
  type FeeView,
  Subscriptions,
  type SubscriptionView,
} from '@bivouac/billing/api';

import { AccountRef } from '../accounts/account.ts';
import { builder } from '../language/builder.ts';
import { MoneyRef } from '../language/money.ts';
import { connection, pageRequest } from '../language/paging.ts';
import { planById, PlanRef } from './plan.ts';

const SubscriptionRef = builder.objectRef<SubscriptionView>('BillingSubscription').implement({
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
    voided: t.exposeBoolean('voided', {
      description: 'Nothing is charged for it: the order it came from was undone.',
    }),
  }),
});

const SubscriptionConnection = builder.connectionObject(
  {
    type: SubscriptionRef,
    name: 'BillingSubscriptionConnection',
    description: 'A page of subscriptions.',
  },
  { name: 'BillingSubscriptionEdge', description: 'A subscription and where it stands.' },
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

builder.objectFields(AccountRef, (t) => ({
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
}));
