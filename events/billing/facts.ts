/**
 * Facts of billing that its events, commands and answers share: prices, causes, invoice totals and
 * ledger legs.
 */
import { z } from 'zod';

import { LimitsSchema } from '../operations/index.ts';
import { idOf, InstantSchema, minorUnits, MoneySchema } from '../values/index.ts';

/** A price: money that is not negative and has no more digits than its currency. */
export const PriceSchema = MoneySchema.refine(isPrice, {
  error: 'expected an amount that is not negative, with no more digits than its currency has',
});

/** A plan's code: what customers order by. Upper and lower case name the same plan. */
export const PlanCodeSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/, {
  error: 'expected a plan code of letters, digits, dots, hyphens or underscores, e.g. vps-1000',
});

/** An IANA time zone, e.g. `Europe/Berlin`. Whether it exists is for the aggregate to say. */
export const ZoneSchema = z
  .string()
  .min(1)
  .max(60)
  .regex(/^[A-Za-z][A-Za-z0-9_+/-]*$/, { error: 'expected an IANA time zone like Europe/Berlin' });

/** A calendar day, e.g. `2026-04-10`. */
export const DaySchema = z.iso.date();

/** What a plan gives and costs. */
export const planTermsShape = {
  name: z.string().trim().min(1).max(80),
  limits: LimitsSchema,
  /** Addresses in the price; each further one costs `extraAddressMonthly`. */
  includedAddresses: z.number().int().min(1).max(64),
  monthly: PriceSchema,
  /** Once, when the container first runs. */
  setup: PriceSchema,
  extraAddressMonthly: PriceSchema,
  /** The calendar whose days and months are charged. */
  zone: ZoneSchema,
} as const;

/** The event that caused a charge: enough to find it in the log and to check it there. */
export const CauseSchema = z.strictObject({
  eventId: z.uuid(),
  type: z.string().min(3).max(120),
  stream: z.string().min(3).max(200),
  revision: z.string().regex(/^\d+$/),
  /** Recorded time of the causing event. */
  time: InstantSchema,
});
export type Cause = z.output<typeof CauseSchema>;

/** An address as a charge knows it. */
export const ChargedAddressSchema = z.strictObject({
  leaseId: idOf('lease'),
  address: z.string().min(2).max(45),
});

/** A charged month in one time zone: half-open, with its number of calendar days. */
export const PeriodSchema = z.strictObject({
  zone: ZoneSchema,
  startsAt: InstantSchema,
  /** Exclusive. */
  endsAt: InstantSchema,
  days: z.number().int().min(28).max(31),
});
export type Period = z.output<typeof PeriodSchema>;

/**
 * The rule an invoice was rated by, so that it can be rated again. `calendar-days.half-up.1`: price x
 * days in service / days of the month, half-open calendar days of the subscription's zone (a service
 * that ends on the day it began has one), each line rounded half up to minor units.
 */
export const RatingPolicySchema = z.enum(['calendar-days.half-up.1']);
export type RatingPolicy = z.output<typeof RatingPolicySchema>;

/** An invoice's total by what was charged; the parts sum to the total exactly. Absent is none. */
export const SubtotalsSchema = z.strictObject({
  plans: MoneySchema,
  addresses: MoneySchema,
  setup: MoneySchema,
  addOns: MoneySchema.optional(),
  fees: MoneySchema.optional(),
});
export type Subtotals = z.output<typeof SubtotalsSchema>;

/**
 * What is owed, what was earned by kind, money received, and what a debtor has to its credit: what it
 * paid beyond its invoices, or was granted (`revenue.credits` is that much less earned).
 */
export const LedgerAccountSchema = z.enum([
  'receivable',
  'cash',
  'credit',
  'revenue.plans',
  'revenue.addresses',
  'revenue.setup',
  'revenue.add-ons',
  'revenue.fees',
  'revenue.credits',
]);
export type LedgerAccount = z.output<typeof LedgerAccountSchema>;

/** One leg of a journal entry: a debit is positive, a credit negative; an entry's legs sum to zero. */
export const LegSchema = z.strictObject({ account: LedgerAccountSchema, amount: MoneySchema });
export type Leg = z.output<typeof LegSchema>;

/** An invoice whose paid part changed: how much of it is paid now, and what is left. */
export const SettlementSchema = z.strictObject({
  invoiceId: idOf('invoice'),
  paid: MoneySchema,
  open: MoneySchema,
});
export type Settlement = z.output<typeof SettlementSchema>;

/** How far a debtor was reminded: days after an invoice's due date, see docs/billing.md. */
export const DunningStageSchema = z.enum(['reminder', 'warning', 'hold']);
export type DunningStage = z.output<typeof DunningStageSchema>;

/** What a payment is known by where it came from, e.g. a bank's transaction id. Compared exactly. */
export const PaymentReferenceSchema = z.string().trim().min(1).max(120);

/** Why a person did it; whoever is concerned reads it. */
export const ReasonSchema = z.string().trim().min(1).max(500);

/** Year of issue and count within the whole series, e.g. `2026-000001`: the count never restarts. */
export const InvoiceNumberSchema = z.string().regex(/^\d{4}-\d{6,}$/);

/** The same of a credit note, which has a series of its own, e.g. `C2026-000001`. */
export const CreditNoteNumberSchema = z.string().regex(/^C\d{4}-\d{6,}$/);

function isPrice(value: z.output<typeof MoneySchema>): boolean {
  try {
    return minorUnits(value) >= 0n;
  } catch {
    return false;
  }
}
