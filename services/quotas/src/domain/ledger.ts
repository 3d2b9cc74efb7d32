/**
 * The quota ledger of one tree: what each tenant may use and what it and those below it have taken,
 * on every level. Reserving checks all levels up to the home and takes on all or on none.
 */
import {
  Committed,
  type ledgerEvents,
  LimitSet,
  Released,
  ReservationOverdue,
  ReservationVoided,
  Reserved,
  TenantOpened,
} from '@bivouac/events/quotas';
import { type EventOf, is } from '@bivouac/events/language';
import type { AskRef } from '@bivouac/events/operations';
import { amountOf, axes, type ResourceVector } from '@bivouac/events/values';

import { addId, emptyIdSet, type IdSet } from './id-set.ts';

/** The stream of a home's ledger. */
export function ledgerStream(homeId: string): string {
  return `ledger-${homeId}`;
}

/** Amounts in the order of `axes`. */
type Amounts = bigint[];

export interface TenantState {
  /** The tenant above it in the ledger; null for the home. */
  readonly parentId: string | null;
  limit: ResourceVector | null;
  /** All that it and those below it have taken, reserved or committed. */
  readonly used: Amounts;
}

/** A reservation that holds room now. */
interface ReservationState {
  readonly tenantId: string;
  readonly vector: ResourceVector;
  readonly notAfter: string;
  readonly ask: AskRef | undefined;
  committed: boolean;
  overdue: boolean;
}

export interface LedgerState {
  readonly tenants: Map<string, TenantState>;
  readonly live: Map<string, ReservationState>;
  /** Released or voided. Only the ids: what they held is nobody's business any more. */
  readonly ended: IdSet;
}

export function emptyLedger(): LedgerState {
  return { tenants: new Map(), live: new Map(), ended: emptyIdSet() };
}

export function evolveLedger(
  state: LedgerState,
  event: EventOf<(typeof ledgerEvents)[number]>,
): LedgerState {
  if (is(event, Reserved)) {
    const { reservationId, tenantId, vector, notAfter, ask } = event.data;
    const made = { tenantId, vector, notAfter, ask, committed: false, overdue: false };
    state.live.set(reservationId, made);
    take(state, tenantId, vector, 1n);
  } else if (is(event, Committed)) {
    const reservation = state.live.get(event.data.reservationId);
    if (reservation !== undefined) reservation.committed = true;
  } else if (is(event, Released)) {
    const { reservationId, tenantId, vector } = event.data;
    state.live.delete(reservationId);
    addId(state.ended, reservationId);
    take(state, tenantId, vector, -1n);
  } else if (is(event, ReservationVoided)) {
    addId(state.ended, event.data.reservationId);
  } else if (is(event, ReservationOverdue)) {
    const reservation = state.live.get(event.data.reservationId);
    if (reservation !== undefined) reservation.overdue = true;
  } else if (is(event, TenantOpened)) {
    const { tenantId, parentId } = event.data;
    state.tenants.set(tenantId, { parentId, limit: null, used: axes.map(() => 0n) });
  } else if (is(event, LimitSet)) {
    const tenant = state.tenants.get(event.data.tenantId);
    if (tenant !== undefined) tenant.limit = event.data.limit;
  }
  return state;
}

/** The tenant and those above it up to the home, from below. */
export function* levels(
  state: LedgerState,
  tenantId: string,
): Generator<readonly [string, TenantState]> {
  let id: string | null = tenantId;
  while (id !== null) {
    const tenant = state.tenants.get(id);
    if (tenant === undefined) return;
    yield [id, tenant];
    id = tenant.parentId;
  }
}

/** Adds to every level, so that a parent's use stays the sum of its children's and its own. */
function take(state: LedgerState, tenantId: string, vector: ResourceVector, sign: bigint): void {
  const asked = axes.map((axis) => sign * amountOf(vector, axis));
  for (const [, { used }] of levels(state, tenantId)) {
    for (let i = 0; i < asked.length; i++) used[i] = (used[i] ?? 0n) + (asked[i] ?? 0n);
  }
}
