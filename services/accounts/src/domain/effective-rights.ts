/** What a key opens when it is presented: decided then, so that a change counts for keys that exist. */
import { readingRights, rightsOf, type Role, type TenantKind } from '@bivouac/events/accounts';
import type { Right } from '@bivouac/events/language';

/** A tenant as far as rights depend on it. */
export interface Place {
  readonly kind: TenantKind;
  readonly closed: boolean;
}

/** What a key is confined to; none: all that the role may. */
type Scopes = readonly Right[] | null | undefined;

/** The rights of the role, as far as the scopes go; of a closed tenant only those that read. */
export function effectiveRights(role: Role, { kind, closed }: Place, scopes: Scopes): Right[] {
  return rightsOf(role, kind).filter((right) => opens(right, closed, scopes));
}

/**
 * Of staff who act for a tenant: those of an owner of it, without managing the account. Nobody gives
 * themselves or others a way in that outlasts the session.
 */
export function actingRights({ kind, closed }: Place, scopes: Scopes): Right[] {
  return rightsOf('owner', kind).filter(
    (right) => right !== 'account.manage' && opens(right, closed, scopes),
  );
}

function opens(right: Right, closed: boolean, scopes: Scopes): boolean {
  return (scopes ?? [right]).includes(right) && (!closed || readingRights.has(right));
}
