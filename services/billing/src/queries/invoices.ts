/** Reading invoices: lists, one with its lines, its history, and what a month will come to. */
import {
  accountEvents,
  CreditNoteIssued,
  InvoiceIssued,
  MonthClosed,
} from '@bivouac/events/billing';
import { is } from '@bivouac/events/language';
import { beganWithin } from '@bivouac/events/operations';
import { historyOf, queryHandler, type QueryContext } from '@bivouac/infra/runtime';
import { pageOf } from '@bivouac/infra/views';

import { account } from '../aggregates.ts';
import {
  InvoiceById,
  InvoiceHistory,
  InvoiceLines,
  Invoices,
  PreviewInvoice,
} from '../api/invoices.ts';
import { accountStream } from '../domain/account.ts';
import { currenciesDiffer } from '../domain/closing.ts';
import { rate } from '../domain/rating.ts';
import { plansOf, renewalsOf, renewed } from '../domain/renewal.ts';
import { accounts } from '../projections/accounts.ts';
import { creditNotes, invoices, type InvoiceRow } from '../projections/invoices.ts';
import { versionsOf } from './catalog.ts';
import { linesOf, linesPage } from './lines.ts';
import { numberedPage } from './numbered.ts';

const definitions = [...accountEvents, InvoiceIssued, CreditNoteIssued];

/** How many events of an account are read at once. */
const CHUNK = 500;

export const invoiceList = queryHandler(
  Invoices,
  (view, { page, accountId, ...filters }, context) => {
    const { reach, homeId } = context.principal;
    const { state, month } = filters;
    const visible = ({ view: row }: InvoiceRow): boolean =>
      context.reaches(row.accountId) &&
      beganWithin(filters, row.issuedAt) &&
      (state === undefined || row.state === state) &&
      (month === undefined || row.month === month);
    const found =
      accountId !== undefined
        ? pageOf(view, invoices, 'byAccount', [accountId], page, visible)
        : reach === 'all'
          ? pageOf(view, invoices, 'byPosition', [], page, visible)
          : pageOf(view, invoices, 'byHome', [homeId], page, visible);
    return {
      ...found,
      items: found.items.map(({ cursor, node }) => ({ cursor, node: node.view })),
    };
  },
);

export const invoiceById = queryHandler(InvoiceById, async (view, { invoiceId }, context) => {
  const row = visibleInvoice(view.get(invoices, invoiceId), context);
  if (row === undefined) return null;
  const found = await linesOf(row.lines, `invoice ${row.view.number}`, context);
  return found.kind === 'refused' ? found : { ...row.view, lines: found.lines };
});

export const invoiceLines = queryHandler(
  InvoiceLines,
  async (view, { invoiceId, page }, context) => {
    const row = visibleInvoice(view.get(invoices, invoiceId), context);
    if (row === undefined) return null;
    return linesPage(row.lines, `invoice ${row.view.number}`, page, context);
  },
);

export const invoiceHistory = queryHandler(
  InvoiceHistory,
  async (view, { invoiceId, page }, context) => {
    const row = visibleInvoice(view.get(invoices, invoiceId), context);
    if (row === undefined) return null;
    const note = view.get(creditNotes, row.view.voided?.creditNoteId ?? '');
    const [voided, ...booked] = row.taken;
    const sources = [
      ...[row.view.closed, row.view.issued, row.booked],
      ...(voided === undefined ? [] : [voided]),
      ...(note === undefined ? [] : [note.view.issued]),
      ...booked,
    ];
    const { items: chosen, ...more } = numberedPage(sources, page);
    // Read from the end, a history comes newest first.
    if (page.reverse) chosen.reverse();
    const pages = await Promise.all(
      chosen.map(async ({ node: source, cursor }) => {
        const revision = BigInt(source.revision);
        const one = await historyOf(context, source.stream, definitions, {
          ...(revision === 0n ? {} : { after: (revision - 1n).toString() }),
          limit: 1,
        });
        return one.items.map((item) => ({ ...item, cursor }));
      }),
    );
    return { items: pages.flat(), end: !(page.reverse ? more.hasPrevious : more.hasNext) };
  },
);

export const previewInvoice = queryHandler(
  PreviewInvoice,
  async (view, { accountId, month }, context) => {
    if (!context.reaches(accountId) || view.get(accounts, accountId) === undefined) return null;
    const { state, closed } = await accountUntilClosed(accountId, month, context);
    // What closing would do first; a closed month has it behind it.
    const renewals = closed ? [] : renewalsOf(state, month, versionsOf(view, plansOf(state)));
    const rated = rate(renewed(state, renewals), month);
    if (rated.kind === 'currencies-differ') return currenciesDiffer(month, rated.currencies);
    const owed = rated.kind === 'owed' ? rated : undefined;
    return {
      accountId,
      month,
      closed,
      periods: [...rated.periods],
      total: owed?.total ?? null,
      subtotals: owed?.subtotals ?? null,
      lines: owed?.lines.map((line) => ({ ...line, causes: [...line.causes] })) ?? [],
    };
  },
);

/** The account by its events: all of them, or for a closed month those it was closed on. */
async function accountUntilClosed(accountId: string, month: string, context: QueryContext) {
  let state = account.initial();
  let after: string | undefined;
  for (;;) {
    const page = { limit: CHUNK, ...(after === undefined ? {} : { after }) };
    const { events, end } = await context.history(accountStream(accountId), page);
    for (const event of events) {
      if (is(event, MonthClosed) && event.data.month === month) return { state, closed: true };
      state = account.evolve(state, event);
      after = event.revision.toString();
    }
    if (end || events.length === 0) return { state, closed: false };
  }
}

function visibleInvoice(
  row: InvoiceRow | undefined,
  context: QueryContext,
): InvoiceRow | undefined {
  return row !== undefined && context.reaches(row.view.accountId) ? row : undefined;
}
