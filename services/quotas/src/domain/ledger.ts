/**
 * The quota ledger of one tree: what each tenant may use and what it and those below it have taken,
 * on every level. Reserving checks all levels up to the home and takes on all or on none.
 */
import {
  Committed,
  type ledgerEvents,
  LimitExpired,
  LimitSet,
  Released,
  ReservationOverdue,
  ReservationVoided,
  Reserved,
  TenantOpened,
  Transferred,
  TransferReserved,
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
  /** In force now. */
  limit: ResourceVector | null;
  /** What is in force again after a limit that was set for a time. */
  lasting: ResourceVector | null;
  /** When the limit in force ends; null: it lasts. */
  until: string | null;
  /** All that it and those below it have taken, reserved or committed. */
  readonly used: Amounts;
}

/** A reservation that holds room now. */
export interface ReservationState {
  readonly tenantId: string;
  /** What it counts now. */
  readonly vector: ResourceVector;
  readonly notAfter: string;
  readonly ask: AskRef | undefined;
  committed: boolean;
  overdue: boolean;
  /** Of one that is to take another's place: which, and what it holds then. */
  readonly becomes?: { readonly from: string; readonly vector: ResourceVector } | undefined;
}

export interface LedgerState {
  readonly tenants: Map<string, TenantState>;
  readonly live: Map<string, ReservationState>;
  /** By what is to be replaced: the live reservation that is to take its place. */
  readonly heirs: Map<string, string>;
  /** Released or voided. Only the ids: what they held is nobody's business any more. */
  readonly ended: IdSet;
}

export function emptyLedger(): LedgerState {
  return { tenants: new Map(), live: new Map(), heirs: new Map(), ended: emptyIdSet() };
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
    end(state, reservationId);
    take(state, tenantId, vector, -1n);
    inherit(state, reservationId);
  } else if (is(event, TransferReserved)) {
    const { reservationId, fromReservationId, tenantId, vector, taken, notAfter, ask } = event.data;
    const becomes = { from: fromReservationId, vector };
    const made = { tenantId, vector: taken, notAfter, ask, committed: false, overdue: false };
    state.live.set(reservationId, { ...made, becomes });
    state.heirs.set(fromReservationId, reservationId);
    take(state, tenantId, taken, 1n);
  } else if (is(event, Transferred)) {
    const { reservationId, fromReservationId, tenantId, vector, freed } = event.data;
    const made = state.live.get(reservationId);
    end(state, fromReservationId);
    state.heirs.delete(fromReservationId);
    if (made !== undefined) {
      state.live.set(reservationId, { ...made, vector, committed: true, becomes: undefined });
    }
    take(state, tenantId, freed, -1n);
  } else if (is(event, ReservationVoided)) {
    addId(state.ended, event.data.reservationId);
  } else if (is(event, ReservationOverdue)) {
    const reservation = state.live.get(event.data.reservationId);
    if (reservation !== undefined) reservation.overdue = true;
  } else if (is(event, TenantOpened)) {
    const { tenantId, parentId } = event.data;
    state.tenants.set(tenantId, {
      ...{ parentId, limit: null, lasting: null, until: null },
      used: axes.map(() => 0n),
    });
  } else if (is(event, LimitSet)) {
    const { tenantId, limit, until = null } = event.data;
    const tenant = state.tenants.get(tenantId);
    if (tenant !== undefined) {
      tenant.limit = limit;
      tenant.until = until;
      if (until === null) tenant.lasting = limit;
    }
  } else if (is(event, LimitExpired)) {
    const tenant = state.tenants.get(event.data.tenantId);
    if (tenant !== undefined) {
      tenant.limit = event.data.limit;
      tenant.until = null;
    }
  }
  return state;
}

/** What was to be replaced is gone: the part it had in common with its heir is the heir's alone. */
function inherit(state: LedgerState, reservationId: string): void {
  const heirId = state.heirs.get(reservationId) ?? '';
  const heir = state.live.get(heirId);
  if (heir?.becomes === undefined) return;
  state.live.set(heirId, { ...heir, vector: heir.becomes.vector });
}

/** It holds nothing any more, and takes nobody's place. */
function end(state: LedgerState, reservationId: string): void {
  const from = state.live.get(reservationId)?.becomes?.from;
  if (from !== undefined) state.heirs.delete(from);
  state.live.delete(reservationId);
  addId(state.ended, reservationId);
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
