/**
 * The people of one tenant, present and invited. They share a stream, so that its exact revision
 * decides who is the last owner, also where two owners remove each other at once.
 */
import {
  InvitationAccepted,
  type invitationEvents,
  InvitationWithdrawn,
  MemberAdded,
  type memberEvents,
  MemberInvited,
  MemberRemoved,
  MemberRoleChanged,
  rightsOf,
  type Role,
  type TenantKind,
} from '@bivouac/events/accounts';
import {
  accept,
  type Decided,
  type Decision,
  type DecideContext,
  type EventOf,
  is,
  mayUse,
  refuse,
  type Refusal,
  type Right,
  type Rights,
  type Sealed,
} from '@bivouac/events/language';
import { deriveId, plusSeconds } from '@bivouac/events/values';

import { tenantClosed, tenantUnknown } from './tree.ts';

export function membersStream(tenantId: string): string {
  return `members-${tenantId}`;
}

/**
 * What an invitation makes when it is accepted. Derived from it, so that what the invited person says
 * then is sealed and hashed under the same person's key.
 */
export function invited(invitationId: string) {
  return {
    personId: deriveId('person', invitationId),
    memberId: deriveId('member', invitationId),
    keyId: deriveId('apiKey', invitationId),
  };
}

export interface Member {
  readonly memberId: string;
  readonly personId: string;
  role: Role;
}

export interface Invitation {
  readonly personId: string;
  readonly role: Role;
  readonly email: Sealed;
  readonly expiresAt: string;
  status: 'open' | 'accepted' | 'withdrawn';
}

export interface MembersState {
  readonly members: Map<string, Member>;
  /** Who was a member, with the person: the id is never given again. */
  readonly removed: Map<string, string>;
  readonly invitations: Map<string, Invitation>;
}

export function noMembers(): MembersState {
  return { members: new Map(), removed: new Map(), invitations: new Map() };
}

export function evolveMembers(
  state: MembersState,
  event: EventOf<(typeof memberEvents)[number] | (typeof invitationEvents)[number]>,
): MembersState {
  if (is(event, MemberAdded)) {
    const { memberId, personId, role } = event.data;
    state.members.set(memberId, { memberId, personId, role });
  } else if (is(event, MemberRoleChanged)) {
    const member = state.members.get(event.data.memberId);
    if (member !== undefined) member.role = event.data.role;
  } else if (is(event, MemberRemoved)) {
    const { memberId } = event.data;
    state.removed.set(memberId, state.members.get(memberId)?.personId ?? '');
    state.members.delete(memberId);
  } else if (is(event, MemberInvited)) {
    const { invitationId, personId, role, email, expiresAt } = event.data;
    state.invitations.set(invitationId, { personId, role, email, expiresAt, status: 'open' });
  } else {
    const invitation = state.invitations.get(event.data.invitationId);
    if (invitation !== undefined) {
      invitation.status = is(event, InvitationAccepted) ? 'accepted' : 'withdrawn';
    }
  }
  return state;
}

/**
 * The person that a member is, was, or is invited to be: whoever's data the stream holds stays known,
 * so that they can be erased.
 */
export function personOfMember(state: MembersState, memberId: string): string | undefined {
  const known = state.members.get(memberId)?.personId ?? state.removed.get(memberId);
  if (known !== undefined) return known;
  for (const [invitationId, { personId }] of state.invitations) {
    if (invited(invitationId).memberId === memberId) return personId;
  }
  return undefined;
}

/** A tenant as its tree knew it just before; undefined where the tree does not have it. */
export type KnownTenant = { readonly kind: TenantKind; readonly closed: boolean } | undefined;

/** The tenant whose people are decided on, and what whoever asks may do there. */
export interface Asking {
  readonly tenantId: string;
  readonly homeId: string;
  readonly tenant: KnownTenant;
  readonly held: Rights;
}

