/** Opens tenants in the ledger and sets what they may use. */
import { LimitExpired, LimitSet, TenantOpened } from '@bivouac/events/quotas';
import { accept, type Decision, type DecideContext, refuse } from '@bivouac/events/language';
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
    /** It ends then, and the lasting one is in force again. Absent: it lasts. */
    readonly until?: string | undefined;
    /** The tenant whose people ask; null for the provider's and for the host itself. */
    readonly askedBy: string | null;
  },
  context: Pick<DecideContext, 'now'>,
): Decision {
  const { tenantId, homeId, limit, reason, until } = input;
  const tenant = state.tenants.get(tenantId);
  if (tenant === undefined) return tenantUnknown();
  if (tenantId === input.askedBy) {
    return refuse('NOT_BELOW_YOU', 'A limit is set from above; ask the one that invoices you.', {
      path: ['tenantId'],
    });
  }
  if (until !== undefined && until <= context.now) {
    return refuse(
      'LIMIT_ENDS_IN_THE_PAST',
      `The limit was to end at ${until} and it is ${context.now}; give an instant to come, or none for one that lasts.`,
      { path: ['until'] },
    );
  }
  if (sameLimit(tenant.limit, limit) && tenant.until === (until ?? null)) return accept();
  const previous = tenant.limit;
  return accept(
    LimitSet({
      tenantId,
      homeId,
      limit,
      previous,
      reason,
      ...(until === undefined ? {} : { until }),
    }),
  );
}

/** Ends a limit that was set for a time; one that another has replaced meanwhile ends nothing. */
export function expireLimit(
  state: LedgerState,
  input: { readonly tenantId: string; readonly homeId: string; readonly until: string },
  context: Pick<DecideContext, 'now'>,
): Decision {
  const { tenantId, homeId, until } = input;
  const tenant = state.tenants.get(tenantId);
  if (tenant?.until !== until) return accept();
  if (context.now < until) {
    return refuse('LIMIT_NOT_ENDED', `The limit ends at ${until}, not before; wait until then.`, {
      retryable: true,
      details: { until },
    });
  }
  const { limit: previous, lasting: limit } = tenant;
  return accept(LimitExpired({ tenantId, homeId, limit, previous, until }));
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
