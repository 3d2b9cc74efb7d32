/**
 * Events of a tree's stream, `tree-<home tenant id>`: which tenants there are below one home, what
 * they are called, which holds stand on them. Containers' roster and the quota ledger follow these.
 */
import { z } from 'zod';

import { customer, event, sealed, staff } from '../language/index.ts';
import { HoldSchema } from '../operations/index.ts';
import { deriveId, idOf } from '../values/index.ts';

/** The provider's tenant id: the same in every installation, as there is exactly one provider. */
export const PROVIDER_ID = deriveId('tenant', 'provider');

/** Most tenants in one tree: a hold's event names all it reaches and must fit its size. */
export const MAX_TENANTS_PER_TREE = 1500;

export const TenantKindSchema = z.enum(['provider', 'reseller', 'customer', 'sub-account']);
export type TenantKind = z.output<typeof TenantKindSchema>;

/**
 * What a tenant is called on lists and invoices: a company, a project, a customer number. It is in
 * clear; a person's name belongs into a contact, which is sealed.
 */
export const TenantNameSchema = z
  .string()
  .trim()
  .min(1)
  .max(80)
  .regex(/^\P{Cc}+$/u, { error: 'expected a name without control characters' });

/** Whom to write to. */
export const ContactSchema = z.strictObject({
  personId: idOf('person'),
  email: sealed('contact'),
  name: sealed('contact').nullable(),
});

/** What every event of a tenant says about it. */
const facts = {
  tenantId: customer(idOf('tenant')),
  homeId: customer(idOf('tenant')),
  kind: customer(TenantKindSchema),
  /** The tenant directly above, who also invoices it; null for the provider alone. */
  parentId: customer(idOf('tenant').nullable()),
};

/** The tenants a hold reaches: the one it stands on first, then all below it. */
const reaches = customer(z.array(idOf('tenant')).min(1).max(MAX_TENANTS_PER_TREE));

/** A tenant exists. The first event of a tree is that of its home. */
export const TenantCreated = event(
  'accounts.TenantCreated',
  z.strictObject({
    ...facts,
    name: customer(TenantNameSchema),
    contact: customer(ContactSchema.nullable()),
  }),
);

export const TenantRenamed = event(
  'accounts.TenantRenamed',
  z.strictObject({ ...facts, name: customer(TenantNameSchema) }),
);

/** A hold stands on the tenant: neither it nor those below order or start anything meanwhile. */
export const TenantHoldPlaced = event(
  'accounts.TenantHoldPlaced',
  z.strictObject({ ...facts, hold: customer(HoldSchema), reaches }),
);

export const TenantHoldLifted = event(
  'accounts.TenantHoldLifted',
  z.strictObject({ ...facts, hold: customer(HoldSchema), reaches }),
);

/** The tenant orders nothing any more, for ever. What it still has is ended by operations. */
export const TenantClosed = event(
  'accounts.TenantClosed',
  z.strictObject({ ...facts, reason: staff(z.string().min(1).max(500)) }),
);

export const treeEvents = [
  TenantCreated,
  TenantRenamed,
  TenantHoldPlaced,
  TenantHoldLifted,
  TenantClosed,
] as const;
