/**
 * An account's books: invoices, money received, credit. What is paid follows from both alone: all the
 * money ever had, less what went back, pays the invoices that stand, oldest first; the rest is credit.
 * So receivable and credit are never both there, and every entry's legs sum to zero.
 */
import type {
  accountEvents,
  Leg,
  LedgerAccount,
  Settlement,
  Subtotals,
} from '@bivouac/events/billing';
import type { EventOf } from '@bivouac/events/language';
import { minorUnits, money, type Money } from '@bivouac/events/values';

export interface BookedInvoice {
  readonly invoiceId: string;
  readonly number: string;
  readonly issuerId: string;
  readonly total: Money;
  readonly subtotals: Subtotals;
  readonly lineCount: number;
  /** Digest of the blob with its lines. */
  readonly lines: string;
  readonly dueAt: string | undefined;
  paid: Money;
  voided?: { readonly creditNoteId: string; readonly reason: string; booked: boolean };
}

export interface Payment {
  readonly paymentId: string;
  readonly amount: Money;
  reversed: boolean;
}

export interface Ledger {
  /** In the order in which they were booked: the oldest is paid first. */
  readonly invoices: Map<string, BookedInvoice>;
  /** By reference. */
  readonly payments: Map<string, Payment>;
  /** By id. */
  readonly credits: Set<string>;
  /** Money received and credit granted, less what went back, in minor units by currency. */
  readonly funds: Map<string, bigint>;
}

export const ledgerInitial = (): Ledger => ({
  invoices: new Map(),
  payments: new Map(),
  credits: new Set(),
  funds: new Map(),
});

/** What one entry changes: an invoice more or less, or the money there is. */
export type Change =
  | { readonly kind: 'booked'; readonly invoiceId: string; readonly total: Money }
  | { readonly kind: 'voided'; readonly invoiceId: string; readonly total: Money }
  | { readonly kind: 'funds'; readonly amount: Money };

export interface Entry {
  readonly legs: Leg[];
  readonly settled: Settlement[];
}

/** One journal entry: the balances' part of it follows from the change, `others` is the rest. */
export function entryOf(ledger: Ledger, change: Change, others: readonly Leg[]): Entry {
  const { currency } = change.kind === 'funds' ? change.amount : change.total;
  const before = standing(ledger, currency);
  const funds = ledger.funds.get(currency) ?? 0n;
  const after = before
    .filter((i) => !(change.kind === 'voided' && i.invoiceId === change.invoiceId))
    .map((i) => ({ ...i }));
  if (change.kind === 'booked') {
    const { invoiceId, total } = change;
    after.push({ invoiceId, total: minorUnits(total), paid: 0n });
  }
  const fundsAfter = change.kind === 'funds' ? funds + minorUnits(change.amount) : funds;
  const was = balance(before, funds);
  const is = balance(after, fundsAfter);
  const legs = [
    leg('receivable', is.receivable - was.receivable, currency),
    // Credit is what the issuer owes: a credit balance is negative, as revenue is.
    leg('credit', was.credit - is.credit, currency),
    ...others,
  ].filter(({ amount }) => minorUnits(amount) !== 0n);

  const settled = pay(after, fundsAfter).flatMap(({ invoiceId, total, paid }): Settlement[] => {
    const old = before.find((i) => i.invoiceId === invoiceId)?.paid ?? 0n;
    if (old === paid) return [];
    return [{ invoiceId, paid: money(paid, currency), open: money(total - paid, currency) }];
  });
  return { legs, settled };
}

/** One leg of an entry. */
export function leg(account: LedgerAccount, minor: bigint, currency: string): Leg {
  return { account, amount: money(minor, currency) };
}

/** What an account earned its issuer by an invoice (or, by a credit note, no longer). */
export function revenueLegs(subtotals: Subtotals): Leg[] {
  const { currency } = subtotals.plans;
  const { plans, addresses, setup, addOns, fees } = subtotals;
  const earned: [LedgerAccount, Money | undefined][] = [
    ['revenue.plans', plans],
    ['revenue.addresses', addresses],
    ['revenue.setup', setup],
    ['revenue.add-ons', addOns],
    ['revenue.fees', fees],
  ];
  return earned.flatMap(([account, amount]) =>
    amount === undefined ? [] : [leg(account, -minorUnits(amount), currency)],
  );
}

