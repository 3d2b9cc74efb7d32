/**
 * One reservation takes another's place, e.g. when a container gets another plan. Until it has, the
 * larger of both counts on every axis: whichever of the two comes to stand, it has its room.
 */
import { Transferred, TransferReserved } from '@bivouac/events/quotas';
import { accept, type Decision, type DecideContext, refuse } from '@bivouac/events/language';
import type { AskRef } from '@bivouac/events/operations';
import { beyond, nothing, type ResourceVector } from '@bivouac/events/values';

import { hasId } from './id-set.ts';
import type { LedgerState, ReservationState } from './ledger.ts';
import { sameVector, tenantUnknown } from './limits.ts';
import { ended, late, shortage } from './room.ts';

/**
 * Reserves what the new one needs beyond the old. Refused: QUOTA_EXCEEDED, RESERVATION_UNKNOWN,
 * RESERVATION_NOT_COMMITTED, TRANSFER_UNDER_WAY, RESERVATION_LATE, RESERVATION_ENDED,
 * RESERVATION_DIFFERS.
 */
export function transfer(
  state: LedgerState,
  input: {
    readonly reservationId: string;
    readonly fromReservationId: string;
    readonly tenantId: string;
    readonly homeId: string;
    readonly vector: ResourceVector;
    readonly notAfter: string;
    readonly ask?: AskRef | undefined;
  },
  context: DecideContext,
): Decision {
  const { reservationId, fromReservationId, tenantId, homeId, vector, notAfter, ask } = input;
  const made = state.live.get(reservationId);
  if (made !== undefined) return again(made, input);
  if (hasId(state.ended, reservationId)) return ended();
  if (context.now > notAfter) return late(notAfter, context.now);
  if (!state.tenants.has(tenantId)) return tenantUnknown();
  const from = state.live.get(fromReservationId);
  if (from?.tenantId !== tenantId) {
    return refuse(
      'RESERVATION_UNKNOWN',
      'The tenant has no such reservation to be replaced; check its id.',
      { path: ['fromReservationId'] },
    );
  }
  if (!from.committed) {
    return refuse(
      'RESERVATION_NOT_COMMITTED',
      'What is to be replaced is itself only reserved; ask again when it is in use.',
      { path: ['fromReservationId'], retryable: true },
    );
  }
  if (state.heirs.has(fromReservationId)) {
    return refuse(
      'TRANSFER_UNDER_WAY',
      'Another reservation is to take its place already; wait until that has come to its end.',
      { path: ['fromReservationId'], retryable: true },
    );
  }
  const taken = beyond(vector, from.vector);
  return (
    shortage(state, tenantId, taken) ??
    accept(
      TransferReserved({
        ...{ reservationId, fromReservationId, tenantId, homeId, vector, taken, notAfter },
        ask,
      }),
    )
  );
}

/** It takes the other's place now, whose surplus is given back. Never refused: it has its room. */
export function completeTransfer(
  state: LedgerState,
  made: ReservationState & { readonly becomes: NonNullable<ReservationState['becomes']> },
  named: { readonly reservationId: string; readonly homeId: string },
): Decision {
  const { from, vector } = made.becomes;
  const replaced = state.live.get(from);
  return accept(
    Transferred({
      ...named,
      fromReservationId: from,
      tenantId: made.tenantId,
      vector,
      taken: made.vector,
      freed: replaced === undefined ? nothing : beyond(replaced.vector, vector),
    }),
  );
}

function again(
  made: ReservationState,
  input: {
    readonly tenantId: string;
    readonly fromReservationId: string;
    readonly vector: ResourceVector;
  },
): Decision {
  const { tenantId, becomes } = made;
  const same =
    tenantId === input.tenantId &&
    (becomes === undefined || becomes.from === input.fromReservationId) &&
    sameVector(becomes?.vector ?? made.vector, input.vector);
  if (same) return accept();
  return refuse(
    'RESERVATION_DIFFERS',
    'A reservation of this id stands for something else; use a new id for another one.',
    { path: ['reservationId'], details: { tenantId, vector: becomes?.vector ?? made.vector } },
  );
}
