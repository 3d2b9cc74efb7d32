/**
 * The tree of one home: its tenants, parents before children, with their names and holds. Decides
 * who is a tenant and what it is called; holds are in `holds.ts`.
 */
import {
  MAX_TENANTS_PER_TREE,
  PROVIDER_ID,
  TenantClosed,
  TenantCreated,
  TenantHoldLifted,
  TenantHoldPlaced,
  type TenantKind,
  TenantRenamed,
  type treeEvents,
} from '@bivouac/events/accounts';
import {
  accept,
  type Decision,
  type DecideContext,
  type EventOf,
  is,
  refuse,
  type Sealed,
} from '@bivouac/events/language';
import type { Hold } from '@bivouac/events/operations';

import { standingRefusal } from './standing.ts';

/** The stream of a home's tree. */
export function treeStream(homeId: string): string {
  return `tree-${homeId}`;
}

/** The home whose tree a stream is. */
export function homeOfTree(stream: string): string {
  return stream.slice('tree-'.length);
}

export interface TenantState {
  readonly id: string;
  readonly kind: TenantKind;
  readonly parentId: string | null;
  name: string;
  closed: boolean;
  /** Persons who are or were whom to write to. */
  readonly contacts: Set<string>;
  /** Holds that stand on the tenant itself, by id. */
  readonly holds: Map<string, Hold>;
  /** Holds that stood once: their ids are never placed again. */
  readonly lifted: Set<string>;
}

export interface TreeState {
  homeId: string | undefined;
  /** By id, parents before children. */
  readonly tenants: Map<string, TenantState>;
}

export function emptyTree(): TreeState {
  return { homeId: undefined, tenants: new Map() };
}

export function evolveTree(
  state: TreeState,
  event: EventOf<(typeof treeEvents)[number]>,
): TreeState {
  if (is(event, TenantCreated)) {
    const { tenantId, homeId, kind, parentId, name, contact } = event.data;
    state.homeId = homeId;
    state.tenants.set(tenantId, {
      id: tenantId,
      kind,
      parentId,
      name,
      closed: false,
      contacts: new Set(contact === null ? [] : [contact.personId]),
      holds: new Map(),
      lifted: new Set(),
    });
    return state;
  }
  const tenant = state.tenants.get(event.data.tenantId);
  if (tenant === undefined) return state;
  if (is(event, TenantRenamed)) tenant.name = event.data.name;
  else if (is(event, TenantHoldPlaced)) tenant.holds.set(event.data.hold.holdId, event.data.hold);
  else if (is(event, TenantHoldLifted)) {
    tenant.holds.delete(event.data.hold.holdId);
    tenant.lifted.add(event.data.hold.holdId);
  } else if (is(event, TenantClosed)) tenant.closed = true;
  return state;
}

/** A contact whose fields are sealed already. */
export interface SealedContact {
  readonly personId: string;
  readonly email: Sealed;
  readonly name: Sealed | null;
}

/** The first tenant of a tree: its home. */
export function createHome(
  state: TreeState,
  input: {
    readonly kind: 'provider' | 'reseller' | 'customer';
    readonly name: string;
    readonly contact: SealedContact | null;
  },
  context: DecideContext,
): Decision {
  if (state.homeId !== undefined) {
    return input.kind === 'provider'
      ? refuse('PROVIDER_EXISTS', 'There is a provider already; there can be only one.')
      : refuse('TENANT_EXISTS', 'This tenant exists already; use another idempotency key.');
  }
  const homeId = homeOfTree(context.stream);
  return accept(
    TenantCreated({
      tenantId: homeId,
      homeId,
      kind: input.kind,
      parentId: input.kind === 'provider' ? null : PROVIDER_ID,
      name: input.name,
      contact: input.contact,
    }),
  );
}

/**
 * A tenant below another of the same tree. Holds from above reach it from the first moment, since
 * what stands on a tenant is asked along its path.
 */
