/**
 * What the outside may have accounts do with tenants. A tenant is named with its home, as its tree's
 * stream is the home's; `accounts.AccountById` says both.
 */
import { TenantKindSchema, TenantNameSchema } from '@bivouac/events/accounts';
import { command } from '@bivouac/events/language';
import { HoldKindSchema } from '@bivouac/events/operations';
import { idOf } from '@bivouac/events/values';
import { z } from 'zod';

import { emailAddress, personName, reason } from './fields.ts';

const tenantId = idOf('tenant');
const homeId = idOf('tenant');

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

/** A customer or reseller directly under the provider, with a tree of its own. */
export const CreateCustomer = command({
  name: 'accounts.CreateCustomer',
  access: 'staff',
  right: 'customers.manage',
  input: z.strictObject({
    name: TenantNameSchema,
    contact: ContactInputSchema,
    /** `customer` unless told. */
    kind: TenantKindSchema.extract(['reseller', 'customer']).optional(),
  }),
  result: created,
});

/**
 * A tenant below one that the caller reaches: a reseller's customer, a customer's sub-account.
 * Refused: TENANT_UNKNOWN, TENANT_CLOSED, TENANT_KIND_NOT_ALLOWED, TREE_FULL.
 */
export const CreateTenant = command({
  name: 'accounts.CreateTenant',
  access: 'tenant',
  right: 'account.manage',
  input: z.strictObject({
    parentId: tenantId,
    /** The parent's home: the new tenant's too. */
    homeId,
    kind: TenantKindSchema.extract(['customer', 'sub-account']),
    name: TenantNameSchema,
    contact: ContactInputSchema,
  }),
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
 * Ends a tenant's ordering for ever; its keys only read from then on. What it still has is ended by
 * operations of their own. It is closed from above.
 * Refused: TENANT_UNKNOWN, PROVIDER_CANNOT_BE_CLOSED, TENANT_HAS_TENANTS, NOT_BELOW_YOU.
 */
export const CloseTenant = command({
  name: 'accounts.CloseTenant',
  access: 'tenant',
  right: 'account.manage',
  input: z.strictObject({ tenantId, homeId, reason }),
  result: z.strictObject({ tenantId }),
});
