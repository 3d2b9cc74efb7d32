/** Events of an issuer's number series, `series-<issuer ten id>`, in the issuer's home. */
import { z } from 'zod';

import { customer, event, staff } from '../language/index.ts';
import { MonthSchema, SourceSchema } from '../operations/index.ts';
import { idOf, MoneySchema } from '../values/index.ts';
import { InvoiceNumberSchema, PeriodSchema, RatingPolicySchema, SubtotalsSchema } from './facts.ts';

/**
 * An invoice exists: this append is its issuing, and its number is the count of these events in the
 * series. Its id is derived from account and month, so each month is issued once for ever.
 */
export const InvoiceIssued = event(
  'billing.InvoiceIssued',
  z.strictObject({
    invoiceId: customer(idOf('invoice')),
    number: customer(InvoiceNumberSchema),
    issuerId: customer(idOf('tenant')),
    accountId: customer(idOf('tenant')),
    accountHomeId: staff(idOf('tenant')),
    month: customer(MonthSchema),
    periods: customer(z.array(PeriodSchema).min(1)),
    ratedBy: customer(RatingPolicySchema),
    total: customer(MoneySchema),
    subtotals: customer(SubtotalsSchema),
    lineCount: customer(z.number().int().min(1)),
    /** Hex SHA-256 of the blob with the lines, canonical JSON: they may outgrow an event. */
    lines: customer(z.string().regex(/^[0-9a-f]{64}$/)),
    /** The account's MonthClosed: rating the stream up to it gives the lines again. */
    closed: customer(SourceSchema),
  }),
);

export const seriesEvents = [InvoiceIssued] as const;
