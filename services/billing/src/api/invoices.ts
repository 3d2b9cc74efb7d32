/** Invoices, balances and what will be charged, as tenants and staff read them. */
import {
  CauseSchema,
  DaySchema,
  DunningStageSchema,
  PeriodSchema,
  RatingPolicySchema,
  SubtotalsSchema,
} from '@bivouac/events/billing';
import { query, PageArgsSchema, pageSchema } from '@bivouac/events/language';
import {
  createdRangeShape,
  HistoryArgsSchema,
  HistoryPageSchema,
  MonthSchema,
  SourceSchema,
} from '@bivouac/events/operations';
import { idOf, InstantSchema, MoneySchema } from '@bivouac/events/values';
import { z } from 'zod';

const invoiceId = idOf('invoice');
const accountId = idOf('tenant');

/**
 * One line: amount = unit price x units x days / of, rounded half up to the currency's minor unit. `causes`
 * are the events it follows from, oldest first.
 */
export const InvoiceLineSchema = z.object({
  kind: z.enum(['plan', 'address', 'setup', 'add-on', 'fee']),
  description: z.string(),
  /** Null where the account itself is charged. */
  subscriptionId: idOf('subscription').nullable(),
  containerId: idOf('container').nullable(),
  /** Days charged, in the subscription's zone: from the first, until (exclusive). */
  service: z.object({ zone: z.string(), from: DaySchema, until: DaySchema }),
  /** Days charged of the days the month has; 1 of 1 for a fee. */
  quantity: z.object({ days: z.number().int(), of: z.number().int() }),
  /** How many of it. */
  units: z.number().int().min(1).default(1),
  unitPrice: MoneySchema,
  amount: MoneySchema,
  causes: z.array(CauseSchema).min(1),
});
export type InvoiceLine = z.output<typeof InvoiceLineSchema>;

export const InvoiceViewSchema = z.object({
  id: invoiceId,
  /** Gapless within the issuer's series, e.g. `2026-000001`. */
  number: z.string(),
  /** The tenant that owes it; its invoices, balance and subscriptions have the same id. */
  accountId,
  issuerId: idOf('tenant'),
  month: MonthSchema,
  periods: z.array(PeriodSchema),
  /** The rule it was rated by. */
  ratedBy: RatingPolicySchema,
  total: MoneySchema,
  subtotals: SubtotalsSchema,
  lineCount: z.number().int(),
  /** `void`: taken back by a credit note. */
  state: z.enum(['open', 'paid', 'void']),
  paid: MoneySchema,
  open: MoneySchema,
  /** Null: no term was agreed when it was issued. */
  dueAt: InstantSchema.nullable(),
  /** How far its debtor was reminded. */
  dunning: DunningStageSchema.nullable(),
  voided: z.object({ creditNoteId: idOf('creditNote'), reason: z.string() }).nullable(),
  issuedAt: InstantSchema,
  /** The event by which it was issued, and the closing of the month it was rated from. */
  issued: SourceSchema,
  closed: SourceSchema,
  /** When it entered the account's books: from then on it is listed. */
  bookedAt: InstantSchema,
  /** Position of its booking: the order of lists. */
  position: z.string(),
});
export type InvoiceView = z.output<typeof InvoiceViewSchema>;

/** Invoices the caller may see, oldest first; what is given of the filters must hold together. */
export const Invoices = query({
  name: 'billing.Invoices',
  access: 'tenant',
  right: 'billing.read',
  input: z.strictObject({
    page: PageArgsSchema,
    accountId: accountId.optional(),
    state: InvoiceViewSchema.shape.state.optional(),
    month: MonthSchema.optional(),
    /** By when they were issued. */
    ...createdRangeShape,
  }),
  result: pageSchema(InvoiceViewSchema),
});

/** One invoice with its lines. */
export const InvoiceById = query({
  name: 'billing.InvoiceById',
  access: 'tenant',
  right: 'billing.read',
  input: z.strictObject({ invoiceId }),
  result: InvoiceViewSchema.extend({ lines: z.array(InvoiceLineSchema) }).nullable(),
});

