/**
 * The aggregate of an issuer's number series, `series-<issuer ten id>`: issuing is the append here,
 * the number the count. The series remembers every invoice it numbered: one month, one number.
 */
import {
  InvoiceIssued,
  type Period,
  type RatingPolicy,
  type Subtotals,
} from '@bivouac/events/billing';
import { accept, type DecideContext, type Decision, type EventOf } from '@bivouac/events/language';
import type { Source } from '@bivouac/events/operations';
import type { Money } from '@bivouac/events/values';

export interface SeriesState {
  /** Invoice to number and revision; its size is the count. */
  readonly issued: Map<string, { readonly number: string; readonly revision: bigint }>;
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
    });
  }
  return state;
}

export function issueInvoice(
  state: SeriesState,
  input: {
    readonly issuerId: string;
    readonly invoiceId: string;
    readonly accountId: string;
    readonly accountHomeId: string;
    readonly month: string;
    readonly periods: readonly Period[];
    readonly ratedBy: RatingPolicy;
    readonly total: Money;
    readonly subtotals: Subtotals;
    readonly lineCount: number;
    readonly lines: string;
    readonly closed: Source;
  },
  context: Pick<DecideContext, 'now'>,
): Decision {
  if (state.issued.has(input.invoiceId)) return accept();
  const number = numberOf(state.issued.size + 1, context.now);
  const { issuerId, invoiceId, accountId, accountHomeId, month, periods, ratedBy } = input;
  const { total, subtotals, lineCount, lines, closed } = input;
  return accept(
    InvoiceIssued({
      ...{ invoiceId, number, issuerId, accountId, accountHomeId, month, ratedBy, total },
      ...{ subtotals, lineCount, lines, closed, periods: [...periods] },
    }),
  );
}

/** Year of issue (UTC) and count in the series. The year is for reading; the count never restarts. */
function numberOf(count: number, now: string): string {
  return `${now.slice(0, 4)}-${count.toString().padStart(6, '0')}`;
}
