/** What the outside may have accounts do with people: members, invitations, staff who act for them. */
import { RoleSchema } from '@bivouac/events/accounts';
import { command } from '@bivouac/events/language';
import { idOf, InstantSchema } from '@bivouac/events/values';
import { z } from 'zod';

import { emailAddress, personName, reason } from './fields.ts';

const tenantId = idOf('tenant');
const homeId = idOf('tenant');
const memberId = idOf('member');
const invitationId = idOf('invitation');

/**
 * A person who acts for a tenant. Name and address are sealed under that person's own key.
 * Refused: TENANT_UNKNOWN, TENANT_CLOSED, ROLE_NOT_ALLOWED (staff outside the provider),
 * RIGHTS_NOT_HELD (the role may what the caller may not).
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
  result: z.strictObject({ memberId, personId: idOf('person') }),
});

/** Refused: MEMBER_UNKNOWN, LAST_OWNER, ROLE_NOT_ALLOWED, RIGHTS_NOT_HELD. */
export const ChangeMemberRole = command({
  name: 'accounts.ChangeMemberRole',
  access: 'tenant',
  right: 'account.manage',
  input: z.strictObject({ tenantId, homeId, memberId, role: RoleSchema }),
  result: z.strictObject({ memberId, role: RoleSchema }),
});

/** None of its keys opens anything from then on. Refused: MEMBER_UNKNOWN, LAST_OWNER. */
export const RemoveMember = command({
  name: 'accounts.RemoveMember',
  access: 'tenant',
  right: 'account.manage',
  input: z.strictObject({ tenantId, homeId, memberId }),
  result: z.strictObject({ memberId }),
});

/**
 * Invites a person by e-mail; who has the token becomes a member by it, once. Sending it is the
 * caller's. Refused: TENANT_UNKNOWN, TENANT_CLOSED, ROLE_NOT_ALLOWED, RIGHTS_NOT_HELD,
 * INVITATIONS_FULL.
 */
export const InviteMember = command({
  name: 'accounts.InviteMember',
  access: 'tenant',
  right: 'account.manage',
  input: z.strictObject({
    tenantId,
    homeId,
    email: emailAddress,
    role: RoleSchema,
    /** For how many days it can be accepted. */
    days: z.int().min(1).max(30).default(7),
  }),
  result: z.strictObject({
    invitationId,
    /** In the first reply only. Null in every repeat: withdraw the invitation and make another. */
    token: z.string().nullable(),
  }),
});

/** Refused: INVITATION_UNKNOWN, INVITATION_ACCEPTED. */
export const WithdrawInvitation = command({
  name: 'accounts.WithdrawInvitation',
  access: 'tenant',
  right: 'account.manage',
  input: z.strictObject({ tenantId, homeId, invitationId }),
  result: z.strictObject({ invitationId }),
});

/**
 * By whoever presents the token, which is the principal. Makes the member and their first key.
 * Refused: INVITATION_UNKNOWN, INVITATION_ACCEPTED, INVITATION_WITHDRAWN, INVITATION_EXPIRED,
 * TENANT_CLOSED.
 */
export const AcceptInvitation = command({
  name: 'accounts.AcceptInvitation',
  access: 'tenant',
  right: 'invitation.accept',
  input: z.strictObject({ tenantId, homeId, invitationId, name: personName }),
  result: z.strictObject({
    memberId,
    keyId: idOf('apiKey'),
    /** In the first reply only. Null in every repeat: have another key made for the member. */
    key: z.string().nullable(),
  }),
});

/**
 * Lets the calling member of the provider act for a tenant.
 * Refused: TENANT_UNKNOWN, PROVIDER_CANNOT_BE_ACTED_FOR.
 */
export const StartActing = command({
  name: 'accounts.StartActing',
  access: 'staff',
  right: 'customers.manage',
  input: z.strictObject({
    tenantId,
    homeId,
    reason,
    /** For how long. */
    minutes: z.int().min(1).max(480).default(60),
  }),
  result: z.strictObject({ actingId: idOf('acting'), endsAt: InstantSchema.nullable() }),
});

/** By the staff, or by the tenant itself. One that has ended stays so. Refused: ACTING_UNKNOWN. */
export const EndActing = command({
  name: 'accounts.EndActing',
  access: 'tenant',
  right: 'account.manage',
  input: z.strictObject({ actingId: idOf('acting') }),
  result: z.strictObject({ actingId: idOf('acting') }),
});
