/** Reminding of overdue invoices, as whoever invoices an account may steer it. */
import { ReasonSchema } from '@bivouac/events/billing';
import { command } from '@bivouac/events/language';
import { idOf } from '@bivouac/events/values';
import { z } from 'zod';

const accountId = idOf('tenant');
const result = z.strictObject({ accountId });

/**
 * No invoice of the account reaches a further stage until dunning is resumed; a hold that stands
 * stays. By the issuer only: NOT_ALLOWED.
 */
export const PauseDunning = command({
  name: 'billing.PauseDunning',
  access: 'tenant',
  right: 'billing.manage',
  input: z.strictObject({ accountId, reason: ReasonSchema }),
  result,
});

/** Stages whose day has come meanwhile are reached at once, one after the other. */
export const ResumeDunning = command({
  name: 'billing.ResumeDunning',
  access: 'tenant',
  right: 'billing.manage',
  input: z.strictObject({ accountId }),
  result,
});

/**
 * The days an issuer's invoices are to be paid in, from the next one on; 14 unless told. Of a tenant
 * that invoices nobody it says nothing.
 */
export const SetPaymentTerm = command({
  name: 'billing.SetPaymentTerm',
  access: 'tenant',
  right: 'billing.manage',
  input: z.strictObject({
    issuerId: idOf('tenant'),
    issuerHomeId: idOf('tenant'),
    days: z.number().int().min(0).max(365),
  }),
  result: z.strictObject({ issuerId: idOf('tenant') }),
});
