/**
 * Every journal entry's legs sum to zero, and the balances they come to are those that follow from
 * what was invoiced and what was received alone: all money pays the invoices that stand, oldest first.
 */
import {
  CreditGranted,
  CreditNoteBooked,
  InvoiceBooked,
  type Leg,
  PaymentRecorded,
  PaymentReversed,
  type Settlement,
} from '@bivouac/events/billing';
import { is, type Recorded } from '@bivouac/events/language';
import { minorUnits } from '@bivouac/events/values';

import type { History } from './history.ts';

/** An account's books in one currency. */
interface Books {
  /** What stands, in the order of booking: the oldest is paid first. */
  readonly invoices: Map<string, bigint>;
  /** Received and granted, less what went back. */
  funds: bigint;
  /** Of ledger accounts, as the legs sum up. */
  readonly balances: Map<string, bigint>;
  /** By invoice, as was said last. */
  readonly paid: Map<string, bigint>;
}

export function bookViolations(history: History): string[] {
  const violations: string[] = [];
  const books = new Map<string, Books>();
  for (const event of history) {
    const entry = entryOf(event);
    if (entry === undefined) continue;
    const { accountId, currency, legs, settled } = entry;
    const wrong = (what: string): void => {
      violations.push(`${accountId}: ${what} (${event.type} at ${event.position})`);
    };
    if (legs.some(({ amount }) => amount.currency !== currency)) wrong('it has two currencies');
    const sum = legs.reduce((total, { amount }) => total + minorUnits(amount), 0n);
    if (sum !== 0n) wrong(`its legs sum to ${sum}`);
    const name = `${accountId} ${currency}`;
    const own = books.get(name) ?? empty();
    books.set(name, own);
    entry.change(own);
    for (const { account, amount } of legs) {
      own.balances.set(account, (own.balances.get(account) ?? 0n) + minorUnits(amount));
    }
    for (const { invoiceId, paid } of settled) own.paid.set(invoiceId, minorUnits(paid));
    for (const what of differences(own)) wrong(what);
  }
  return violations;
}

/** What the books say otherwise than what happened. */
function* differences({ invoices, funds, balances, paid }: Books): Generator<string> {
  let left = funds;
  let owed = 0n;
  for (const [invoiceId, total] of invoices) {
    const pays = left > total ? total : left > 0n ? left : 0n;
    left -= pays;
    owed += total - pays;
    const said = paid.get(invoiceId) ?? 0n;
    if (said !== pays) yield `${invoiceId} has ${said} paid, and the money there was pays ${pays}`;
  }
  const receivable = balances.get('receivable') ?? 0n;
  if (receivable !== owed) yield `receivable is ${receivable}, and ${owed} is owed`;
  // What the issuer owes is a credit, so below zero.
  const credit = balances.get('credit') ?? 0n;
  if (credit !== -left) yield `credit is ${credit}, and ${left} is left over`;
}

interface Entry {
  readonly accountId: string;
  readonly currency: string;
  readonly legs: readonly Leg[];
  readonly settled: readonly Settlement[];
  /** What it does to what there is. */
  readonly change: (books: Books) => void;
}

function entryOf(event: Recorded): Entry | undefined {
  if (is(event, InvoiceBooked)) {
    const { accountId, invoiceId, total, legs, settled = [] } = event.data;
    const change = ({ invoices }: Books): void => {
      invoices.set(invoiceId, minorUnits(total));
    };
    return { accountId, currency: total.currency, legs, settled, change };
  }
  if (is(event, CreditNoteBooked)) {
    const { accountId, invoiceId, total, legs, settled } = event.data;
    const change = ({ invoices, paid }: Books): void => {
      invoices.delete(invoiceId);
      paid.delete(invoiceId);
    };
    return { accountId, currency: total.currency, legs, settled, change };
  }
  const sign = is(event, PaymentReversed) ? -1n : 1n;
  if (is(event, PaymentRecorded) || is(event, PaymentReversed) || is(event, CreditGranted)) {
    const { accountId, amount, legs, settled } = event.data;
    const change = (books: Books): void => {
      books.funds += sign * minorUnits(amount);
    };
    return { accountId, currency: amount.currency, legs, settled, change };
  }
  return undefined;
}

function empty(): Books {
  return { invoices: new Map(), funds: 0n, balances: new Map(), paid: new Map() };
}
