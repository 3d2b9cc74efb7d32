/** Who a key or an invitation belongs to, as accounts answered. */
import type { Authenticate } from '@bivouac/accounts/api';
import type { Principal } from '@bivouac/events/language';
import { idOf } from '@bivouac/events/values';
import type { z } from 'zod';

type Authenticated = z.output<typeof Authenticate.result>;

export interface Viewer extends Pick<
  Authenticated,
  | 'keyId'
  | 'memberId'
  | 'personId'
  | 'tenantId'
  | 'homeId'
  | 'kind'
  | 'role'
  | 'rights'
  | 'expiresAt'
  | 'acting'
> {
  readonly principal: Principal;
}

/**
 * The viewer of an authenticated key. The key itself is the actor: it is what can be revoked. Its
 * member is who asks: a retry with another of its keys is the same request.
 */
export function viewerOf(key: Authenticated): Viewer {
  const { keyId, memberId, personId, tenantId, homeId, kind, role, rights, expiresAt, acting } =
    key;
  return {
    keyId,
    memberId,
    personId,
    tenantId,
    homeId,
    kind,
    role,
    rights,
    expiresAt,
    acting,
    principal: {
      id: keyId,
      kind: 'key',
      // Whoever presents an invitation is no member yet.
      ...(isKey(keyId) ? { memberId } : {}),
      tenantId,
      homeId,
      reach: key.reach === 'all' ? 'all' : new Set(key.reach),
      rights: new Set(key.rights),
      audience: key.audience,
    },
  };
}

const apiKeyId = idOf('apiKey');

function isKey(id: string): boolean {
  return apiKeyId.safeParse(id).success;
}
