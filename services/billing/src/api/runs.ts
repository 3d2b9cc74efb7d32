/** What an issuer still has to close: the same answer as a monthly run gets. */
import { query } from '@bivouac/events/language';
import { MonthSchema } from '@bivouac/events/operations';
import { idOf } from '@bivouac/events/values';
import { z } from 'zod';

/** Accounts with charges in a month that is not closed for them, 400 at most, by id. */
export const AccountsToClose = query({
  name: 'billing.AccountsToClose',
  access: 'tenant',
  right: 'billing.read',
  input: z.strictObject({
    issuerId: idOf('tenant'),
    month: MonthSchema,
    after: idOf('tenant').optional(),
  }),
  result: z.object({
    accounts: z.array(z.object({ accountId: idOf('tenant'), homeId: idOf('tenant') })),
    next: idOf('tenant').optional(),
  }),
});
