/** Payments, credit, void invoices and the journal they are all entered in. */
import {
  LegSchema,
  LedgerAccountSchema,
  PaymentReferenceSchema,
  PriceSchema,
  ReasonSchema,
  SettlementSchema,
  SubtotalsSchema,
} from '@bivouac/events/billing';
import { command, PageArgsSchema, pageSchema, query } from '@bivouac/events/language';
import { SourceSchema } from '@bivouac/events/operations';
import { idOf, InstantSchema, MoneySchema } from '@bivouac/events/values';
import { z } from 'zod';

import { InvoiceLineSchema } from './invoices.ts';

const accountId = idOf('tenant');

/**
 * Money came in. The same reference with the same amount is the same payment, for ever; with another
 * amount: PAYMENT_DIFFERS. It pays the oldest open invoices, the rest is credit. By the issuer only:
 * NOT_ALLOWED. Refusal: AMOUNT_NOT_POSITIVE.
 */
export const RecordPayment = command({
  name: 'billing.RecordPayment',
  access: 'tenant',
  right: 'billing.manage',
  input: z.strictObject({
    accountId,
    reference: PaymentReferenceSchema,
    amount: PriceSchema,
    receivedAt: InstantSchema.optional(),
  }),
  result: z.strictObject({ paymentId: idOf('payment') }),
});

/** The money went back. Once per payment. By the issuer only: NOT_ALLOWED. Refusal: PAYMENT_UNKNOWN. */
export const ReversePayment = command({
  name: 'billing.ReversePayment',
  access: 'tenant',
  right: 'billing.manage',
  input: z.strictObject({ accountId, reference: PaymentReferenceSchema, reason: ReasonSchema }),
  result: z.strictObject({ paymentId: idOf('payment') }),
});

/** Credit pays open invoices, then those to come. By the issuer only: NOT_ALLOWED. */
export const GrantCredit = command({
  name: 'billing.GrantCredit',
  access: 'tenant',
  right: 'billing.manage',
  input: z.strictObject({ accountId, amount: PriceSchema, reason: ReasonSchema }),
  result: z.strictObject({ creditId: idOf('item').nullable() }),
});

/**
 * Takes a whole invoice back: a credit note in the issuer's credit series follows, once. What had been
 * paid of it pays others, or is credit. By the issuer only: NOT_ALLOWED. Refusal: INVOICE_UNKNOWN.
 */
export const VoidInvoice = command({
  name: 'billing.VoidInvoice',
  access: 'tenant',
  right: 'billing.manage',
  input: z.strictObject({ accountId, invoiceId: idOf('invoice'), reason: ReasonSchema }),
  result: z.strictObject({ invoiceId: idOf('invoice'), creditNoteId: idOf('creditNote') }),
});

export const PaymentViewSchema = z.object({
  id: idOf('payment'),
  accountId,
  reference: z.string(),
  amount: MoneySchema,
  receivedAt: InstantSchema.nullable(),
  recordedAt: InstantSchema,
  /** The invoices whose paid part it changed, as they stood then. */
  settled: z.array(SettlementSchema),
  reversed: z.object({ at: InstantSchema, reason: z.string() }).nullable(),
  position: z.string(),
});
export type PaymentView = z.output<typeof PaymentViewSchema>;

/** An account's payments, oldest first. */
export const Payments = query({
  name: 'billing.Payments',
  access: 'tenant',
  right: 'billing.read',
  input: z.strictObject({ page: PageArgsSchema, accountId }),
  result: pageSchema(PaymentViewSchema),
});

export const PaymentByReference = query({
  name: 'billing.PaymentByReference',
  access: 'tenant',
  right: 'billing.read',
  input: z.strictObject({ accountId, reference: PaymentReferenceSchema }),
  result: PaymentViewSchema.nullable(),
});

export const CreditNoteViewSchema = z.object({
  id: idOf('creditNote'),
  /** Gapless within the issuer's credit series, e.g. `C2026-000001`. */
  number: z.string(),
  accountId,
  issuerId: idOf('tenant'),
  invoiceId: idOf('invoice'),
  invoiceNumber: z.string(),
  reason: z.string(),
  /** The invoice's, negated. */
  total: MoneySchema,
  subtotals: SubtotalsSchema,
  lineCount: z.number().int(),
  issued: SourceSchema,
  issuedAt: InstantSchema,
  bookedAt: InstantSchema,
  position: z.string(),
});
export type CreditNoteView = z.output<typeof CreditNoteViewSchema>;

/** An account's credit notes, oldest first. */
export const CreditNotes = query({
  name: 'billing.CreditNotes',
  access: 'tenant',
  right: 'billing.read',
  input: z.strictObject({ page: PageArgsSchema, accountId }),
  result: pageSchema(CreditNoteViewSchema),
});

export const CreditNoteById = query({
  name: 'billing.CreditNoteById',
  access: 'tenant',
  right: 'billing.read',
  input: z.strictObject({ creditNoteId: idOf('creditNote') }),
  result: CreditNoteViewSchema.nullable(),
});

/** A note's lines by their number, from 0; the amounts are the invoice's, negated. */
export const CreditNoteLines = query({
  name: 'billing.CreditNoteLines',
  access: 'tenant',
  right: 'billing.read',
  input: z.strictObject({ creditNoteId: idOf('creditNote'), page: PageArgsSchema }),
  result: pageSchema(InvoiceLineSchema).nullable(),
});

export const JournalEntrySchema = z.object({
  /** The event that is the entry. */
  eventId: z.uuid(),
  type: z.string(),
  accountId,
  issuerId: idOf('tenant'),
  /** What a clerk finds it by: a number or a reference. */
  reference: z.string(),
  legs: z.array(LegSchema),
  time: InstantSchema,
  position: z.string(),
});
export type JournalEntry = z.output<typeof JournalEntrySchema>;

/**
 * The journal of an issuer, or of one account it invoices: each entry whole, its legs summing to
 * zero. For whoever reaches the issuer; of others: an empty page.
 */
export const Journal = query({
  name: 'billing.Journal',
  access: 'tenant',
  right: 'billing.read',
  input: z.strictObject({
    page: PageArgsSchema,
    issuerId: idOf('tenant'),
    accountId: accountId.optional(),
  }),
  result: pageSchema(JournalEntrySchema),
});

/**
 * The sums of an issuer's journal by ledger account and currency: debits positive, credits negative,
 * zero in all. Null for whoever does not reach the issuer.
 */
export const TrialBalance = query({
  name: 'billing.TrialBalance',
  access: 'tenant',
  right: 'billing.read',
  input: z.strictObject({ issuerId: idOf('tenant') }),
  result: z
    .object({
      issuerId: idOf('tenant'),
      entries: z.number().int(),
      balances: z.array(z.object({ account: LedgerAccountSchema, amount: MoneySchema })),
      /** Per currency; each is zero, or the books are wrong. */
      sums: z.array(MoneySchema),
    })
    .nullable(),
});
