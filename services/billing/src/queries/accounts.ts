/** Reading accounts: what they owe, what they are charged for, what happened, what is still open. */
import { accountEvents } from '@bivouac/events/billing';
import { historyOf, queryHandler } from '@bivouac/infra/runtime';
import { pageOf } from '@bivouac/infra/views';

import { AccountBalance, AccountHistory, Leftovers, Subscriptions } from '../api/invoices.ts';
import { AddOns, Fees } from '../api/items.ts';
import { accountStream } from '../domain/account.ts';
import { accounts, totals } from '../projections/accounts.ts';
import { addOns, fees, subscriptions } from '../projections/charges.ts';

export const accountBalance = queryHandler(AccountBalance, (view, { accountId }, context) => {
  const row = context.reaches(accountId) ? view.get(accounts, accountId) : undefined;
  if (row === undefined) return null;
  const { owed, credit, bookings, dunningPaused } = row;
  return { accountId, owed, credit, bookings, dunningPaused };
});

export const subscriptionList = queryHandler(Subscriptions, (view, { page, accountId }, context) =>
  pageOf(view, subscriptions, 'byAccount', [accountId], page, (row) =>
    context.reaches(row.accountId),
  ),
);

export const addOnList = queryHandler(AddOns, (view, { page, accountId }, context) =>
  pageOf(view, addOns, 'byAccount', [accountId], page, (row) => context.reaches(row.accountId)),
);

export const feeList = queryHandler(Fees, (view, { page, accountId }, context) =>
  pageOf(view, fees, 'byAccount', [accountId], page, (row) => context.reaches(row.accountId)),
);

export const accountHistory = queryHandler(
  AccountHistory,
  async (view, { accountId, page }, context) => {
    if (!context.reaches(accountId) || view.get(accounts, accountId) === undefined) return null;
    return historyOf(context, accountStream(accountId), accountEvents, page);
  },
);

export const leftovers = queryHandler(Leftovers, (view) => {
  const { openCharges, unbookedInvoices } = view.get(totals, 'all') ?? {
    openCharges: 0,
    unbookedInvoices: 0,
  };
  return { openCharges, unbookedInvoices };
});
