/**
 * From a closed month to a booked invoice. Each step is idempotent by the invoice's id and is run both
 * by whoever asked and by the policies below, so that a month once closed is invoiced and booked
 * whatever dies in between.
 */
import { InvoiceIssued, MonthClosed } from '@bivouac/events/billing';
import { canonicalBytes } from '@bivouac/events/language';
import type { AskInput, AskResult } from '@bivouac/events/operations';
import { type Answer, policy, RuntimeError, type PolicyContext } from '@bivouac/infra/runtime';

import { account, series } from '../aggregates.ts';
import { BookInvoice, CloseMonth, IssueInvoice } from '../api/account.ts';
import { accountStream, type Closing } from '../domain/account.ts';
import { RATED_BY, rate, type Rated } from '../domain/rating.ts';
import { seriesStream } from '../domain/series.ts';
import { accepted } from './charges.ts';

type Invoice = AskResult<'billing.invoice'>['invoice'];

/** Closes the month and answers its invoice, issued and booked; the same for every repeat. */
export async function invoiceAnswer(
  { accountId, month }: AskInput<'billing.invoice'>,
  context: PolicyContext,
): Promise<Answer> {
  const closed = await context.execute(CloseMonth, { accountId, month });
  if (!closed.ok) return { outcome: 'refused', refusal: closed.refusal };
  return { outcome: 'done', result: { invoice: await invoiceOf(accountId, month, context) } };
}

/** A month that was closed by an ask which then died is invoiced all the same. */
export const issueInvoices = policy({
  name: 'billing.issue-invoices',
  on: [MonthClosed],
  target: (event) => accountStream(event.data.accountId),
  react: async (event, context) => {
    if (event.data.owed === null) return;
    await invoiceOf(event.data.accountId, event.data.month, context);
  },
});

/** The debtor's books follow the series. */
export const bookInvoices = policy({
  name: 'billing.book-invoices',
  on: [InvoiceIssued],
  target: (event) => accountStream(event.data.accountId),
  react: async (event, context) => {
    const { accountHomeId: _accountHomeId, ...invoice } = event.data;
    const issued = { stream: event.stream, revision: event.revision.toString() };
    accepted(await context.execute(BookInvoice, { ...invoice, issued, issuedAt: event.time }));
  },
});

/** The invoice of a closed month, issued and booked if it was not yet; null where nothing is owed. */
async function invoiceOf(
  accountId: string,
  month: string,
  context: PolicyContext,
): Promise<Invoice> {
  const { state, homeId } = await context.load(account, accountStream(accountId));
  const closing = state.closed.get(month);
  if (closing === undefined || homeId === undefined) {
    throw new RuntimeError('defect', `${month} of ${accountId} was to be closed and is not`);
  }
  if (closing.owed === null) return null;
  const { invoiceId, total } = closing.owed;
  if (closing.booked !== undefined) return { invoiceId, number: closing.booked.number, total };
  const { issuer } = state;
  if (issuer === undefined) throw new RuntimeError('defect', `${accountId} has no issuer`);

  const invoice = await ratedInvoice(accountId, month, closing, issuer.id, context);
  const issuedIn = seriesStream(issuer.id);
  accepted(
    await context.execute(IssueInvoice, {
      ...invoice,
      issuerHomeId: issuer.homeId,
      accountHomeId: homeId,
    }),
  );
  const issued = (await context.load(series, issuedIn)).state.issued.get(invoiceId);
  if (issued === undefined) {
    throw new RuntimeError('defect', `${invoiceId} was issued and is not in ${issuedIn}`);
  }
  const { number, revision, at: issuedAt, dueAt } = issued;
  accepted(
    await context.execute(BookInvoice, {
      ...{ ...invoice, number, issuedAt },
      ...(dueAt === undefined ? {} : { dueAt }),
      issued: { stream: issuedIn, revision: revision.toString() },
    }),
  );
  return { invoiceId, number, total };
}

/** The closed month's invoice but for its number, with its lines stored. */
async function ratedInvoice(
  accountId: string,
  month: string,
  closing: Closing,
  issuerId: string,
  context: PolicyContext,
) {
  const stream = accountStream(accountId);
  // What the closing was decided on: everything before it, nothing behind it.
  const { state } = await context.load(account, stream, closing.revision - 1n);
  const rated = agreeing(rate(state, month), closing, `${month} of ${accountId}`);
  return {
    ...rated.owed,
    ...{ accountId, issuerId, month, ratedBy: RATED_BY },
    periods: [...rated.periods],
    lines: await context.ports.blobs.put(canonicalBytes(rated.lines)),
    closed: { stream, revision: closing.revision.toString() },
  };
}

/** The lines, provided that they are what the month was closed with. */
function agreeing(rated: Rated, closing: Closing, what: string) {
  const { owed } = closing;
  if (
    owed === null ||
    rated.kind !== 'owed' ||
    rated.total.amount !== owed.total.amount ||
    rated.total.currency !== owed.total.currency ||
    rated.lines.length !== owed.lineCount
  ) {
    throw new RuntimeError('defect', `${what} rates to something else than it was closed with`);
  }
  return { owed, lines: rated.lines, periods: rated.periods };
}
