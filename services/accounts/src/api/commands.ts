/**
 * What the outside may have accounts do. A tenant is named with its home, as its tree's stream is
 * the home's; `accounts.AccountById` says both.
 */
import { RoleSchema, TenantNameSchema } from '@bivouac/events/accounts';
import { command } from '@bivouac/events/language';
import { HoldKindSchema } from '@bivouac/events/operations';
import { idOf, InstantSchema } from '@bivouac/events/values';
import { z } from 'zod';

const tenantId = idOf('tenant');
const homeId = idOf('tenant');
const reason = z.string().trim().min(1).max(500);
const emailAddress = z.email({ error: 'expected an e-mail address' }).max(254);
const personName = z.string().trim().min(1).max(120);

/** Whom to write to, in clear: it is sealed before anything is recorded. */
export const ContactInputSchema = z.strictObject({
  email: emailAddress,
  name: personName.optional(),
});

const created = z.strictObject({ tenantId, homeId });

/** The company that rents out containers. Once per installation: PROVIDER_EXISTS afterwards. */
export const CreateProvider = command({
  name: 'accounts.CreateProvider',
  access: 'internal',
  input: z.strictObject({ name: TenantNameSchema, contact: ContactInputSchema.optional() }),
  result: created,
});

/** A customer directly under the provider, with a tree of its own. */
export const CreateCustomer = command({
  name: 'accounts.CreateCustomer',
  access: 'staff',
  right: 'customers.manage',
  input: z.strictObject({ name: TenantNameSchema, contact: ContactInputSchema }),
  result: created,
});

/** Refused: TENANT_UNKNOWN. The same name again changes nothing. */
export const RenameTenant = command({
  name: 'accounts.RenameTenant',
  access: 'tenant',
  right: 'account.manage',
  input: z.strictObject({ tenantId, homeId, name: TenantNameSchema }),
  result: z.strictObject({ tenantId, name: TenantNameSchema }),
});

/**
 * Puts a hold on a tenant and all below it. At most one of a kind stands on a tenant at a time, but
 * for callers that name their holds themselves: each of those stands until it is lifted.
 * Refused: TENANT_UNKNOWN, PROVIDER_CANNOT_BE_HELD, HOLD_EXISTS.
 */
export const PlaceTenantHold = command({
  name: 'accounts.PlaceTenantHold',
  access: 'staff',
  right: 'customers.manage',
  input: z.strictObject({
    tenantId,
    homeId,
    kind: HoldKindSchema,
    reason,
    /** For callers with an id of their own; else it is derived from the command's key. */
    holdId: idOf('hold').optional(),
  }),
  result: z.strictObject({
    tenantId,
    /** Null only where a command far in the past had placed it: see the account's holds. */
    holdId: idOf('hold').nullable(),
  }),
});

/** Refused: TENANT_UNKNOWN, HOLD_UNKNOWN. A hold lifted before changes nothing. */
export const LiftTenantHold = command({
  name: 'accounts.LiftTenantHold',
  access: 'staff',
  right: 'customers.manage',
  input: z.strictObject({ tenantId, homeId, holdId: idOf('hold') }),
  result: z.strictObject({ tenantId, holdId: idOf('hold') }),
});

/**
 * Ends a tenant's ordering for ever. What it still has is ended by operations of their own.
 * Refused: TENANT_UNKNOWN, PROVIDER_CANNOT_BE_CLOSED, TENANT_HAS_TENANTS.
 */
export const CloseTenant = command({
  name: 'accounts.CloseTenant',
  access: 'staff',
  right: 'customers.manage',
  input: z.strictObject({ tenantId, homeId, reason }),
  result: z.strictObject({ tenantId }),
});

/**
 * A person who acts for a tenant. Name and address are sealed under that person's own key.
 * Refused: TENANT_UNKNOWN, TENANT_CLOSED, ROLE_NOT_ALLOWED (staff outside the provider).
 */
export const AddMember = command({
  name: 'accounts.AddMember',
  access: 'tenant',
  right: 'account.manage',
  input: z.strictObject({
    tenantId,
    homeId,
    email: emailAddress,
    name: personName,
    role: RoleSchema,
  }),
  result: z.strictObject({ memberId: idOf('member'), personId: idOf('person') }),
});

/**
 * An API key for a member. Refused: TENANT_UNKNOWN, TENANT_CLOSED, MEMBER_UNKNOWN,
 * KEY_EXPIRY_PAST.
 */
export const CreateApiKey = command({
  name: 'accounts.CreateApiKey',
  access: 'tenant',
  right: 'account.manage',
  input: z.strictObject({
    tenantId,
    homeId,
    memberId: idOf('member'),
    /** What it is for, e.g. `deploy job`. */
    label: z.string().trim().min(1).max(80),
    expiresAt: InstantSchema.optional(),
  }),
  result: z.strictObject({
    keyId: idOf('apiKey'),
    /**
     * The key, in the first reply only: it is stored nowhere. Null in every repeat: where the first
     * reply was lost, revoke this key and create another.
     */
    key: z.string().nullable(),
  }),
});

/** Refused: KEY_UNKNOWN. A key revoked before changes nothing. */
export const RevokeApiKey = command({
  name: 'accounts.RevokeApiKey',
  access: 'tenant',
  right: 'account.manage',
  input: z.strictObject({ keyId: idOf('apiKey') }),
  result: z.strictObject({ keyId: idOf('apiKey') }),
});
