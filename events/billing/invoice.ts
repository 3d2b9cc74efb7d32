/** What both the issuer's series and the debtor's account say of an invoice. */
import { z } from 'zod';

import { customer } from '../language/index.ts';
import { MonthSchema, SourceSchema } from '../operations/index.ts';
import { idOf, InstantSchema, MoneySchema } from '../values/index.ts';
import { InvoiceNumberSchema, PeriodSchema, RatingPolicySchema, SubtotalsSchema } from './facts.ts';

/** An invoice as its events carry it. */
export const invoiceShape = {
  invoiceId: idOf('invoice'),
  number: InvoiceNumberSchema,
  issuerId: idOf('tenant'),
  month: MonthSchema,
  periods: z.array(PeriodSchema).min(1),
  ratedBy: RatingPolicySchema,
  total: MoneySchema,
  subtotals: SubtotalsSchema,
  lineCount: z.number().int().min(1),
  /** Hex SHA-256 of the blob with the lines, canonical JSON: they may outgrow an event. */
  lines: z.string().regex(/^[0-9a-f]{64}$/),
  /** The account's MonthClosed: rating the stream up to it gives the lines again. */
  closed: SourceSchema,
  /** Until when it is to be paid; absent: no term was agreed. */
  dueAt: InstantSchema.optional(),
} as const;

export const invoiceFields = {
  invoiceId: customer(invoiceShape.invoiceId),
  number: customer(invoiceShape.number),
  issuerId: customer(invoiceShape.issuerId),
  month: customer(invoiceShape.month),
  periods: customer(invoiceShape.periods),
  ratedBy: customer(invoiceShape.ratedBy),
  total: customer(invoiceShape.total),
  subtotals: customer(invoiceShape.subtotals),
  lineCount: customer(invoiceShape.lineCount),
  lines: customer(invoiceShape.lines),
  closed: customer(invoiceShape.closed),
  dueAt: customer(invoiceShape.dueAt),
} as const;
