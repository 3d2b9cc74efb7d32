/** Works out every invoice of a log a second time, and says where the two differ. */
import { compareInvoices } from '../checks/invoices.ts';
import type { JsonEvent } from '../checks/second-opinion/recompute.ts';
import type { ReadLog } from './log-reader.ts';

export interface BillsReport {
  readonly ok: boolean;
  /** Invoices that were compared. */
  readonly invoices: number;
  /** What they come to by issuer, in minor units by currency, as text. */
  readonly totals: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly mismatches: readonly string[];
}

/** Reads the events as plain JSON. Throws where a row cannot be read: verify the log first. */
export async function billsOf(log: ReadLog): Promise<BillsReport> {
  const events: JsonEvent[] = [];
  for await (const event of jsonEvents(log)) events.push(event);
  const { compared, totals, mismatches } = compareInvoices(events);
  return {
    ok: mismatches.length === 0,
    invoices: compared,
    totals: recordOf(totals, (sums) => recordOf(sums, String)),
    mismatches,
  };
}

function recordOf<A, B>(map: ReadonlyMap<string, A>, each: (value: A) => B): Record<string, B> {
  return Object.fromEntries([...map].map(([key, value]) => [key, each(value)]));
}

async function* jsonEvents(log: ReadLog): AsyncGenerator<JsonEvent> {
  const text = new TextDecoder();
  for await (const { event, position } of log.rows()) {
    if (event === undefined) {
      throw new Error(`the row at ${position} cannot be read: see what log verify says of it`);
    }
    const { stream, revision, type, time, data } = event;
    const body: unknown = JSON.parse(text.decode(data));
    yield { stream, revision: revision.toString(), type, time, data: body };
  }
}
