/**
 * What is closed is invoiced once, what is invoiced is booked once, what is void has its credit note,
 * all over the same amounts; and no issuer's numbers have a gap.
 */
import {
  CreditNoteBooked,
  CreditNoteIssued,
  InvoiceBooked,
  InvoiceIssued,
  InvoiceVoided,
  MonthClosed,
} from '@bivouac/events/billing';
import { is, type Recorded } from '@bivouac/events/language';
import { minorUnits, type Money } from '@bivouac/events/values';

import type { History } from './history.ts';

/** A document's way, with what each event on it says it is over. */
interface Way {
  readonly kind: 'invoice' | 'credit note';
  /** What it begins with. */
  wanted: Money | 'its invoice' | undefined;
  issued?: Money;
  booked?: Money;
  /** Of a credit note. */
  invoiceId?: string;
}

export function issueViolations(history: History): string[] {
  const violations: string[] = [];
  const ways = new Map<string, Way>();
  const counts = new Map<string, number>();
  const wayOf = (id: string, kind: Way['kind']): Way => {
    const way = ways.get(id) ?? { kind, wanted: undefined };
    ways.set(id, way);
    return way;
  };
  for (const event of history) {
    const wrong = (what: string): void => {
      violations.push(`${what} (${event.type} at ${event.position})`);
    };
    if (is(event, MonthClosed)) {
      const { accountId, month, owed } = event.data;
      const closing = `${accountId} ${month}`;
      if (counts.has(closing)) wrong(`${month} of ${accountId} is closed twice`);
      counts.set(closing, 1);
      if (owed !== null) wayOf(owed.invoiceId, 'invoice').wanted = owed.total;
    } else if (is(event, InvoiceVoided)) {
      const { creditNoteId, invoiceId } = event.data;
      const way = wayOf(creditNoteId, 'credit note');
      if (way.wanted !== undefined) wrong(`${invoiceId} is voided twice`);
      way.wanted = 'its invoice';
      way.invoiceId = invoiceId;
    } else if (is(event, InvoiceIssued) || is(event, CreditNoteIssued)) {
      const { number, total } = event.data;
      const [id, kind] = documentOf(event);
      const way = wayOf(id, kind);
      if (way.issued !== undefined) wrong(`${id} is issued twice`);
      way.issued = total;
      const count = (counts.get(event.stream) ?? 0) + 1;
      counts.set(event.stream, count);
      const right = `${kind === 'invoice' ? '' : 'C'}${event.time.slice(0, 4)}-${String(count).padStart(6, '0')}`;
      if (number !== right) wrong(`${id} has the number ${number}, and ${right} is next`);
    } else if (is(event, InvoiceBooked) || is(event, CreditNoteBooked)) {
      const [id, kind] = documentOf(event);
      const way = wayOf(id, kind);
      if (way.booked !== undefined) wrong(`${id} is booked twice`);
      way.booked = event.data.total;
    }
  }
  for (const [id, { kind, wanted, issued, booked, invoiceId }] of ways) {
    const invoiced = ways.get(invoiceId ?? '')?.issued;
    const due = wanted === 'its invoice' ? negated(invoiced) : amountOf(wanted);
    const found = { issued: amountOf(issued), booked: amountOf(booked) };
    for (const [how, amount] of Object.entries(found)) {
      if (amount === due && due !== undefined) continue;
      violations.push(
        `the ${kind} ${id} is ${how} over ${amount ?? 'nothing'}, and is due over ${due ?? 'nothing'}`,
      );
    }
  }
  return violations;
}

function documentOf(event: Recorded): readonly [string, Way['kind']] {
  const { creditNoteId, invoiceId } = event.data;
  return typeof creditNoteId === 'string'
    ? [creditNoteId, 'credit note']
    : [String(invoiceId), 'invoice'];
}

function amountOf(money: Money | undefined): string | undefined {
  return money && `${minorUnits(money)} ${money.currency}`;
}

function negated(money: Money | undefined): string | undefined {
  return money && `${-minorUnits(money)} ${money.currency}`;
}
