/** What the outside may ask about people and keys: who acts for a tenant, and who presents a secret. */
import {
  ApiKeyHashSchema,
  InvitationHashSchema,
  RoleSchema,
  TenantKindSchema,
} from '@bivouac/events/accounts';
import {
  AudienceSchema,
  PageArgsSchema,
  pageSchema,
  query,
  RightSchema,
} from '@bivouac/events/language';
import { idOf, InstantSchema } from '@bivouac/events/values';
import { z } from 'zod';

/** A page of what a tenant has. */
const ofTenant = z.strictObject({ tenantId: idOf('tenant'), page: PageArgsSchema });

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

/** A tenant's present members, oldest first; null for a tenant the caller does not reach. */
export const Members = query({
  name: 'accounts.Members',
  access: 'tenant',
  right: 'account.read',
  input: ofTenant,
  result: pageSchema(MemberViewSchema).nullable(),
});

/** `expired` once its time is over without an answer. */
export const InvitationStatusSchema = z.enum(['open', 'accepted', 'withdrawn', 'expired']);

export const InvitationViewSchema = z.object({
  id: idOf('invitation'),
  tenantId: idOf('tenant'),
  personId: idOf('person'),
  role: RoleSchema,
  /** Opened for this reply; null once the person was erased. */
  email: z.string().nullable(),
  status: InvitationStatusSchema,
  invitedAt: InstantSchema,
  expiresAt: InstantSchema,
  position: z.string(),
});
export type InvitationView = z.output<typeof InvitationViewSchema>;

/** A tenant's invitations, oldest first, also those that were answered; null for one out of reach. */
export const Invitations = query({
  name: 'accounts.Invitations',
  access: 'tenant',
  right: 'account.read',
  input: ofTenant,
  result: pageSchema(InvitationViewSchema).nullable(),
});

export const ApiKeyViewSchema = z.object({
  id: idOf('apiKey'),
  tenantId: idOf('tenant'),
  memberId: idOf('member'),
  label: z.string(),
  /** Null: all that the member's role may. */
  scopes: z.array(RightSchema).nullable(),
  createdAt: InstantSchema,
  expiresAt: InstantSchema.nullable(),
  revokedAt: InstantSchema.nullable(),
  rotatedAt: InstantSchema.nullable(),
  /** The last UTC day it was used on; null: on none yet. */
  usedOn: z.iso.date().nullable(),
  position: z.string(),
});
export type ApiKeyView = z.output<typeof ApiKeyViewSchema>;

/** A tenant's API keys, oldest first, also revoked ones; null for a tenant out of reach. */
export const ApiKeys = query({
  name: 'accounts.ApiKeys',
  access: 'tenant',
  right: 'account.read',
  input: ofTenant,
  result: pageSchema(ApiKeyViewSchema).nullable(),
});

export const ActingViewSchema = z.object({
  id: idOf('acting'),
  tenantId: idOf('tenant'),
  /** Who of the provider: a lasting pseudonym. */
  memberId: idOf('member'),
  reason: z.string(),
  startedAt: InstantSchema,
  /** When it ended, or is going to. */
  endsAt: InstantSchema,
  position: z.string(),
});
export type ActingView = z.output<typeof ActingViewSchema>;

/** When the provider's staff acted for a tenant, oldest first; null for one out of reach. */
export const Actings = query({
  name: 'accounts.Actings',
  access: 'tenant',
  right: 'account.read',
  input: ofTenant,
  result: pageSchema(ActingViewSchema).nullable(),
});

const AuthenticatedSchema = z.object({
  /** The key, or the invitation, that was presented: the actor of what is done. */
  keyId: z.union([idOf('apiKey'), idOf('invitation')]),
  /** Of an invitation: who will be the member. */
  memberId: idOf('member'),
  personId: idOf('person'),
  /** The member's tenant; where staff act for another, that one. */
  tenantId: idOf('tenant'),
  homeId: idOf('tenant'),
  kind: TenantKindSchema,
  role: RoleSchema,
  audience: AudienceSchema,
  /** `all` for the provider's people; else the tenant and every tenant below it. */
  reach: z.union([z.literal('all'), z.array(idOf('tenant'))]),
  /** Of the role, as far as the key's scopes go; of a closed tenant only those that read. */
  rights: z.array(RightSchema),
  /** From when on the answer is another; null: never. */
  expiresAt: InstantSchema.nullable(),
  /** The session in which a member of the provider acts for the tenant. */
  acting: idOf('acting').nullable(),
});

/**
 * Who presents an API key, and for whom. Read the key's text with `readApiKey`, which also hashes it:
 * the text itself goes to nobody. Refused: KEY_UNKNOWN, KEY_EXPIRED, KEY_REVOKED, ACTING_UNKNOWN,
 * ACTING_ENDED.
 */
export const Authenticate = query({
  name: 'accounts.Authenticate',
  access: 'internal',
  input: z.strictObject({
    keyId: idOf('apiKey'),
    keyHash: ApiKeyHashSchema,
    /** The session to act in, of the key's member. */
    actingId: idOf('acting').optional(),
  }),
  result: AuthenticatedSchema,
});

/**
 * Who presents an invitation's token: somebody who may accept it and nothing else. Also of one that
 * was accepted, so that a repeat after a lost reply is answered. Refused: KEY_UNKNOWN, KEY_EXPIRED,
 * KEY_REVOKED.
 */
export const AuthenticateInvitation = query({
  name: 'accounts.AuthenticateInvitation',
  access: 'internal',
  input: z.strictObject({ invitationId: idOf('invitation'), tokenHash: InvitationHashSchema }),
  result: AuthenticatedSchema,
});
