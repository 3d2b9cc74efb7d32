/** Events of a member's stream, `member-<mem id>`: a person who acts for a tenant. */
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

export const MemberAdded = event(
  'accounts.MemberAdded',
  z.strictObject({
    memberId: customer(idOf('member')),
    /** The person's lasting pseudonym; name and address open only while their key exists. */
    personId: customer(idOf('person')),
    tenantId: customer(idOf('tenant')),
    homeId: customer(idOf('tenant')),
    role: customer(RoleSchema),
    email: customer(sealed('contact')),
    name: customer(sealed('contact')),
  }),
);

export const memberEvents = [MemberAdded] as const;
