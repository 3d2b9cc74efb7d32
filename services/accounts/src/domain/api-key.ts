/**
 * An API key: created for a member, confined to scopes, valid until it expires or is revoked. Its
 * secret may be replaced while the earlier one still opens. Only hashes are kept.
 */
import {
  ApiKeyCreated,
  type apiKeyEvents,
  ApiKeyRevoked,
  ApiKeyRotated,
  ApiKeyUsed,
  rightsOf,
} from '@bivouac/events/accounts';
import {
  accept,
  type Decision,
  type DecideContext,
  type EventOf,
  is,
  mayUse,
  refuse,
  type Right,
  type Rights,
} from '@bivouac/events/language';
import { plusSeconds } from '@bivouac/events/values';

import { effectiveRights } from './effective-rights.ts';
import { handingRefusal, type KnownTenant, type Member, memberUnknown } from './members.ts';
import { tenantClosed, tenantUnknown } from './tree.ts';

export function apiKeyStream(keyId: string): string {
  return `apikey-${keyId}`;
}

export interface ApiKeyState {
  created:
    | {
        readonly keyId: string;
        readonly tenantId: string;
        readonly homeId: string;
        readonly memberId: string;
        readonly scopes: readonly Right[] | undefined;
        readonly expiresAt: string | null;
      }
    | undefined;
  revoked: boolean;
  /** Until when each earlier secret opens. */
  earlier: readonly string[];
  /** The last day it was used on. */
  usedOn: string | undefined;
}

export function noApiKey(): ApiKeyState {
  return { created: undefined, revoked: false, earlier: [], usedOn: undefined };
}

export function evolveApiKey(
  state: ApiKeyState,
  event: EventOf<(typeof apiKeyEvents)[number]>,
): ApiKeyState {
  if (is(event, ApiKeyCreated)) {
    const { keyId, tenantId, homeId, memberId, scopes, expiresAt } = event.data;
    state.created = { keyId, tenantId, homeId, memberId, scopes, expiresAt };
  } else if (is(event, ApiKeyRotated)) {
    const { earlierUntil } = event.data;
    state.earlier = [...state.earlier, earlierUntil]
      .map((until) => (until < earlierUntil ? until : earlierUntil))
      .filter((until) => until > event.time);
  } else if (is(event, ApiKeyUsed)) state.usedOn = event.data.day;
  else state.revoked = true;
  return state;
}

/** For whom a key is, and who asks for it. */
interface Holding {
  readonly tenant: KnownTenant;
  readonly member: Member | undefined;
  /** Whether the member's person is erased: there is nobody to give a key to. */
  readonly erased: boolean;
  readonly held: Rights;
}

export function createApiKey(
  state: ApiKeyState,
  input: Holding & {
    readonly keyId: string;
    readonly tenantId: string;
    readonly homeId: string;
    readonly label: string;
    readonly hash: string;
    readonly expiresAt: string | undefined;
    readonly scopes: readonly Right[] | undefined;
  },
  context: DecideContext,
): Decision {
  const { keyId, tenantId, homeId, label, hash, tenant, member, scopes } = input;
  const expiresAt = input.expiresAt ?? null;
  if (tenant === undefined) return tenantUnknown(['tenantId']);
  if (tenant.closed) return tenantClosed(tenantId, ['tenantId']);
  if (member === undefined) return memberUnknown();
  const ofRole = rightsOf(member.role, tenant.kind);
  const beyond = (scopes ?? []).filter((right) => !ofRole.includes(right));
  if (beyond.length > 0) {
    return refuse(
      'SCOPE_NOT_OF_ROLE',
      `The role ${member.role} does not have: ${beyond.join(', ')}. Leave it out, or change the role first.`,
      { path: ['scopes'], details: { beyond, allowed: ofRole } },
    );
  }
  if (input.erased) return personErased('memberId');
  const refusal = handingRefusal(
    input.held,
    scopes ?? ofRole,
    scopes === undefined ? ['memberId'] : ['scopes'],
  );
  if (refusal !== undefined) return { kind: 'refused', refusal };
  if (expiresAt !== null && expiresAt <= context.now) {
    return refuse(
      'KEY_EXPIRY_PAST',
      `The key would have expired already (it is ${context.now}); choose a later instant.`,
      { path: ['expiresAt'], details: { now: context.now } },
    );
  }
  if (state.created !== undefined) {
    return refuse('KEY_EXISTS', 'This key exists already; use another idempotency key.');
  }
  const { memberId, personId } = member;
  return accept(
    ApiKeyCreated({
      ...{ keyId, tenantId, homeId, memberId, personId, label, hash, expiresAt },
      ...(scopes === undefined ? {} : { scopes: [...scopes] }),
    }),
  );
}

