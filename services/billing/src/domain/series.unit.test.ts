import { describe, expect, it } from '@jest/globals';
import type { InvoiceIssued } from '@bivouac/events/billing';
import type { EventOf, Recorded } from '@bivouac/events/language';
import { deriveId } from '@bivouac/events/values';
import fc from 'fast-check';

import { periodOf } from './calendar.ts';
import { RATED_BY } from './rating.ts';
import { eur, issuerId } from './sample-charges.ts';
import { evolveSeries, issueInvoice, seriesInitial } from './series.ts';

const invoice = (name: string) => {
  const accountId = deriveId('tenant', name);
  return {
    ...{ issuerId, issuerHomeId: issuerId, accountId, accountHomeId: accountId },
    ...{ invoiceId: deriveId('invoice', name), month: '2026-04', ratedBy: RATED_BY },
    ...{ total: eur('1.00'), lineCount: 1, lines: '0'.repeat(64) },
    periods: [periodOf('2026-04', 'UTC')],
    subtotals: { plans: eur('1.00'), addresses: eur('0.00'), setup: eur('0.00') },
    closed: { stream: `account-${accountId}`, revision: '1' },
  };
};

/** Issues in turn and answers the number of each event appended. */
function issued(names: readonly string[], now = '2026-05-01T00:00:00.000Z'): string[] {
  const numbers: string[] = [];
  let state = seriesInitial();
  for (const name of names) {
    const decision = issueInvoice(state, invoice(name), { now });
    if (decision.kind === 'refused') throw new Error(decision.refusal.code);
    for (const event of decision.events) {
      const whole = { ...event, revision: BigInt(numbers.length), time: now } as Recorded;
      state = evolveSeries(state, whole as EventOf<typeof InvoiceIssued>);
      numbers.push(String(event.data['number']));
    }
  }
  return numbers;
}

describe('a series', () => {
  it('numbers by year of issue and count', () => {
    expect(issued(['a', 'b'])).toEqual(['2026-000001', '2026-000002']);
    expect(issued(['a'], '2027-01-01T00:00:00.000Z')).toEqual(['2027-000001']);
  });

  it('gives each invoice one number, without gaps, however often it is issued', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e')), (names) => {
        const counts = issued(names).map((number) => Number(number.slice(5)));
        expect(counts).toEqual([...new Set(names)].map((_, i) => i + 1));
      }),
    );
  });
});