/** What is left to pay of an invoice; nothing of one that is void. */
export function openOf(invoice: BookedInvoice): bigint {
  return invoice.voided === undefined ? minorUnits(invoice.total) - minorUnits(invoice.paid) : 0n;
}

export function evolveLedger(ledger: Ledger, event: EventOf<(typeof accountEvents)[number]>): void {
  switch (event.type) {
    case 'billing.InvoiceBooked': {
      const { invoiceId, number, issuerId, total, subtotals, lineCount, lines } = event.data;
      ledger.invoices.set(invoiceId, {
        ...{ invoiceId, number, issuerId, total, subtotals, lineCount, lines },
        dueAt: event.data.dueAt,
        paid: money(0n, total.currency),
      });
      settle(ledger, event.data.settled ?? []);
      return;
    }
    case 'billing.InvoiceVoided': {
      const { invoiceId, creditNoteId, reason } = event.data;
      const invoice = ledger.invoices.get(invoiceId);
      if (invoice !== undefined) invoice.voided = { creditNoteId, reason, booked: false };
      return;
    }
    case 'billing.CreditNoteBooked': {
      const invoice = ledger.invoices.get(event.data.invoiceId);
      if (invoice?.voided !== undefined) {
        invoice.voided.booked = true;
        invoice.paid = money(0n, invoice.total.currency);
      }
      settle(ledger, event.data.settled);
      return;
    }
    case 'billing.PaymentRecorded': {
      const { reference, paymentId, amount, settled } = event.data;
      ledger.payments.set(reference, { paymentId, amount, reversed: false });
      addFunds(ledger, amount, 1n);
      settle(ledger, settled);
      return;
    }
    case 'billing.PaymentReversed': {
      const { reference, amount, settled } = event.data;
      const payment = ledger.payments.get(reference);
      if (payment !== undefined) payment.reversed = true;
      addFunds(ledger, amount, -1n);
      settle(ledger, settled);
      return;
    }
    case 'billing.CreditGranted':
      ledger.credits.add(event.data.creditId);
      addFunds(ledger, event.data.amount, 1n);
      settle(ledger, event.data.settled);
      return;
    default:
  }
}

function settle(ledger: Ledger, settled: readonly Settlement[]): void {
  for (const { invoiceId, paid } of settled) {
    const invoice = ledger.invoices.get(invoiceId);
    if (invoice !== undefined) invoice.paid = paid;
  }
}

function addFunds(ledger: Ledger, amount: Money, sign: bigint): void {
  const { currency } = amount;
  ledger.funds.set(currency, (ledger.funds.get(currency) ?? 0n) + sign * minorUnits(amount));
}

interface Standing {
  readonly invoiceId: string;
  readonly total: bigint;
  readonly paid: bigint;
}

/** Invoices in the books that no credit note has taken out of them. */
function standing(ledger: Ledger, currency: string): Standing[] {
  return [...ledger.invoices.values()].flatMap(({ invoiceId, total, paid, voided }) =>
    total.currency !== currency || voided?.booked === true
      ? []
      : [{ invoiceId, total: minorUnits(total), paid: minorUnits(paid) }],
  );
}

/** The invoices as the money pays them, oldest first. */
function pay(invoices: readonly Standing[], funds: bigint): Standing[] {
  let left = funds < 0n ? 0n : funds;
  return invoices.map((invoice) => {
    const paid = left < invoice.total ? left : invoice.total;
    left -= paid;
    return { ...invoice, paid };
  });
}

function balance(invoices: readonly Standing[], funds: bigint) {
  const owed = invoices.reduce((sum, { total }) => sum + total, 0n) - funds;
  return owed > 0n ? { receivable: owed, credit: 0n } : { receivable: 0n, credit: -owed };
}
