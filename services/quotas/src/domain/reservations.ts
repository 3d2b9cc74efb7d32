/**
 * Reserve, commit, release: each idempotent for ever by the reservation's id, in any order. What has
 * ended is never taken again, so a late reserve finds the tombstone of its release.
 */
import {
  Committed,
  Released,
  ReservationOverdue,
  ReservationVoided,
  Reserved,
} from '@bivouac/events/quotas';
import { accept, type Decision, type DecideContext, refuse } from '@bivouac/events/language';
import type { AskRef } from '@bivouac/events/operations';
import { beyond, plusSeconds, type ResourceVector } from '@bivouac/events/values';

import { hasId } from './id-set.ts';
import type { LedgerState } from './ledger.ts';
import { sameVector, tenantUnknown } from './limits.ts';
import { ended, late, shortage } from './room.ts';
import { completeTransfer } from './transfers.ts';

/**
 * How long after its `notAfter` a reservation that is neither committed nor released is overdue:
 * longer than the longest operation that may still commit it.
 */
const GRACE_SECONDS = 3600;

/** When a reservation is overdue. */
export function overdueAt(notAfter: string): string {
  return plusSeconds(notAfter, GRACE_SECONDS);
}

interface Named {
  readonly reservationId: string;
  readonly homeId: string;
}

export function reserve(
  state: LedgerState,
  input: Named & {
    readonly tenantId: string;
    readonly vector: ResourceVector;
    readonly notAfter: string;
    readonly ask?: AskRef | undefined;
  },
  context: DecideContext,
): Decision {
  const { reservationId, tenantId, homeId, vector, notAfter, ask } = input;
  const made = state.live.get(reservationId);
  if (made !== undefined) {
    const same = made.tenantId === tenantId && sameVector(made.vector, vector);
    if (same && made.becomes === undefined) return accept();
    return refuse(
      'RESERVATION_DIFFERS',
      'A reservation of this id stands for something else; use a new id for another reservation.',
      { path: ['reservationId'], details: { tenantId: made.tenantId, vector: made.vector } },
    );
  }
  if (hasId(state.ended, reservationId)) return ended();
  if (context.now > notAfter) return late(notAfter, context.now);
  if (!state.tenants.has(tenantId)) return tenantUnknown();
  return (
    shortage(state, tenantId, vector) ??
    accept(Reserved({ reservationId, tenantId, homeId, vector, notAfter, ask }))
  );
}

export function commit(state: LedgerState, input: Named): Decision {
  const { reservationId, homeId } = input;
  const made = state.live.get(reservationId);
  if (made === undefined) {
    if (hasId(state.ended, reservationId)) return ended();
    return refuse('RESERVATION_UNKNOWN', 'There is no such reservation to commit; reserve first.', {
      path: ['reservationId'],
    });
  }
  if (made.committed) return accept();
  const { tenantId, vector, becomes } = made;
  if (becomes !== undefined) return completeTransfer(state, { ...made, becomes }, input);
  return accept(Committed({ reservationId, tenantId, homeId, vector }));
}

export function release(state: LedgerState, input: Named): Decision {
  const { reservationId, homeId } = input;
  if (hasId(state.ended, reservationId)) return accept();
  const made = state.live.get(reservationId);
  if (made === undefined) return accept(ReservationVoided({ reservationId, homeId }));
  const { tenantId, committed } = made;
  const heir = state.live.get(state.heirs.get(reservationId) ?? '')?.becomes;
  // One that is to take its place keeps what both have in common.
  const vector = heir === undefined ? made.vector : beyond(made.vector, heir.vector);
  return accept(Released({ reservationId, tenantId, homeId, vector, committed }));
}

/** A reservation nobody came back for: it is said once, and taken back by nobody but its operation. */
export function flagOverdue(state: LedgerState, input: Named, context: DecideContext): Decision {
  const { reservationId, homeId } = input;
  const made = state.live.get(reservationId);
  if (made === undefined || made.committed || made.overdue) return accept();
  const due = overdueAt(made.notAfter);
  if (context.now < due) {
    return refuse('RESERVATION_NOT_DUE', `It is overdue at ${due}, not before; wait until then.`, {
      retryable: true,
      details: { due },
    });
  }
  const { tenantId, vector, notAfter, ask } = made;
  return accept(ReservationOverdue({ reservationId, tenantId, homeId, vector, notAfter, ask }));
}
