/** Who a key or an invitation belongs to, as accounts answered. */
import type { Authenticate } from '@bivouac/accounts/api';
import { mayUse, type Principal, type Right } from '@bivouac/events/language';
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
  /** A tenant was made below one that is reached: it is reached too, from now on. */
  readonly nowReaches: (tenantId: string) => void;
}

/**
 * The viewer of an authenticated key. The key itself is the actor: it is what can be revoked. Its
 * member is who asks: a retry with another of its keys is the same request.
 */
export function viewerOf(key: Authenticated): Viewer {
  const { keyId, memberId, personId, tenantId, homeId, kind, role, rights, expiresAt, acting } =
    key;
  const below = key.reach === 'all' ? undefined : new Set(key.reach);
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
      reach: below ?? 'all',
      rights: new Set(key.rights),
      audience: key.audience,
    },
    nowReaches: (created) => {
      below?.add(created);
    },
  };
}

const apiKeyId = idOf('apiKey');

function isKey(id: string): boolean {
  return apiKeyId.safeParse(id).success;
}

/** Whether the viewer's key and role have a right. What it is about is the reach's to say. */
export function may({ principal }: Viewer, right: Right): boolean {
  return mayUse(principal.rights, right);
}

/** The same for what the provider's people alone may do. */
export function mayAsStaff(viewer: Viewer, right: Right): boolean {
  return viewer.principal.audience === 'staff' && may(viewer, right);
}
