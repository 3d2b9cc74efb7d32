/**
 * No ledger is ever beyond its limits, on no level, at no moment of the log; each reservation takes
 * once and gives back once. Of one that is to take another's place the larger of both counts.
 */
import { is } from '@bivouac/events/language';
import {
  Committed,
  LimitExpired,
  LimitSet,
  Released,
  ReservationVoided,
  Reserved,
  TenantOpened,
  Transferred,
  TransferReserved,
} from '@bivouac/events/quotas';
import { amountOf, axes, type Axis, type ResourceVector } from '@bivouac/events/values';

import type { History } from './history.ts';

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
  /** By what is to be replaced: by what, and what that holds then. */
  const heirs = new Map<string, { readonly by: string; readonly vector: ResourceVector }>();
  for (const event of history) {
    const wrong = (what: string): void => {
      violations.push(`${what} (${event.type} at ${event.position})`);
    };
    if (is(event, TenantOpened)) {
      const { tenantId, parentId } = event.data;
      levels.set(tenantId, { parentId, limit: null, own: new Map() });
    } else if (is(event, LimitSet) || is(event, LimitExpired)) {
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
      const own = levels.get(tenantId)?.own;
      const from = own?.get(fromReservationId);
      if (state.has(reservationId)) wrong(`the transfer ${reservationId} is taken again`);
      if (heirs.has(fromReservationId)) wrong(`${fromReservationId} is to be replaced twice`);
      if (from === undefined) wrong(`${reservationId} is to replace what is not held`);
      else if (differs(taken, beyondOf(vector, from))) {
        wrong(`the transfer ${reservationId} does not take what it needs more`);
      }
      state.set(reservationId, 'reserved');
      own?.set(reservationId, taken);
      heirs.set(fromReservationId, { by: reservationId, vector });
      for (const what of beyond(levels, tenantId, taken)) wrong(what);
    } else if (is(event, Transferred)) {
      const { reservationId, fromReservationId, tenantId, vector } = event.data;
      if (state.get(reservationId) !== 'reserved') {
        wrong(
          `${reservationId} takes a place and was ${state.get(reservationId) ?? 'never taken'}`,
        );
      }
      const heir = heirs.get(fromReservationId);
      if (heir !== undefined && (heir.by !== reservationId || differs(heir.vector, vector))) {
        wrong(`${reservationId} takes another place, or more of it, than it had reserved`);
      }
      const own = levels.get(tenantId)?.own;
      state.set(fromReservationId, 'released');
      own?.delete(fromReservationId);
      own?.set(reservationId, vector);
      heirs.delete(fromReservationId);
      state.set(reservationId, 'committed');
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
      // What both have in common is the heir's alone from then on.
      const holds = taken && heir ? beyondOf(taken, heir.vector) : taken;
      if (holds === undefined || differs(holds, vector)) {
        wrong(`the reservation ${reservationId} gives back what it does not hold`);
      }
      own?.delete(reservationId);
      if (heir !== undefined && own?.has(heir.by) === true) own.set(heir.by, heir.vector);
      heirs.delete(reservationId);
      for (const [from, { by }] of heirs) if (by === reservationId) heirs.delete(from);
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

function differs(a: ResourceVector, b: ResourceVector): boolean {
  return axes.some((axis) => amountOf(a, axis) !== amountOf(b, axis));
}

/** What the one has more than the other, axis by axis. */
function beyondOf(a: ResourceVector, b: ResourceVector): ResourceVector {
  const more = (axis: Axis): bigint => {
    const difference = amountOf(a, axis) - amountOf(b, axis);
    return difference > 0n ? difference : 0n;
  };
  return {
    containers: Number(more('containers')),
    cpuMillis: Number(more('cpuMillis')),
    memoryBytes: more('memoryBytes').toString(),
    diskBytes: more('diskBytes').toString(),
    addresses: Number(more('addresses')),
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
