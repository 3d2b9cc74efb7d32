/** Money in and out of an account: payments by reference, their reversal, credit, and void invoices. */
import {
  CreditGranted,
  CreditNoteBooked,
  InvoiceVoided,
  PaymentRecorded,
  PaymentReversed,
} from '@bivouac/events/billing';
import {
  accept,
  refuse,
  type Decided,
  type DecideContext,
  type Decision,
  type EventOf,
} from '@bivouac/events/language';
import { deriveId, minorUnits, money, type Money } from '@bivouac/events/values';

import type { AccountState } from './account.ts';
import { clearedBy, clearOf, notIssuer } from './dunning.ts';
import { entryOf, leg, revenueLegs } from './ledger.ts';

interface ByIssuer {
  readonly accountId: string;
  /** Whether whoever asks acts for whoever invoices the account. */
  readonly byIssuer: boolean;
}

/** A payment is what its reference says it is, for ever. */
export function paymentIdOf(accountId: string, reference: string): string {
  return deriveId('payment', accountId, reference);
}

export function recordPayment(
  state: AccountState,
  input: ByIssuer & {
    readonly reference: string;
    readonly amount: Money;
    readonly receivedAt?: string | undefined;
  },
  context: Pick<DecideContext, 'homeId'>,
): Decision {
  const { accountId, reference } = input;
  if (!input.byIssuer) return notIssuer();
  const known = state.ledger.payments.get(reference);
  if (known !== undefined) {
    if (sameMoney(known.amount, input.amount)) return accept();
    return refuse(
      'PAYMENT_DIFFERS',
      `Payment ${reference} is recorded with ${known.amount.amount} ${known.amount.currency}; another payment needs its own reference.`,
      { path: ['input', 'reference'], details: { paymentId: known.paymentId } },
    );
  }
  const wrong = notPositive(input.amount);
  if (wrong !== undefined) return wrong;
  const amount = exact(input.amount);
  const minor = minorUnits(amount);
  const entry = entryOf(state.ledger, { kind: 'funds', amount }, [
    leg('cash', minor, amount.currency),
  ]);
  return accept<Decided>(
    PaymentRecorded({
      accountId,
      paymentId: paymentIdOf(accountId, reference),
      ...{ reference, amount, ...entry },
      ...(input.receivedAt === undefined ? {} : { receivedAt: input.receivedAt }),
    }),
    ...clearedBy(state, accountId, context.homeId, entry.settled),
  );
}

export function reversePayment(
  state: AccountState,
  input: ByIssuer & { readonly reference: string; readonly reason: string },
): Decision {
  const { accountId, reference, reason } = input;
  if (!input.byIssuer) return notIssuer();
  const payment = state.ledger.payments.get(reference);
  if (payment === undefined) {
    return refuse(
      'PAYMENT_UNKNOWN',
      `No payment ${reference} was recorded for this account; read its payments.`,
      { path: ['input', 'reference'] },
    );
  }
  if (payment.reversed) return accept();
  const { amount, paymentId } = payment;
  const back = money(-minorUnits(amount), amount.currency);
  const entry = entryOf(state.ledger, { kind: 'funds', amount: back }, [
    leg('cash', minorUnits(back), amount.currency),
  ]);
  return accept(PaymentReversed({ accountId, paymentId, reference, amount, reason, ...entry }));
}

export function grantCredit(
  state: AccountState,
  input: ByIssuer & { readonly amount: Money; readonly reason: string },
  context: Pick<DecideContext, 'homeId' | 'commandKey'>,
): Decision {
  const { accountId, reason } = input;
  if (!input.byIssuer) return notIssuer();
  const wrong = notPositive(input.amount);
  if (wrong !== undefined) return wrong;
  const amount = exact(input.amount);
  const creditId = deriveId('item', context.commandKey);
  const entry = entryOf(state.ledger, { kind: 'funds', amount }, [
    leg('revenue.credits', minorUnits(amount), amount.currency),
  ]);
  return accept<Decided>(
    CreditGranted({ accountId, creditId, amount, reason, ...entry }),
    ...clearedBy(state, accountId, context.homeId, entry.settled),
  );
}

/** An invoice has one credit note, for ever. */
export function creditNoteIdOf(invoiceId: string): string {
  return deriveId('creditNote', invoiceId);
}

export function voidInvoice(
  state: AccountState,
  input: ByIssuer & { readonly invoiceId: string; readonly reason: string },
  context: Pick<DecideContext, 'homeId'>,
): Decision {
  const { accountId, invoiceId, reason } = input;
  if (!input.byIssuer) return notIssuer();
  const invoice = state.ledger.invoices.get(invoiceId);
  if (invoice === undefined) return unknownInvoice(invoiceId);
  if (invoice.voided !== undefined) return accept();
  return accept<Decided>(
    InvoiceVoided({ accountId, invoiceId, creditNoteId: creditNoteIdOf(invoiceId), reason }),
    ...clearOf(state, accountId, context.homeId, invoiceId),
  );
}

export function bookCreditNote(
  state: AccountState,
  note: Omit<EventOf<typeof CreditNoteBooked>['data'], 'legs' | 'settled'>,
  context: Pick<DecideContext, 'homeId'>,
): Decision {
  const { accountId, invoiceId, total, subtotals } = note;
  const invoice = state.ledger.invoices.get(invoiceId);
  if (invoice === undefined) return unknownInvoice(invoiceId);
  if (
    invoice.voided?.creditNoteId !== note.creditNoteId ||
    minorUnits(invoice.total) !== -minorUnits(total) ||
    invoice.total.currency !== total.currency
  ) {
    return refuse(
      'INVOICE_DIFFERS',
      `Credit note ${note.number} is not what invoice ${invoice.number} was voided by; compare both.`,
    );
  }
  if (invoice.voided.booked) return accept();
  const change = { kind: 'voided', invoiceId, total: invoice.total } as const;
  const entry = entryOf(state.ledger, change, revenueLegs(subtotals));
  return accept<Decided>(
    CreditNoteBooked({ ...note, ...entry }),
    ...clearedBy(state, accountId, context.homeId, entry.settled),
  );
}

function unknownInvoice(invoiceId: string): ReturnType<typeof refuse> {
  return refuse('INVOICE_UNKNOWN', `This account has no invoice ${invoiceId}; check both ids.`, {
    path: ['input', 'invoiceId'],
  });
}

function notPositive(amount: Money): ReturnType<typeof refuse> | undefined {
  if (minorUnits(amount) > 0n) return undefined;
  return refuse('AMOUNT_NOT_POSITIVE', 'The amount is zero; give what was really paid.', {
    path: ['input', 'amount'],
  });
}

function sameMoney(a: Money, b: Money): boolean {
  return a.currency === b.currency && minorUnits(a) === minorUnits(b);
}

/** `20` and `20.00` EUR are recorded alike. */
function exact(amount: Money): Money {
  return money(minorUnits(amount), amount.currency);
}
