/** Events of a member's stream, `member-<mem id>`: a person who acts for a tenant. */
import { z } from 'zod';

import { customer, event, sealed } from '../language/index.ts';
import { idOf } from '../values/index.ts';

/** `staff` only with the provider; every member of the provider acts as its staff. */
export const RoleSchema = z.enum(['owner', 'technician', 'staff']);
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