export function createBelow(
  state: TreeState,
  input: {
    readonly tenantId: string;
    readonly parentId: string;
    readonly kind: TenantKind;
    readonly name: string;
    readonly contact: SealedContact;
  },
): Decision {
  const { tenantId, parentId, kind, name, contact } = input;
  const parent = state.tenants.get(parentId);
  if (parent === undefined) return tenantUnknown(['parentId']);
  // Its id is derived from the command: created before is created.
  if (state.tenants.has(tenantId)) return accept();
  if (parent.kind === 'provider') {
    return refuse(
      'TENANT_KIND_NOT_ALLOWED',
      'Directly under the provider a tenant has a tree of its own; create it as a customer of the provider.',
      { path: ['parentId'], details: { above: parent.kind, kind } },
    );
  }
  const refusal = standingRefusal(parent.kind, kind);
  if (refusal !== undefined) return { kind: 'refused', refusal };
  const closed = pathOf(state, parentId).find((level) => level.closed);
  if (closed !== undefined) return tenantClosed(closed.id, ['parentId']);
  if (state.tenants.size >= MAX_TENANTS_PER_TREE) {
    return refuse(
      'TREE_FULL',
      `This tree has ${state.tenants.size} tenants, the most there can be; have the provider create a reseller of its own for more.`,
      { path: ['parentId'], details: { limit: MAX_TENANTS_PER_TREE } },
    );
  }
  const homeId = state.homeId ?? parentId;
  return accept(TenantCreated({ tenantId, homeId, kind, parentId, name, contact }));
}

export function renameTenant(
  state: TreeState,
  input: { readonly tenantId: string; readonly name: string },
): Decision {
  const tenant = state.tenants.get(input.tenantId);
  if (tenant === undefined) return tenantUnknown(['tenantId']);
  if (tenant.name === input.name) return accept();
  return accept(TenantRenamed({ ...factsOf(state, tenant), name: input.name }));
}

export function closeTenant(
  state: TreeState,
  input: {
    readonly tenantId: string;
    readonly reason: string;
    /** The tenant of whoever asks. */
    readonly askedBy: string;
  },
): Decision {
  const tenant = state.tenants.get(input.tenantId);
  if (tenant === undefined) return tenantUnknown(['tenantId']);
  if (tenant.kind === 'provider') {
    return refuse('PROVIDER_CANNOT_BE_CLOSED', 'The provider cannot be closed.', {
      path: ['tenantId'],
    });
  }
  if (tenant.id === input.askedBy) {
    return refuse(
      'NOT_BELOW_YOU',
      'A tenant is closed from above; ask the one that invoices you.',
      { path: ['tenantId'] },
    );
  }
  if (tenant.closed) return accept();
  const open = subtreeOf(state, tenant.id).filter(
    (id) => id !== tenant.id && state.tenants.get(id)?.closed === false,
  );
  if (open.length > 0) {
    return refuse(
      'TENANT_HAS_TENANTS',
      `${open.length} tenants below this one are open; close them first.`,
      { path: ['tenantId'], details: { open: open.slice(0, 20) } },
    );
  }
  return accept(TenantClosed({ ...factsOf(state, tenant), reason: input.reason }));
}

export function tenantUnknown(path: readonly string[]) {
  return refuse('TENANT_UNKNOWN', 'There is no such tenant in this tree; check both ids.', {
    path,
  });
}

export function tenantClosed(tenantId: string, path: readonly string[]) {
  return refuse(
    'TENANT_CLOSED',
    `The tenant ${tenantId} is closed; nothing new can be done for it.`,
    {
      path,
      details: { tenantId },
    },
  );
}

/** What every event of a tenant says about it. */
export function factsOf(state: TreeState, tenant: TenantState) {
  return {
    tenantId: tenant.id,
    homeId: state.homeId ?? tenant.id,
    kind: tenant.kind,
    parentId: tenant.parentId,
  };
}

/** The tenant and those above it within the tree, from below. */
export function pathOf(state: TreeState, tenantId: string): TenantState[] {
  const path: TenantState[] = [];
  let next = state.tenants.get(tenantId);
  while (next !== undefined) {
    path.push(next);
    next = next.parentId === null ? undefined : state.tenants.get(next.parentId);
  }
  return path;
}

/** The tenant and all below it: parents come first, so one pass finds every descendant. */
export function subtreeOf(state: TreeState, tenantId: string): string[] {
  const inside = new Set([tenantId]);
  for (const tenant of state.tenants.values()) {
    if (tenant.parentId !== null && inside.has(tenant.parentId)) inside.add(tenant.id);
  }
  return [...inside];
}
