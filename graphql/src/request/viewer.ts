/** Who a key belongs to, as accounts answered. */
import type { Authenticate } from '@bivouac/accounts/api';
import { mayUse, type Principal, type Right } from '@bivouac/events/language';
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
> {
  readonly principal: Principal;
}

/**
 * The viewer of an authenticated key. The key itself is the actor: it is what can be revoked. Its
 * member is who asks: a retry with another of its keys is the same request.
 */
export function viewerOf(key: Authenticated): Viewer {
  const { keyId, memberId, personId, tenantId, homeId, kind, role, rights, expiresAt } = key;
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
    principal: {
      id: keyId,
      kind: 'key',
      memberId,
      tenantId,
      homeId,
      reach: key.reach === 'all' ? 'all' : new Set(key.reach),
      rights: new Set(key.rights),
      audience: key.audience,
    },
  };
}

/** Whether the viewer's key and role have a right. What it is about is the reach's to say. */
export function may({ principal }: Viewer, right: Right): boolean {
  return mayUse(principal.rights, right);
}

/** The same for what the provider's people alone may do. */
export function mayAsStaff(viewer: Viewer, right: Right): boolean {
  return viewer.principal.audience === 'staff' && may(viewer, right);
}