function personErased(field: string) {
  return refuse('PERSON_ERASED', 'This member is erased and acts no more; add another member.', {
    path: [field],
  });
}

/** The key that came with an accepted invitation: its secret was shown there. */
export function createFirstKey(
  state: ApiKeyState,
  input: Parameters<typeof ApiKeyCreated>[0],
): Decision {
  return state.created === undefined ? accept(ApiKeyCreated(input)) : accept();
}

/** Most earlier secrets of a key that may open beside the present one. */
const MAX_EARLIER = 5;

/**
 * A new secret. Those before open on for the overlap, also one whose reply was lost: so a caller
 * who rotates again after a lost reply does not shut itself out.
 */
export function rotateApiKey(
  state: ApiKeyState,
  input: Holding & {
    readonly hash: string;
    /** How long the secrets before go on opening. */
    readonly overlapMinutes: number;
    readonly memberId: string | undefined;
  },
  context: DecideContext,
): Decision {
  const { created } = state;
  if (created === undefined) return keyUnknown();
  const { keyId, tenantId, homeId, memberId, scopes, expiresAt } = created;
  const refusal = notTheirs(input, memberId);
  if (refusal !== undefined) return refusal;
  if (state.revoked || (expiresAt !== null && expiresAt <= context.now)) {
    return refuse('KEY_ENDED', 'This key was revoked or has expired; create a new one.', {
      path: ['keyId'],
    });
  }
  const { tenant, member, held, hash, overlapMinutes } = input;
  if (tenant === undefined || member === undefined) return memberUnknown();
  if (tenant.closed) return tenantClosed(tenantId, ['keyId']);
  if (input.erased) return personErased('keyId');
  const opened = effectiveRights(member.role, tenant, scopes);
  const beyond = handingRefusal(held, opened, ['keyId']);
  if (beyond !== undefined) return { kind: 'refused', refusal: beyond };
  if (
    overlapMinutes > 0 &&
    state.earlier.filter((until) => until > context.now).length >= MAX_EARLIER
  ) {
    return refuse(
      'KEY_ROTATED_OFTEN',
      `${MAX_EARLIER} earlier secrets of this key still open; wait until one has ended, or rotate without overlap.`,
      { path: ['keyId'], details: { limit: MAX_EARLIER }, retryable: true },
    );
  }
  const earlierUntil = plusSeconds(context.now, overlapMinutes * 60);
  return accept(ApiKeyRotated({ keyId, tenantId, homeId, hash, earlierUntil }));
}

export function revokeApiKey(
  state: ApiKeyState,
  input: { readonly held: Rights; readonly memberId: string | undefined },
): Decision {
  if (state.created === undefined) return keyUnknown();
  const { keyId, tenantId, homeId, memberId } = state.created;
  const refusal = notTheirs(input, memberId);
  if (refusal !== undefined) return refusal;
  return state.revoked ? accept() : accept(ApiKeyRevoked({ keyId, tenantId, homeId }));
}

/** That it was used, once for each day. */
export function noteUse(state: ApiKeyState, context: DecideContext): Decision {
  if (state.created === undefined) return keyUnknown();
  const day = context.now.slice(0, 10);
  if (state.revoked || (state.usedOn !== undefined && state.usedOn >= day)) return accept();
  const { keyId, tenantId, homeId } = state.created;
  return accept(ApiKeyUsed({ keyId, tenantId, homeId, day }));
}

/** A member manages its own keys; those of others take a right. */
function notTheirs(
  asking: { readonly held: Rights; readonly memberId: string | undefined },
  holder: string,
) {
  if (asking.memberId === holder || mayUse(asking.held, 'account.manage')) return undefined;
  return refuse(
    'NOT_ALLOWED',
    'This key is another member’s, which takes the right account.manage; ask an owner.',
    { path: ['keyId'], details: { right: 'account.manage' } },
  );
}

function keyUnknown() {
  return refuse('KEY_UNKNOWN', 'There is no such API key; check the id.', { path: ['keyId'] });
}
