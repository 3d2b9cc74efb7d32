/** Reading the books: payments, credit notes, the journal and its sums. */
import { queryHandler } from '@bivouac/infra/runtime';
import { pageOf } from '@bivouac/infra/views';
import { addMoney, type Money } from '@bivouac/events/values';

import {
  CreditNoteById,
  CreditNoteLines,
  CreditNotes,
  Journal,
  PaymentByReference,
  Payments,
  TrialBalance,
} from '../api/ledger.ts';
import { paymentIdOf } from '../domain/payments.ts';
import { creditNotes, payments } from '../projections/invoices.ts';
import { balances, entryCounts, journal } from '../projections/journal.ts';
import { linesPage } from './lines.ts';

export const paymentList = queryHandler(Payments, (view, { page, accountId }, context) =>
  pageOf(view, payments, 'byAccount', [accountId], page, (row) => context.reaches(row.accountId)),
);

export const paymentByReference = queryHandler(
  PaymentByReference,
  (view, { accountId, reference }, context) =>
    context.reaches(accountId)
      ? (view.get(payments, paymentIdOf(accountId, reference)) ?? null)
      : null,
);

export const creditNoteList = queryHandler(CreditNotes, (view, { page, accountId }, context) => {
  const found = pageOf(view, creditNotes, 'byAccount', [accountId], page, (row) =>
    context.reaches(row.view.accountId),
  );
  return { ...found, items: found.items.map(({ cursor, node }) => ({ cursor, node: node.view })) };
});

export const creditNoteById = queryHandler(CreditNoteById, (view, { creditNoteId }, context) => {
  const row = view.get(creditNotes, creditNoteId);
  return row !== undefined && context.reaches(row.view.accountId) ? row.view : null;
});

export const creditNoteLines = queryHandler(
  CreditNoteLines,
  async (view, { creditNoteId, page }, context) => {
    const row = view.get(creditNotes, creditNoteId);
    if (row === undefined || !context.reaches(row.view.accountId)) return null;
    return linesPage(row.lines, `credit note ${row.view.number}`, page, context);
  },
);

/** The issuer's books are the issuer's: the debtor reads its invoices and payments instead. */
export const journalPage = queryHandler(Journal, (view, { page, issuerId, accountId }, context) => {
  if (!context.reaches(issuerId)) return { items: [], hasNext: false, hasPrevious: false };
  const ofIssuer = (row: { readonly issuerId: string }): boolean => row.issuerId === issuerId;
  return accountId === undefined
    ? pageOf(view, journal, 'byIssuer', [issuerId], page, ofIssuer)
    : pageOf(view, journal, 'byAccount', [accountId], page, ofIssuer);
});

/** Ledger accounts times currencies: a page is more than there can be. */
const ALL = 500;

export const trialBalance = queryHandler(TrialBalance, (view, { issuerId }, context) => {
  if (!context.reaches(issuerId)) return null;
  const rows = view.range(balances, 'byIssuer', [issuerId], { limit: ALL }).map(({ row }) => row);
  const sums: Money[] = [];
  for (const { amount } of rows) {
    const index = sums.findIndex((sum) => sum.currency === amount.currency);
    const sum = sums[index];
    if (sum === undefined) sums.push(amount);
    else sums[index] = addMoney(sum, amount);
  }
  return {
    issuerId,
    entries: view.get(entryCounts, issuerId)?.entries ?? 0,
    balances: rows.map(({ account, amount }) => ({ account, amount })),
    sums,
  };
});
