/**
 * Events of an account's stream that move money between ledger accounts. Each is one journal entry
 * with all its legs; `settled` says which invoices' paid parts it changed.
 */
import { z } from 'zod';

import { customer, event, staff } from '../language/index.ts';
import { SourceSchema } from '../operations/index.ts';
import { idOf, InstantSchema } from '../values/index.ts';
import { creditNoteFields } from './credit-note.ts';
import {
  LegSchema,
  PaymentReferenceSchema,
  PriceSchema,
  ReasonSchema,
  SettlementSchema,
} from './facts.ts';

const accountId = customer(idOf('tenant'));
const entry = {
  legs: staff(z.array(LegSchema).min(2)),
  settled: customer(z.array(SettlementSchema)),
} as const;

/** The issuer takes an invoice back; a credit note follows. Nothing is owed by it from here on. */
export const InvoiceVoided = event(
  'billing.InvoiceVoided',
  z.strictObject({
    accountId,
    invoiceId: customer(idOf('invoice')),
    creditNoteId: customer(idOf('creditNote')),
    reason: customer(ReasonSchema),
  }),
);

/** The credit note is in the account's books. What had been paid of its invoice pays others. */
export const CreditNoteBooked = event(
  'billing.CreditNoteBooked',
  z.strictObject({
    accountId,
    ...creditNoteFields,
    issued: customer(SourceSchema),
    issuedAt: customer(InstantSchema),
    ...entry,
  }),
);

/** Money came in, known by its reference for ever. It pays the oldest invoices first. */
export const PaymentRecorded = event(
  'billing.PaymentRecorded',
  z.strictObject({
    accountId,
    paymentId: customer(idOf('payment')),
    reference: customer(PaymentReferenceSchema),
    amount: customer(PriceSchema),
    /** When the money came in, where that is known. */
    receivedAt: customer(InstantSchema.optional()),
    ...entry,
  }),
);

/** The money went back, e.g. a returned debit. Invoices it had paid are open again, newest first. */
export const PaymentReversed = event(
  'billing.PaymentReversed',
  z.strictObject({
    accountId,
    paymentId: customer(idOf('payment')),
    reference: customer(PaymentReferenceSchema),
    amount: customer(PriceSchema),
    reason: customer(ReasonSchema),
    ...entry,
  }),
);

/** The issuer gives the account credit: it pays the oldest open invoices, or those to come. */
export const CreditGranted = event(
  'billing.CreditGranted',
  z.strictObject({
    accountId,
    creditId: customer(idOf('item')),
    amount: customer(PriceSchema),
    reason: customer(ReasonSchema),
    ...entry,
  }),
);

export const ledgerEvents = [
  InvoiceVoided,
  CreditNoteBooked,
  PaymentRecorded,
  PaymentReversed,
  CreditGranted,
] as const;