export function addMember(
  state: MembersState,
  input: Asking & {
    readonly memberId: string;
    readonly role: Role;
    /** Sealed under the person's key; undefined where the tenant is unknown: nothing was sealed. */
    readonly contact:
      { readonly personId: string; readonly email: Sealed; readonly name: Sealed } | undefined;
  },
): Decision {
  const { contact, memberId, tenantId, homeId, role } = input;
  // Its id is derived from the command: added before is added, and removed since stays removed.
  if (state.members.has(memberId) || state.removed.has(memberId)) return accept();
  const refusal = joiningRefusal(input);
  if (refusal !== undefined) return { kind: 'refused', refusal };
  if (contact === undefined) return tenantUnknown(['tenantId']);
  return accept(MemberAdded({ memberId, tenantId, homeId, role, ...contact }));
}

export function changeRole(
  state: MembersState,
  input: Asking & { readonly memberId: string; readonly role: Role },
): Decision {
  const { tenantId, homeId, memberId, role } = input;
  const member = state.members.get(memberId);
  if (member === undefined) return memberUnknown();
  if (member.role === role) return accept();
  const refusal = roleRefusal(input);
  if (refusal !== undefined) return { kind: 'refused', refusal };
  if (isLastOwner(state, member)) return lastOwner(['role']);
  return accept(MemberRoleChanged({ memberId, tenantId, homeId, role, was: member.role }));
}

export function removeMember(
  state: MembersState,
  input: { readonly tenantId: string; readonly homeId: string; readonly memberId: string },
): Decision {
  const { tenantId, homeId, memberId } = input;
  if (state.removed.has(memberId)) return accept();
  const member = state.members.get(memberId);
  if (member === undefined) return memberUnknown();
  if (isLastOwner(state, member)) return lastOwner(['memberId']);
  return accept(MemberRemoved({ memberId, tenantId, homeId }));
}

const DAY = 24 * 60 * 60;
/** Most invitations of a tenant that may wait at once. */
const MAX_OPEN_INVITATIONS = 100;

export function inviteMember(
  state: MembersState,
  input: Asking & {
    readonly invitationId: string;
    readonly personId: string;
    readonly role: Role;
    readonly email: Sealed | undefined;
    readonly hash: string;
    readonly days: number;
  },
  context: DecideContext,
): Decision {
  const { invitationId, personId, tenantId, homeId, role, email, hash, days } = input;
  if (state.invitations.has(invitationId)) return accept();
  const refusal = joiningRefusal(input);
  if (refusal !== undefined) return { kind: 'refused', refusal };
  if (email === undefined) return tenantUnknown(['tenantId']);
  let waiting = 0;
  for (const invitation of state.invitations.values()) {
    if (invitation.status === 'open' && invitation.expiresAt > context.now) waiting += 1;
  }
  if (waiting >= MAX_OPEN_INVITATIONS) {
    return refuse(
      'INVITATIONS_FULL',
      `${waiting} invitations of this tenant wait to be accepted, the most there can be; withdraw some first.`,
      { path: ['tenantId'], details: { limit: MAX_OPEN_INVITATIONS } },
    );
  }
  const expiresAt = plusSeconds(context.now, days * DAY);
  return accept(
    MemberInvited({
      ...{ invitationId, personId, tenantId, homeId },
      ...{ role, email, hash, expiresAt },
    }),
  );
}

