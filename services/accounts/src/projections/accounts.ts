/** The accounts as lists and rights need them: one row per tenant, one per (ancestor, tenant). */
import {
  TenantClosed,
  TenantCreated,
  TenantHoldLifted,
  TenantHoldPlaced,
  type TenantKind,
  TenantRenamed,
} from '@bivouac/events/accounts';
import type { Sealed } from '@bivouac/events/language';
import type { HoldKind } from '@bivouac/events/operations';
import { on, projection } from '@bivouac/infra/runtime';
import { table, type View, type WritableView } from '@bivouac/infra/views';

export interface AccountRow {
  readonly id: string;
  readonly homeId: string;
  readonly parentId: string | null;
  readonly kind: TenantKind;
  readonly name: string;
  readonly contact: {
    readonly personId: string;
    readonly email: Sealed;
    readonly name: Sealed | null;
  } | null;
  /** Those that stand on the tenant itself, oldest first. */
  readonly holds: readonly {
    readonly holdId: string;
    readonly kind: HoldKind;
    readonly reason: string;
    readonly placedAt: string;
  }[];
  readonly closed: boolean;
  readonly createdAt: string;
  readonly position: string;
}

export const accounts = table<AccountRow>()({
  name: 'accounts',
  key: (row) => row.id,
  indexes: {
    byPosition: (row) => [row.position],
    byHome: (row) => [row.homeId, row.position],
  },
});

/** That one tenant is another or stands above it: what a tenant reaches is one index range. */
export interface ReachRow {
  readonly ancestorId: string;
  readonly tenantId: string;
  readonly position: string;
}

export const reaches = table<ReachRow>()({
  name: 'reaches',
  key: (row) => `${row.ancestorId}/${row.tenantId}`,
  indexes: { byAncestor: (row) => [row.ancestorId, row.position] },
});

/** The account and those above it within its tree, from below. */
export function pathOf(view: View, tenantId: string): readonly AccountRow[] {
  const path: AccountRow[] = [];
  let next = view.get(accounts, tenantId);
  while (next !== undefined) {
    path.push(next);
    // The provider is above every tree and in none.
    next =
      next.parentId === null || next.id === next.homeId
        ? undefined
        : view.get(accounts, next.parentId);
  }
  return path;
}

export const accountsProjection = projection({
  name: 'accounts',
  tables: [accounts, reaches],
  on: [
    on(TenantCreated, (event, view) => {
      const { tenantId, homeId, parentId, kind, name, contact } = event.data;
      view.put(accounts, {
        id: tenantId,
        homeId,
        parentId,
        kind,
        name,
        contact,
        holds: [],
        closed: false,
        createdAt: event.time,
        position: event.position,
      });
      for (const above of pathOf(view, tenantId)) {
        view.put(reaches, { ancestorId: above.id, tenantId, position: event.position });
      }
    }),
    on(TenantRenamed, ({ data }, view) => {
      change(view, data.tenantId, (row) => ({ ...row, name: data.name }));
    }),
    on(TenantHoldPlaced, ({ data, time }, view) => {
      change(view, data.tenantId, (row) => ({
        ...row,
        holds: [...row.holds, { ...data.hold, placedAt: time }],
      }));
    }),
    on(TenantHoldLifted, ({ data }, view) => {
      change(view, data.tenantId, (row) => ({
        ...row,
        holds: row.holds.filter((hold) => hold.holdId !== data.hold.holdId),
      }));
    }),
    on(TenantClosed, ({ data }, view) => {
      change(view, data.tenantId, (row) => ({ ...row, closed: true }));
    }),
  ],
});

function change(view: WritableView, id: string, next: (row: AccountRow) => AccountRow): void {
  const row = view.get(accounts, id);
  if (row !== undefined) view.put(accounts, next(row));
}
