/** An account's money: what it owes, has to its credit and paid; and its prices as an issuer. */
import {
  AccountBalance,
  AccountsToClose,
  CreditNotes,
  type ListedPrice,
  Payments,
  PriceList,
} from '@bivouac/billing/api';
import type { Money } from '@bivouac/events/values';
import type { z } from 'zod';

import { accountById, AccountRef } from '../accounts/account.ts';
import { builder } from '../language/builder.ts';
import { MoneyRef } from '../language/money.ts';
import { idArgument, optionalIdArgument } from '../language/node.ts';
import { connection, pageRequest } from '../language/paging.ts';
import type { Services } from '../request/services.ts';
import { CreditNoteConnection, CreditNoteRef } from './credit-note.ts';
import { PaymentConnection, PaymentRef } from './payment.ts';

type Balance = NonNullable<z.output<typeof AccountBalance.result>>;

/** An account's balances, once per request. */
function balanceOf(services: Services, accountId: string): Promise<Balance | null> {
  return services.once(`balance:${accountId}`, () => services.query(AccountBalance, { accountId }));
}

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

type Unclosed = z.output<typeof AccountsToClose.result>;

const UnclosedAccountsRef = builder.objectRef<Unclosed>('UnclosedAccounts').implement({
  description: 'Accounts that a run over the month would close now.',
  fields: (t) => ({
    accounts: t.field({
      type: [AccountRef],
      description: 'At most 400, by id.',
      extensions: { size: 100 },
      resolve: async ({ accounts }, _args, { services }) => {
        const found = accounts.map(({ accountId }) => accountById(services, accountId));
        return (await Promise.all(found)).filter((account) => account !== null);
      },
    }),
    next: t.exposeID('next', {
      nullable: true,
      description: 'What to ask for with `after` for those that follow; null at the end.',
    }),
  }),
});

builder.queryField('unclosedAccounts', (t) =>
  t.field({
    type: UnclosedAccountsRef,
    description: 'Accounts of an issuer with charges in a month that is not closed for them.',
    args: {
      issuerId: t.arg.id({ description: 'The provider or a reseller.' }),
      month: t.arg({ type: 'Month', description: 'The month, e.g. `2026-04`.' }),
      after: t.arg.id({ required: false, description: 'What `next` said.' }),
    },
    resolve: (_root, args, { services }) => {
      const after = optionalIdArgument('after', 'tenant', args.after);
      return services.query(AccountsToClose, {
        issuerId: idArgument('issuerId', 'tenant', args.issuerId),
        month: args.month,
        ...(after === undefined ? {} : { after }),
      });
    },
  }),
);
