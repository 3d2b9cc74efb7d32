/**
 * No ledger is ever beyond its limits, on no level, at no moment of the log; each reservation takes
 * once and gives back once.
 */
import { is } from '@bivouac/events/language';
import {
  Committed,
  LimitSet,
  Released,
  ReservationVoided,
  Reserved,
  TenantOpened,
  Transferred,
  TransferReserved,
} from '@bivouac/events/quotas';
import { amountOf, axes, type Axis, nothing, type ResourceVector } from '@bivouac/events/values';

import type { History } from '../history.ts';

/** What a tenant may use and what it uses itself, without those below it. */
interface Level {
  readonly parentId: string | null;
  limit: ResourceVector | null;
  readonly own: Map<string, ResourceVector>;
}

/** The ledgers of all trees, by tenant. */
export type Levels = ReadonlyMap<string, Level>;

/** What the tenant and all below it use of an axis. */
export function usedOn(levels: Levels, tenantId: string, axis: Axis): bigint {
  let used = 0n;
  for (const vector of levels.get(tenantId)?.own.values() ?? []) used += amountOf(vector, axis);
  for (const [id, { parentId }] of levels) {
    if (parentId === tenantId) used += usedOn(levels, id, axis);
  }
  return used;
}

/** Follows the ledgers through the log; `levels` is how they stand at its end. */
export function checkQuotas(history: History): {
  readonly violations: string[];
  readonly levels: Levels;
} {
  const violations: string[] = [];
  const levels = new Map<string, Level>();
  const state = new Map<string, 'reserved' | 'committed' | 'released' | 'voided'>();
  /** What is to take a reservation's place, by that. */
  const heirs = new Map<
    string,
    { readonly reservationId: string; readonly vector: ResourceVector }
  >();
  for (const event of history) {
    const wrong = (what: string): void => {
      violations.push(`${what} (${event.type} at ${event.position})`);
    };
    if (is(event, TenantOpened)) {
      const { tenantId, parentId } = event.data;
      levels.set(tenantId, { parentId, limit: null, own: new Map() });
    } else if (is(event, LimitSet)) {
      const level = levels.get(event.data.tenantId);
      if (level !== undefined) level.limit = event.data.limit;
    } else if (is(event, Reserved)) {
      const { reservationId, tenantId, vector } = event.data;
      const before = state.get(reservationId);
      if (before !== undefined)
        wrong(`the reservation ${reservationId} is taken after it was ${before}`);
      state.set(reservationId, 'reserved');
      levels.get(tenantId)?.own.set(reservationId, vector);
      for (const what of beyond(levels, tenantId, vector)) wrong(what);
    } else if (is(event, TransferReserved)) {
      const { reservationId, fromReservationId, tenantId, vector, taken } = event.data;
      const before = state.get(reservationId);
      if (before !== undefined)
        wrong(`the reservation ${reservationId} is taken after it was ${before}`);
      if (heirs.has(fromReservationId)) wrong(`${fromReservationId} has two heirs`);
      state.set(reservationId, 'reserved');
      heirs.set(fromReservationId, { reservationId, vector });
      const own = levels.get(tenantId)?.own;
      const more = less(vector, own?.get(fromReservationId) ?? nothing);
      if (!same(more, taken)) wrong(`${reservationId} takes something else than it adds`);
      own?.set(reservationId, taken);
      for (const what of beyond(levels, tenantId, taken)) wrong(what);
    } else if (is(event, Transferred)) {
      const { reservationId, fromReservationId, tenantId, vector } = event.data;
      const before = state.get(reservationId);
      if (before !== 'reserved') {
        wrong(`the reservation ${reservationId} takes a place and was ${before ?? 'never taken'}`);
      }
      const own = levels.get(tenantId)?.own;
      own?.delete(fromReservationId);
      own?.set(reservationId, vector);
      heirs.delete(fromReservationId);
      state.set(fromReservationId, 'released');
      state.set(reservationId, 'committed');
      for (const what of beyond(levels, tenantId, vector)) wrong(what);
    } else if (is(event, Committed)) {
      const { reservationId } = event.data;
      const before = state.get(reservationId);
      if (before !== 'reserved') {
        wrong(`the reservation ${reservationId} is committed and was ${before ?? 'never taken'}`);
      }
      state.set(reservationId, 'committed');
    } else if (is(event, Released)) {
      const { reservationId, tenantId, vector } = event.data;
      const own = levels.get(tenantId)?.own;
      const taken = own?.get(reservationId);
      const heir = heirs.get(reservationId);
      // What its heir has in common with it stays taken, by the heir.
      const due = taken === undefined || heir === undefined ? taken : less(taken, heir.vector);
      if (due === undefined || !same(due, vector)) {
        wrong(`the reservation ${reservationId} gives back what it does not hold`);
      }
      own?.delete(reservationId);
      if (taken !== undefined && heir !== undefined) {
        const kept = own?.get(heir.reservationId) ?? nothing;
        own?.set(heir.reservationId, sum(kept, less(taken, vector)));
      }
      for (const [from, { reservationId: id }] of heirs) {
        if (id === reservationId) heirs.delete(from);
      }
      state.set(reservationId, 'released');
    } else if (is(event, ReservationVoided)) {
      const { reservationId } = event.data;
      const before = state.get(reservationId);
      if (before !== undefined)
        wrong(`the reservation ${reservationId} is voided and was ${before}`);
      state.set(reservationId, 'voided');
    }
  }
  return { violations, levels };
}

function same(a: ResourceVector, b: ResourceVector): boolean {
  return axes.every((axis) => amountOf(a, axis) === amountOf(b, axis));
}

/** What the first is more than the second, on each axis. */
function less(a: ResourceVector, b: ResourceVector): ResourceVector {
  return each((axis) => {
    const more = amountOf(a, axis) - amountOf(b, axis);
    return more > 0n ? more : 0n;
  });
}

function sum(a: ResourceVector, b: ResourceVector): ResourceVector {
  return each((axis) => amountOf(a, axis) + amountOf(b, axis));
}

function each(amount: (axis: Axis) => bigint): ResourceVector {
  return {
    containers: Number(amount('containers')),
    cpuMillis: Number(amount('cpuMillis')),
    addresses: Number(amount('addresses')),
    memoryBytes: amount('memoryBytes').toString(),
    diskBytes: amount('diskBytes').toString(),
  };
}

/** The levels, from the tenant up, on which what was just reserved is too much. */
function* beyond(levels: Levels, tenantId: string, asked: ResourceVector): Generator<string> {
  for (let id: string | null = tenantId; id !== null;) {
    const level: Level | undefined = levels.get(id);
    if (level === undefined) {
      yield `${id} has no place in a ledger`;
      return;
    }
    for (const axis of axes) {
      // A limit may be lowered below what is in use; then nothing more may be taken.
      if (level.limit === null || amountOf(asked, axis) === 0n) continue;
      const used = usedOn(levels, id, axis);
      const limit = amountOf(level.limit, axis);
      if (used > limit) yield `${id} uses ${used} ${axis} of ${limit}`;
    }
    id = level.parentId;
  }
}
