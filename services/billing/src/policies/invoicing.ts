/**
 * From a closed month to a booked invoice. Each step is idempotent by the invoice's id and is run both
 * by whoever asked and by the policies below, so that a month once closed is invoiced and booked
 * whatever dies in between.
 */
import { InvoiceIssued, MonthClosed } from '@bivouac/events/billing';
import { canonicalBytes } from '@bivouac/events/language';
import type { AskResult } from '@bivouac/events/operations';
import { policy, responder, RuntimeError, type PolicyContext } from '@bivouac/infra/runtime';

import { account, series } from '../aggregates.ts';
import { BookInvoice, CloseMonth, IssueInvoice } from '../api/account.ts';
import { accountStream, type AccountState, type Closing } from '../domain/account.ts';
import { RATED_BY, rate, type Rated } from '../domain/rating.ts';
import { seriesStream } from '../domain/series.ts';
import { accepted } from './accepted.ts';

type Invoice = AskResult<'billing.invoice'>['invoice'];

/** Closes the month and answers its invoice, issued and booked; the same for every repeat. */
export const answerInvoice = responder('billing.invoice', {
  target: ({ accountId }) => accountStream(accountId),
  act: async ({ accountId, month }, context) => {
    const closed = await context.execute(CloseMonth, { accountId, month });
    if (!closed.ok) return { outcome: 'refused', refusal: closed.refusal };
    return { outcome: 'done', result: { invoice: await invoiceOf(accountId, month, context) } };
  },
  // A closed month stays closed and its invoice stands: asked again, it is the answer.
});

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
    const { accountId, invoiceId, number, month, total, subtotals } = event.data;
    const issued = { stream: event.stream, revision: event.revision.toString() };
    accepted(
      await context.execute(BookInvoice, {
        ...{ accountId, invoiceId, number, month, total, subtotals, issued },
      }),
    );
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
  const { invoiceId, total, subtotals } = closing.owed;
  if (closing.booked !== undefined) return { invoiceId, number: closing.booked.number, total };

  const { issuer } = state;
  if (issuer === undefined) throw new RuntimeError('defect', `${accountId} has no issuer`);
  const issuedIn = seriesStream(issuer.id);
  if (!(await context.load(series, issuedIn)).state.issued.has(invoiceId)) {
    await issue(accountId, homeId, month, closing, issuer, context);
  }
  const issued = (await context.load(series, issuedIn)).state.issued.get(invoiceId);
  if (issued === undefined) {
    throw new RuntimeError('defect', `${invoiceId} was issued and is not in ${issuedIn}`);
  }
  const { number } = issued;
  const source = { stream: issuedIn, revision: issued.revision.toString() };
  accepted(
    await context.execute(BookInvoice, {
      ...{ accountId, invoiceId, number, month, total, subtotals, issued: source },
    }),
  );
  return { invoiceId, number, total };
}

async function issue(
  accountId: string,
  accountHomeId: string,
  month: string,
  closing: Closing,
  issuer: NonNullable<AccountState['issuer']>,
  context: PolicyContext,
): Promise<void> {
  const stream = accountStream(accountId);
  // What the closing was decided on: everything before it, nothing behind it.
  const { state } = await context.load(account, stream, closing.revision - 1n);
  const rated = agreeing(
    rate(state.subscriptions.values(), month),
    closing,
    `${month} of ${accountId}`,
  );
  const { invoiceId, total, subtotals, lineCount } = rated.owed;
  accepted(
    await context.execute(IssueInvoice, {
      issuerId: issuer.id,
      issuerHomeId: issuer.homeId,
      ...{ invoiceId, accountId, accountHomeId, month, total, subtotals, lineCount },
      periods: [...rated.periods],
      ratedBy: RATED_BY,
      lines: await context.ports.blobs.put(canonicalBytes(rated.lines)),
      closed: { stream, revision: closing.revision.toString() },
    }),
  );
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