/** An invoice's lines by their number, from 0. */
export const InvoiceLines = query({
  name: 'billing.InvoiceLines',
  access: 'tenant',
  right: 'billing.read',
  input: z.strictObject({ invoiceId, page: PageArgsSchema }),
  result: pageSchema(InvoiceLineSchema).nullable(),
});

/**
 * What an account owes and what it has to its credit by its books, per currency: `credit` is what was
 * paid or granted beyond all its invoices. Both are empty where nothing was ever booked.
 */
export const AccountBalance = query({
  name: 'billing.AccountBalance',
  access: 'tenant',
  right: 'billing.read',
  input: z.strictObject({ accountId }),
  result: z
    .object({
      accountId,
      owed: z.array(MoneySchema),
      credit: z.array(MoneySchema),
      /** Journal entries. */
      bookings: z.number().int(),
      dunningPaused: z.object({ at: InstantSchema, reason: z.string() }).nullable(),
    })
    .nullable(),
});

/**
 * The month rated now, by the function that rates invoices over the same events. A subscription that
 * still runs counts to the month's end. `closed`: these are the invoiced lines, they cannot change.
 * Refusal: CURRENCIES_DIFFER.
 */
export const PreviewInvoice = query({
  name: 'billing.PreviewInvoice',
  access: 'tenant',
  right: 'billing.read',
  input: z.strictObject({ accountId, month: MonthSchema }),
  result: z
    .object({
      accountId,
      month: MonthSchema,
      closed: z.boolean(),
      periods: z.array(PeriodSchema),
      /** Null where nothing is owed. */
      total: MoneySchema.nullable(),
      subtotals: SubtotalsSchema.nullable(),
      lines: z.array(InvoiceLineSchema),
    })
    .nullable(),
});

export const SubscriptionViewSchema = z.object({
  id: idOf('subscription'),
  accountId,
  containerId: idOf('container'),
  hostname: z.string(),
  planId: idOf('plan'),
  planCode: z.string(),
  monthly: MoneySchema,
  /** Of each address beyond the included ones. */
  extraAddressMonthly: MoneySchema,
  zone: z.string(),
  /** Addresses in service, the included ones among them. */
  addresses: z.number().int(),
  startedAt: InstantSchema,
  endedAt: InstantSchema.nullable(),
  /** Nothing is charged for it: the order it came from was undone. */
  voided: z.boolean(),
  position: z.string(),
});

export type SubscriptionView = z.output<typeof SubscriptionViewSchema>;

/** What an account is charged for, oldest first. */
export const Subscriptions = query({
  name: 'billing.Subscriptions',
  access: 'tenant',
  right: 'billing.read',
  input: z.strictObject({ page: PageArgsSchema, accountId }),
  result: pageSchema(SubscriptionViewSchema),
});

/** What is open in billing: what still charges, and what is closed and not yet booked. */
export const Leftovers = query({
  name: 'billing.Leftovers',
  access: 'staff',
  right: 'platform.read',
  input: z.strictObject({}),
  result: z.object({
    /** Subscriptions that have not ended. */
    openCharges: z.number().int(),
    /** Invoices, and credit notes of void ones, that are due in an account's books and not there yet. */
    unbookedInvoices: z.number().int(),
  }),
});

/** The events of an invoice's life: its month closed, issued, booked. Cursors are ordinals. */
export const InvoiceHistory = query({
  name: 'billing.InvoiceHistory',
  access: 'tenant',
  right: 'billing.read',
  input: z.strictObject({ invoiceId, page: HistoryArgsSchema }),
  result: HistoryPageSchema.nullable(),
});

/** The events of an account's stream. */
export const AccountHistory = query({
  name: 'billing.AccountHistory',
  access: 'tenant',
  right: 'billing.read',
  input: z.strictObject({ accountId, page: HistoryArgsSchema }),
  result: HistoryPageSchema.nullable(),
});
