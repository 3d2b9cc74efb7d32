/** An API key: created for a member, valid until it expires or is revoked. Only its hash is kept. */
import { ApiKeyCreated, type apiKeyEvents, ApiKeyRevoked } from '@bivouac/events/accounts';
import {
  accept,
  type Decision,
  type DecideContext,
  type EventOf,
  is,
  refuse,
} from '@bivouac/events/language';

import type { KnownTenant, MemberState } from './member.ts';
import { tenantClosed, tenantUnknown } from './tree.ts';

export function apiKeyStream(keyId: string): string {
  return `apikey-${keyId}`;
}

export interface ApiKeyState {
  created:
    { readonly keyId: string; readonly tenantId: string; readonly homeId: string } | undefined;
  revoked: boolean;
}

export function noApiKey(): ApiKeyState {
  return { created: undefined, revoked: false };
}

export function evolveApiKey(
  state: ApiKeyState,
  event: EventOf<(typeof apiKeyEvents)[number]>,
): ApiKeyState {
  const { keyId, tenantId, homeId } = event.data;
  if (is(event, ApiKeyCreated)) state.created = { keyId, tenantId, homeId };
  else state.revoked = true;
  return state;
}

export function createApiKey(
  state: ApiKeyState,
  input: {
    readonly keyId: string;
    readonly tenantId: string;
    readonly homeId: string;
    readonly memberId: string;
    readonly label: string;
    readonly hash: string;
    readonly expiresAt: string | undefined;
    readonly tenant: KnownTenant;
    readonly member: MemberState['added'];
    /** Whether the member's person is erased: they have nobody to give a key to. */
    readonly erased: boolean;
  },
  context: DecideContext,
): Decision {
  const { keyId, tenantId, homeId, memberId, label, hash, tenant, member } = input;
  const expiresAt = input.expiresAt ?? null;
  if (tenant === undefined) return tenantUnknown(['tenantId']);
  if (tenant.closed) return tenantClosed(tenantId, ['tenantId']);
  if (member?.tenantId !== tenantId) {
    return refuse(
      'MEMBER_UNKNOWN',
      'This tenant has no such member; add the member first, or check the id.',
      { path: ['memberId'] },
    );
  }
  if (input.erased) {
    return refuse('PERSON_ERASED', 'This member is erased and acts no more; add another member.', {
      path: ['memberId'],
    });
  }
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
  const { personId } = member;
  return accept(
    ApiKeyCreated({ keyId, tenantId, homeId, memberId, personId, label, hash, expiresAt }),
  );
}

export function revokeApiKey(state: ApiKeyState): Decision {
  if (state.created === undefined) {
    return refuse('KEY_UNKNOWN', 'There is no such API key; check the id.', { path: ['keyId'] });
  }
  return state.revoked ? accept() : accept(ApiKeyRevoked(state.created));
}
