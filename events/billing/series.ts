/**
 * Events of an issuer's number series, in the issuer's home: `series-<issuer ten id>` for invoices,
 * `credits-<issuer ten id>` for credit notes.
 */
import { z } from 'zod';

import { customer, event, staff } from '../language/index.ts';
import { idOf } from '../values/index.ts';
import { creditNoteFields } from './credit-note.ts';
import { invoiceFields } from './invoice.ts';

/**
 * An invoice exists: this append is its issuing, and its number is the count of these events in the
 * series. Its id is derived from account and month, so each month is issued once for ever.
 */
export const InvoiceIssued = event(
  'billing.InvoiceIssued',
  z.strictObject({
    ...invoiceFields,
    accountId: customer(idOf('tenant')),
    accountHomeId: staff(idOf('tenant')),
  }),
);

/** Invoices issued from now on are to be paid within this many days. */
export const PaymentTermSet = event(
  'billing.PaymentTermSet',
  z.strictObject({
    issuerId: customer(idOf('tenant')),
    days: customer(z.number().int().min(0).max(365)),
  }),
);

/**
 * An invoice is void by this note: its append is its issuing, and its number is the count of these
 * events in the series. Its id is derived from the invoice, so there is one for ever.
 */
export const CreditNoteIssued = event(
  'billing.CreditNoteIssued',
  z.strictObject({
    ...creditNoteFields,
    accountId: customer(idOf('tenant')),
    accountHomeId: staff(idOf('tenant')),
  }),
);

export const seriesEvents = [InvoiceIssued, PaymentTermSet] as const;
export const creditSeriesEvents = [CreditNoteIssued] as const;
