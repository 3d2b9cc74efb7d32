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
      if (taken === undefined || axes.some((axis) => taken[axis] !== vector[axis])) {
        wrong(`the reservation ${reservationId} gives back what it does not hold`);
      }
      own?.delete(reservationId);
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
