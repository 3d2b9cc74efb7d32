/** Who may stand below whom: the one table of the tenant tree. */
import type { TenantKind } from '@bivouac/events/accounts';
import { type Refusal, refuse } from '@bivouac/events/language';

/** What each kind of tenant may have directly below it. */
export const kindsBelow: Readonly<Record<TenantKind, readonly TenantKind[]>> = {
  provider: ['reseller', 'customer'],
  reseller: ['customer'],
  customer: ['sub-account'],
  'sub-account': [],
};

/** Why a tenant of a kind cannot stand below one of another; undefined where it can. */
export function standingRefusal(above: TenantKind, kind: TenantKind): Refusal | undefined {
  const allowed = kindsBelow[above];
  if (allowed.includes(kind)) return undefined;
  return refuse(
    'TENANT_KIND_NOT_ALLOWED',
    allowed.length === 0
      ? `Below a ${above} there are no tenants; create it below the tenant above.`
      : `Below a ${above} stands a ${allowed.join(' or a ')}, not a ${kind}; name that kind, or another parent.`,
    { path: ['kind'], details: { above, kind, allowed } },
  ).refusal;
}
