/** Events of an issuer's number series, `series-<issuer ten id>`, in the issuer's home. */
import { z } from 'zod';

import { customer, event, staff } from '../language/index.ts';
import { idOf } from '../values/index.ts';
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

export const seriesEvents = [InvoiceIssued] as const;
