/**
 * The aggregate of an issuer's number series, `series-<issuer ten id>`: issuing is the append here,
 * the number the count. The series remembers every invoice it numbered: one month, one number.
 */
import { InvoiceIssued } from '@bivouac/events/billing';
import { accept, type DecideContext, type Decision, type EventOf } from '@bivouac/events/language';

/** What a number was given to, and where and when. */
interface Issued {
  readonly number: string;
  readonly revision: bigint;
  readonly at: string;
}

export interface SeriesState {
  /** By invoice; its size is the count. */
  readonly issued: Map<string, Issued>;
}

export const seriesInitial = (): SeriesState => ({ issued: new Map() });

export function seriesStream(issuerId: string): string {
  return `series-${issuerId}`;
}

export function evolveSeries(
  state: SeriesState,
  event: EventOf<typeof InvoiceIssued>,
): SeriesState {
  if (event.type === InvoiceIssued.type) {
    state.issued.set(event.data.invoiceId, {
      number: event.data.number,
      revision: event.revision,
      at: event.time,
    });
  }
  return state;
}

export function issueInvoice(
  state: SeriesState,
  input: Omit<Invoice, 'number'> & { readonly issuerHomeId: string },
  context: Pick<DecideContext, 'now'>,
): Decision {
  if (state.issued.has(input.invoiceId)) return accept();
  const number = numberOf(state.issued.size + 1, context.now);
  const { issuerHomeId: _issuerHomeId, ...invoice } = input;
  return accept(InvoiceIssued({ ...invoice, number }));
}

type Invoice = EventOf<typeof InvoiceIssued>['data'];

/** Year of issue (UTC) and count in the series. The year is for reading; the count never restarts. */
function numberOf(count: number, now: string): string {
  return `${now.slice(0, 4)}-${count.toString().padStart(6, '0')}`;
}