export function acceptInvitation(
  state: MembersState,
  input: {
    readonly invitationId: string;
    readonly memberId: string;
    readonly tenantId: string;
    readonly homeId: string;
    readonly tenant: KnownTenant;
    /** Whoever asks: the invitation itself, proven by its token. */
    readonly actorId: string;
    readonly name: Sealed;
    readonly key: { readonly keyId: string; readonly keyHash: string };
  },
  context: DecideContext,
): Decision {
  const { invitationId, memberId, tenantId, homeId, tenant, name, key } = input;
  const invitation = state.invitations.get(invitationId);
  if (invitation === undefined || input.actorId !== invitationId) return invitationUnknown();
  if (invitation.status === 'accepted') {
    return refuse(
      'INVITATION_ACCEPTED',
      'This invitation was accepted; use the key it gave, or ask whoever invited you for another.',
      { details: { memberId } },
    );
  }
  if (invitation.status === 'withdrawn') {
    return refuse(
      'INVITATION_WITHDRAWN',
      'This invitation was withdrawn; ask whoever invited you for another.',
    );
  }
  if (invitation.expiresAt <= context.now) {
    return refuse(
      'INVITATION_EXPIRED',
      'This invitation has expired; ask whoever invited you for another.',
      { details: { expiresAt: invitation.expiresAt } },
    );
  }
  if (tenant === undefined) return tenantUnknown(['tenantId']);
  if (tenant.closed) return tenantClosed(tenantId, ['tenantId']);
  const { personId, role, email } = invitation;
  return accept<Decided>(
    InvitationAccepted({ invitationId, memberId, personId, tenantId, homeId, ...key }),
    MemberAdded({ memberId, personId, tenantId, homeId, role, email, name }),
  );
}

export function withdrawInvitation(
  state: MembersState,
  input: { readonly tenantId: string; readonly homeId: string; readonly invitationId: string },
): Decision {
  const { tenantId, homeId, invitationId } = input;
  const invitation = state.invitations.get(invitationId);
  if (invitation === undefined) return invitationUnknown();
  if (invitation.status === 'withdrawn') return accept();
  if (invitation.status === 'accepted') {
    return refuse(
      'INVITATION_ACCEPTED',
      'This invitation was accepted; remove the member it made.',
      { path: ['invitationId'] },
    );
  }
  return accept(InvitationWithdrawn({ invitationId, tenantId, homeId }));
}

/** Why somebody who holds these rights may not hand out those; undefined where they may. */
export function handingRefusal(
  held: Rights,
  given: readonly Right[],
  path: readonly string[],
): Refusal | undefined {
  const missing = given.filter((right) => !mayUse(held, right));
  if (missing.length === 0) return undefined;
  return refuse(
    'RIGHTS_NOT_HELD',
    `It would give rights that you do not have yourself: ${missing.join(', ')}. Give less, or ask an owner.`,
    { path, details: { missing } },
  ).refusal;
}

export function memberUnknown() {
  return refuse(
    'MEMBER_UNKNOWN',
    'This tenant has no such member; add the member first, or check the id.',
    { path: ['memberId'] },
  );
}

function joiningRefusal(input: Asking & { readonly role: Role }): Refusal | undefined {
  const { tenant, tenantId } = input;
  if (tenant === undefined) return tenantUnknown(['tenantId']).refusal;
  if (tenant.closed) return tenantClosed(tenantId, ['tenantId']).refusal;
  return roleRefusal(input);
}

function roleRefusal({ tenant, role, held }: Asking & { readonly role: Role }) {
  if (tenant === undefined) return tenantUnknown(['tenantId']).refusal;
  if (role === 'staff' && tenant.kind !== 'provider') {
    return refuse(
      'ROLE_NOT_ALLOWED',
      'Only the provider has staff; choose owner or technician for this member.',
      { path: ['role'] },
    ).refusal;
  }
  return handingRefusal(held, rightsOf(role, tenant.kind), ['role']);
}

function isLastOwner(state: MembersState, { memberId, role }: Member): boolean {
  if (role !== 'owner') return false;
  for (const other of state.members.values()) {
    if (other.role === 'owner' && other.memberId !== memberId) return false;
  }
  return true;
}

function lastOwner(path: readonly string[]) {
  return refuse(
    'LAST_OWNER',
    'This is the last owner of the tenant; make somebody else an owner first.',
    { path },
  );
}

function invitationUnknown() {
  return refuse(
    'INVITATION_UNKNOWN',
    'There is no such invitation, or it is not yours; check the id.',
    { path: ['invitationId'] },
  );
}
