/** What the outside may ask accounts. What the caller does not reach is answered as missing. */
import { ApiKeyHashSchema, RoleSchema, TenantKindSchema } from '@bivouac/events/accounts';
import {
  AudienceSchema,
  PageArgsSchema,
  pageSchema,
  query,
  RightSchema,
} from '@bivouac/events/language';
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

/** The accounts the caller reaches, oldest first. */
export const Accounts = query({
  name: 'accounts.Accounts',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ page: PageArgsSchema }),
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

export const MemberViewSchema = z.object({
  id: idOf('member'),
  tenantId: idOf('tenant'),
  personId: idOf('person'),
  role: RoleSchema,
  /** Opened for this reply; null once the person was erased. */
  email: z.string().nullable(),
  name: z.string().nullable(),
  addedAt: InstantSchema,
  position: z.string(),
});
export type MemberView = z.output<typeof MemberViewSchema>;

/** A tenant's members, oldest first; null for a tenant the caller does not reach. */
export const Members = query({
  name: 'accounts.Members',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ tenantId: idOf('tenant'), page: PageArgsSchema }),
  result: pageSchema(MemberViewSchema).nullable(),
});

export const ApiKeyViewSchema = z.object({
  id: idOf('apiKey'),
  tenantId: idOf('tenant'),
  memberId: idOf('member'),
  label: z.string(),
  createdAt: InstantSchema,
  expiresAt: InstantSchema.nullable(),
  revokedAt: InstantSchema.nullable(),
  position: z.string(),
});
export type ApiKeyView = z.output<typeof ApiKeyViewSchema>;

/** A tenant's API keys, oldest first, also revoked ones; null for a tenant out of reach. */
export const ApiKeys = query({
  name: 'accounts.ApiKeys',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ tenantId: idOf('tenant'), page: PageArgsSchema }),
  result: pageSchema(ApiKeyViewSchema).nullable(),
});

/**
 * Who presents an API key. Read the key's text with `readApiKey`, which also hashes it: the text
 * itself goes to nobody. Refused: KEY_UNKNOWN, KEY_EXPIRED, KEY_REVOKED.
 */
export const Authenticate = query({
  name: 'accounts.Authenticate',
  access: 'internal',
  input: z.strictObject({ keyId: idOf('apiKey'), keyHash: ApiKeyHashSchema }),
  result: z.object({
    keyId: idOf('apiKey'),
    memberId: idOf('member'),
    personId: idOf('person'),
    tenantId: idOf('tenant'),
    homeId: idOf('tenant'),
    kind: TenantKindSchema,
    role: RoleSchema,
    audience: AudienceSchema,
    /** `all` for the provider's people; else the tenant and every tenant below it. */
    reach: z.union([z.literal('all'), z.array(idOf('tenant'))]),
    /** Of the role, as far as the key's scopes go. */
    rights: z.array(RightSchema),
    expiresAt: InstantSchema.nullable(),
  }),
});

/** What happened to an account, as far as the caller's audience may know; null when out of reach. */
export const AccountHistory = query({
  name: 'accounts.AccountHistory',
  access: 'tenant',
  right: 'history.read',
  input: z.strictObject({ tenantId: idOf('tenant'), page: HistoryArgsSchema }),
  result: HistoryPageSchema.nullable(),
});
