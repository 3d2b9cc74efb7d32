/** Opens tenants in the ledger and sets what they may use. */
import { LimitSet, TenantOpened } from '@bivouac/events/quotas';
import { accept, type Decision, refuse } from '@bivouac/events/language';
import { axes, type ResourceVector } from '@bivouac/events/values';

import type { LedgerState } from './ledger.ts';

export function openTenant(
  state: LedgerState,
  input: {
    readonly tenantId: string;
    readonly homeId: string;
    readonly parentId: string | null;
  },
): Decision {
  const { tenantId, homeId, parentId } = input;
  const known = state.tenants.get(tenantId);
  if (known !== undefined) {
    if (known.parentId === parentId) return accept();
    return refuse(
      'TENANT_PLACED_ELSEWHERE',
      'This tenant is in the ledger below another parent; moving a subtree is an operation.',
      { path: ['parentId'], details: { parentId: known.parentId } },
    );
  }
  const isHome = tenantId === homeId;
  if (isHome !== (parentId === null) || (parentId !== null && !state.tenants.has(parentId))) {
    return refuse(
      'PARENT_UNKNOWN',
      'The ledger knows no such parent; only a home has none, and parents are opened first.',
      { path: ['parentId'] },
    );
  }
  return accept(TenantOpened({ tenantId, homeId, parentId }));
}

export function setLimit(
  state: LedgerState,
  input: {
    readonly tenantId: string;
    readonly homeId: string;
    readonly limit: ResourceVector | null;
    readonly reason: string;
  },
): Decision {
  const { tenantId, homeId, limit, reason } = input;
  const tenant = state.tenants.get(tenantId);
  if (tenant === undefined) return tenantUnknown();
  if (sameLimit(tenant.limit, limit)) return accept();
  return accept(LimitSet({ tenantId, homeId, limit, previous: tenant.limit, reason }));
}

/** The ledger follows accounts, so a tenant created just now may be missing for a moment. */
export function tenantUnknown() {
  return refuse(
    'TENANT_UNKNOWN',
    'There is no such tenant in this ledger; check both ids, and send it again where the tenant was created just now.',
    { path: ['tenantId'], retryable: true },
  );
}

/** Whether two vectors are the same on every axis. */
export function sameVector(a: ResourceVector, b: ResourceVector): boolean {
  return axes.every((axis) => a[axis] === b[axis]);
}

function sameLimit(a: ResourceVector | null, b: ResourceVector | null): boolean {
  return a === null || b === null ? a === b : sameVector(a, b);
}
