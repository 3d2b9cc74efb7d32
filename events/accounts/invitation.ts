/**
 * Events of invitations, in the stream of the tenant's people, and the text of an invitation's token,
 * `bvi_…`: whoever has it becomes a member with it, once. Only its hash is recorded.
 */
import { z } from 'zod';

import { auditor, customer, event, sealed } from '../language/index.ts';
import { idOf, InstantSchema } from '../values/index.ts';
import { ApiKeyHashSchema } from './api-key.ts';
import { RoleSchema } from './member.ts';
import { type ReadSecret, readSecret, SecretHashSchema, writeSecret } from './secret-text.ts';

/** Hex SHA-256 of an invitation's whole token. */
export const InvitationHashSchema = SecretHashSchema;

const facts = {
  invitationId: customer(idOf('invitation')),
  tenantId: customer(idOf('tenant')),
  homeId: customer(idOf('tenant')),
};

export const MemberInvited = event(
  'accounts.MemberInvited',
  z.strictObject({
    ...facts,
    /** The invited person's pseudonym, already: the address is sealed under their own key. */
    personId: customer(idOf('person')),
    role: customer(RoleSchema),
    email: customer(sealed('contact')),
    hash: auditor(InvitationHashSchema),
    /** From this instant on it cannot be accepted. */
    expiresAt: customer(InstantSchema),
  }),
);

/** Comes together with `MemberAdded`. The member's first key is made of what it says. */
export const InvitationAccepted = event(
  'accounts.InvitationAccepted',
  z.strictObject({
    ...facts,
    memberId: customer(idOf('member')),
    personId: customer(idOf('person')),
    keyId: customer(idOf('apiKey')),
    keyHash: auditor(ApiKeyHashSchema),
  }),
);

export const InvitationWithdrawn = event('accounts.InvitationWithdrawn', z.strictObject(facts));

export const invitationEvents = [MemberInvited, InvitationAccepted, InvitationWithdrawn] as const;

/**
 * The text of an invitation's token.
 * @param secret 32 random bytes.
 */
export function writeInvitation(invitationId: string, secret: Uint8Array): string {
  return writeSecret('bvi', invitationId, secret);
}

/** Reads an invitation's token; undefined for what cannot be one of ours. */
export function readInvitation(text: string): ReadSecret | undefined {
  return readSecret('bvi', 'invitation', text);
}
