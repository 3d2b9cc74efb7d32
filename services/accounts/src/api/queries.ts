/** What the outside may ask about tenants. What the caller does not reach is answered as missing. */
import { TenantKindSchema } from '@bivouac/events/accounts';
import { PageArgsSchema, pageSchema, query } from '@bivouac/events/language';
import { HistoryArgsSchema, HistoryPageSchema, HoldKindSchema } from '@bivouac/events/operations';
import { idOf, InstantSchema } from '@bivouac/events/values';
import { z } from 'zod';

export const StandingHoldSchema = z.object({
  holdId: idOf('hold'),
  kind: HoldKindSchema,
  /** Null where it stands on a tenant above that the caller does not reach. */
  reason: z.string().nullable(),
  /** The tenant it stands on: the account itself or one above it. */
  tenantId: idOf('tenant'),
  placedAt: InstantSchema,
});

export const AccountViewSchema = z.object({
  id: idOf('tenant'),
  homeId: idOf('tenant'),
  /** The tenant directly above; null for the provider alone. */
  parentId: idOf('tenant').nullable(),
  kind: TenantKindSchema,
  name: z.string(),
  /** Opened for this reply; its fields are null once the person was erased. */
  contact: z
    .object({
      personId: idOf('person'),
      email: z.string().nullable(),
      name: z.string().nullable(),
    })
    .nullable(),
  /** Every hold in force on it, also from above. */
  holds: z.array(StandingHoldSchema),
  closed: z.boolean(),
  createdAt: InstantSchema,
  /** Position of its first event: the order of lists. */
  position: z.string(),
});
export type AccountView = z.output<typeof AccountViewSchema>;

/** Which accounts are wanted; each that is given must be so. */
export const AccountFilterSchema = z.strictObject({
  kind: TenantKindSchema.optional(),
  /** Directly below this one. */
  parentId: idOf('tenant').optional(),
  closed: z.boolean().optional(),
  /** Whether any hold is in force on it, also from above. */
  held: z.boolean().optional(),
});
export type AccountFilter = z.output<typeof AccountFilterSchema>;

/** The accounts the caller reaches, oldest first. */
export const Accounts = query({
  name: 'accounts.Accounts',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ page: PageArgsSchema, filter: AccountFilterSchema.optional() }),
  result: pageSchema(AccountViewSchema),
});

export const AccountById = query({
  name: 'accounts.AccountById',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ tenantId: idOf('tenant') }),
  result: AccountViewSchema.nullable(),
});

/** The tree a tenant is in, as far as the caller reaches it, parents before children. */
export const TreeOf = query({
  name: 'accounts.TreeOf',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ tenantId: idOf('tenant') }),
  result: z
    .object({
      homeId: idOf('tenant'),
      tenants: z.array(
        z.object({
          id: idOf('tenant'),
          parentId: idOf('tenant').nullable(),
          kind: TenantKindSchema,
          name: z.string(),
          closed: z.boolean(),
        }),
      ),
    })
    .nullable(),
});

/** What happened to an account, as far as the caller's audience may know; null when out of reach. */
export const AccountHistory = query({
  name: 'accounts.AccountHistory',
  access: 'tenant',
  right: 'history.read',
  input: z.strictObject({ tenantId: idOf('tenant'), page: HistoryArgsSchema }),
  result: HistoryPageSchema.nullable(),
});
