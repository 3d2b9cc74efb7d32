/** An issuer's books: its journal in double entry and the sums of it. */
import { Journal, type JournalEntry, TrialBalance } from '@bivouac/billing/api';
import type { Leg } from '@bivouac/events/billing';
import type { z } from 'zod';

import { accountById, AccountRef } from '../accounts/account.ts';
import { builder } from '../language/builder.ts';
import { enumeration } from '../language/enumeration.ts';
import { MoneyRef } from '../language/money.ts';
import { idArgument, optionalIdArgument } from '../language/node.ts';
import { connection, pageRequest } from '../language/paging.ts';

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
