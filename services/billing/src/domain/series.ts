/**
 * The aggregates of an issuer's number series, `series-<issuer ten id>` for invoices and
 * `credits-<issuer ten id>` for credit notes: issuing is the append here, the number the count. A
 * series remembers everything it numbered: one month, one number.
 */
import { CreditNoteIssued, InvoiceIssued, PaymentTermSet } from '@bivouac/events/billing';
import { accept, type DecideContext, type Decision, type EventOf } from '@bivouac/events/language';
import { plusSeconds } from '@bivouac/events/values';

/** What a number was given to, and where and when. */
interface Issued {
  readonly number: string;
  readonly revision: bigint;
  readonly at: string;
  readonly dueAt?: string | undefined;
}

export interface SeriesState {
  /** By invoice or credit note; its size is the count. */
  readonly issued: Map<string, Issued>;
  /** Days from an invoice's issue until it is due. */
  term: number;
}

/** Days to pay in, where the issuer has set none. */
export const DEFAULT_TERM = 14;

export const seriesInitial = (): SeriesState => ({ issued: new Map(), term: DEFAULT_TERM });

export function seriesStream(issuerId: string): string {
  return `series-${issuerId}`;
}

export function creditsStream(issuerId: string): string {
  return `credits-${issuerId}`;
}

export function evolveSeries(
  state: SeriesState,
  event: EventOf<typeof InvoiceIssued | typeof CreditNoteIssued | typeof PaymentTermSet>,
): SeriesState {
  switch (event.type) {
    case 'billing.InvoiceIssued': {
      const { invoiceId, number, dueAt } = event.data;
      const { revision, time: at } = event;
      state.issued.set(invoiceId, { number, revision, at, dueAt });
      return state;
    }
    case 'billing.CreditNoteIssued': {
      const { creditNoteId, number } = event.data;
      state.issued.set(creditNoteId, { number, revision: event.revision, at: event.time });
      return state;
    }
    case 'billing.PaymentTermSet':
      state.term = event.data.days;
      return state;
    default:
      return state;
  }
}

export function issueInvoice(
  state: SeriesState,
  input: Omit<Invoice, 'number' | 'dueAt'> & { readonly issuerHomeId: string },
  context: Pick<DecideContext, 'now'>,
): Decision {
  if (state.issued.has(input.invoiceId)) return accept();
  const number = numberOf(state.issued.size + 1, context.now);
  const { issuerHomeId: _issuerHomeId, ...invoice } = input;
  const dueAt = plusSeconds(context.now, state.term * 86_400);
  return accept(InvoiceIssued({ ...invoice, number, dueAt }));
}

export function setPaymentTerm(
  state: SeriesState,
  input: { readonly issuerId: string; readonly days: number },
): Decision {
  if (state.term === input.days) return accept();
  return accept(PaymentTermSet({ issuerId: input.issuerId, days: input.days }));
}

export function issueCreditNote(
  state: SeriesState,
  input: Omit<EventOf<typeof CreditNoteIssued>['data'], 'number'> & {
    readonly issuerHomeId: string;
  },
  context: Pick<DecideContext, 'now'>,
): Decision {
  if (state.issued.has(input.creditNoteId)) return accept();
  const number = `C${numberOf(state.issued.size + 1, context.now)}`;
  const { issuerHomeId: _issuerHomeId, ...note } = input;
  return accept(CreditNoteIssued({ ...note, number }));
}

type Invoice = EventOf<typeof InvoiceIssued>['data'];

/** Year of issue (UTC) and count in the series. The year is for reading; the count never restarts. */
function numberOf(count: number, now: string): string {
  return `${now.slice(0, 4)}-${count.toString().padStart(6, '0')}`;
}
