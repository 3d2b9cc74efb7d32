/**
 * Events of the people of one tenant, `members-<tenant id>`: who acts for it, in which role. They
 * share one stream, since its order decides who is the last owner.
 */
import { z } from 'zod';

import { customer, event, sealed } from '../language/index.ts';
import { idOf } from '../values/index.ts';

/**
 * What a member is there for; `rights.ts` says what each may do. `staff` only with the provider;
 * every member of the provider acts as its staff, as far as the role goes.
 */
export const RoleSchema = z.enum([
  'owner',
  'admin',
  'member',
  'technician',
  'billing',
  'auditor',
  'staff',
]);
export type Role = z.output<typeof RoleSchema>;

const facts = {
  memberId: customer(idOf('member')),
  tenantId: customer(idOf('tenant')),
  homeId: customer(idOf('tenant')),
};

export const MemberAdded = event(
  'accounts.MemberAdded',
  z.strictObject({
    ...facts,
    /** The person's lasting pseudonym; name and address open only while their key exists. */
    personId: customer(idOf('person')),
    role: customer(RoleSchema),
    email: customer(sealed('contact')),
    name: customer(sealed('contact')),
  }),
);

export const MemberRoleChanged = event(
  'accounts.MemberRoleChanged',
  z.strictObject({ ...facts, role: customer(RoleSchema), was: customer(RoleSchema) }),
);

/** The member acts for the tenant no more; none of its keys opens anything. */
export const MemberRemoved = event('accounts.MemberRemoved', z.strictObject(facts));

export const memberEvents = [MemberAdded, MemberRoleChanged, MemberRemoved] as const;
