/**
 * Holds on tenants, and what they prevent. A hold reaches the tenant it stands on and all below it;
 * its id is what makes placing and lifting it harmless to repeat, at any age.
 */
import { TenantHoldLifted, TenantHoldPlaced } from '@bivouac/events/accounts';
import {
  accept,
  type Decision,
  type DecideContext,
  refuse,
  type Refusal,
} from '@bivouac/events/language';
import type { HoldKind } from '@bivouac/events/operations';
import { idFromUuid } from '@bivouac/events/values';

import { factsOf, pathOf, subtreeOf, tenantClosed, tenantUnknown, type TreeState } from './tree.ts';

export function placeHold(
  state: TreeState,
  input: {
    readonly tenantId: string;
    readonly kind: HoldKind;
    readonly reason: string;
    readonly holdId?: string | undefined;
  },
  context: DecideContext,
): Decision {
  const tenant = state.tenants.get(input.tenantId);
  if (tenant === undefined) return tenantUnknown(['tenantId']);
  if (tenant.kind === 'provider') {
    return refuse(
      'PROVIDER_CANNOT_BE_HELD',
      'A hold cannot be placed on the provider; name one of its customers.',
      { path: ['tenantId'] },
    );
  }
  const holdId = input.holdId ?? idFromUuid('hold', context.commandKey);
  // The hold's id is what makes a repeat, at any age, harmless: also of one lifted since.
  if (tenant.holds.has(holdId) || tenant.lifted.has(holdId)) return accept();
  for (const standing of tenant.holds.values()) {
    // Who names its holds itself knows which is which: each stands until that one is lifted.
    if (input.holdId === undefined && standing.kind === input.kind) {
      return refuse(
        'HOLD_EXISTS',
        `A ${input.kind} hold stands on this tenant already (${standing.holdId}); lift it first, or leave it.`,
        { path: ['kind'], details: { holdId: standing.holdId, kind: standing.kind } },
      );
    }
  }
  const hold = { holdId, kind: input.kind, reason: input.reason };
  return accept(
    TenantHoldPlaced({ ...factsOf(state, tenant), hold, reaches: subtreeOf(state, tenant.id) }),
  );
}

export function liftHold(
  state: TreeState,
  input: { readonly tenantId: string; readonly holdId: string },
): Decision {
  const tenant = state.tenants.get(input.tenantId);
  if (tenant === undefined) return tenantUnknown(['tenantId']);
  if (tenant.lifted.has(input.holdId)) return accept();
  const hold = tenant.holds.get(input.holdId);
  if (hold === undefined) {
    return refuse(
      'HOLD_UNKNOWN',
      'No such hold stands on this tenant; read its holds, as one may come from a tenant above.',
      { path: ['holdId'] },
    );
  }
  return accept(
    TenantHoldLifted({ ...factsOf(state, tenant), hold, reaches: subtreeOf(state, tenant.id) }),
  );
}

/** Why a tenant may not order now; undefined where it may. */
export function orderRefusal(state: TreeState, tenantId: string): Refusal | undefined {
  const tenant = state.tenants.get(tenantId);
  if (tenant === undefined) return tenantUnknown(['tenantId']).refusal;
  if (tenant.kind === 'provider') {
    return refuse(
      'TENANT_IS_PROVIDER',
      'The provider owns no containers; order for one of its customers.',
      { path: ['tenantId'] },
    ).refusal;
  }
  for (const level of pathOf(state, tenantId)) {
    if (level.closed) return tenantClosed(level.id, ['tenantId']).refusal;
  }
  for (const level of pathOf(state, tenantId)) {
    for (const hold of level.holds.values()) {
      return refuse(
        'TENANT_ON_HOLD',
        `A ${hold.kind} hold stands on ${level.id === tenantId ? 'this tenant' : 'a tenant above this one'}; nothing can be ordered until it is lifted.`,
        {
          path: ['tenantId'],
          details: { holdId: hold.holdId, kind: hold.kind, tenantId: level.id },
        },
      ).refusal;
    }
  }
  return undefined;
}
