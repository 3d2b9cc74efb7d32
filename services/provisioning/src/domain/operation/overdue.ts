/** A reservation that was neither committed nor given back in time, asked about by its ledger. */
import { accept, type Decided, type DecideContext, type Decision } from '@bivouac/events/language';
import { type AskRef, StepAsked } from '@bivouac/events/operations';
import { OverdueReservationNoted } from '@bivouac/events/provisioning';
import { plusSeconds } from '@bivouac/events/values';

import { refOf } from './advance.ts';
import { askingOf, isWorking, lastAsking, type OperationState } from './state.ts';

/** How long the ledger has, in seconds. */
const RELEASE_SECONDS = 120;
/** How often it is asked to. */
const RELEASE_ATTEMPTS = 5;
const PREFIX = 'overdue-';

/**
 * While it works it will commit it or give it back. When it has ended without need of it, it is given
 * back now. Where it needs attention, or has what it was ordered to do, staff have to look.
 */
export function answerOverdue(
  state: OperationState,
  { reservationId }: { readonly reservationId: string },
  context: DecideContext,
): Decision {
  if (state.phase === 'new' || isWorking(state.phase)) return accept();
  if (!hasNoNeed(state)) return accept(...noted(state, reservationId));
  const last = lastAsking(state, releaseStepOf(reservationId));
  if (last?.status === 'asked' || last?.status === 'done') return accept();
  return accept(askRelease(state, reservationId, context));
}

/** With its end: what was overdue while it waited for staff. The ledger does not ask again. */
export function givenBack(state: OperationState, context: DecideContext): readonly Decided[] {
  if (!hasNoNeed(state)) return [];
  return state.overdue.map((reservationId) => askRelease(state, reservationId, context));
}

/** Whether a step gives back a reservation that was overdue. */
export function isOverdueRelease(step: string): boolean {
  return step.startsWith(PREFIX);
}

/** After an answer to such a step: again where it was not done, and after some attempts a note. */
export function releaseAgain(
  state: OperationState,
  ref: AskRef,
  context: DecideContext,
): readonly Decided[] {
  if (askingOf(state, ref)?.status === 'done') return [];
  const reservationId = `res_${ref.step.slice(PREFIX.length)}`;
  return ref.attempt < RELEASE_ATTEMPTS
    ? [askRelease(state, reservationId, context)]
    : noted(state, reservationId);
}

function askRelease(state: OperationState, reservationId: string, context: DecideContext): Decided {
  return StepAsked({
    ref: refOf(state, releaseStepOf(reservationId)),
    ask: 'quotas.release',
    tenantId: state.tenantId,
    input: { reservationId },
    notAfter: plusSeconds(context.now, RELEASE_SECONDS),
  });
}

function noted(state: OperationState, reservationId: string): readonly Decided[] {
  const { operationId, overdue } = state;
  return overdue.includes(reservationId)
    ? []
    : [OverdueReservationNoted({ operationId, reservationId })];
}

/** Nothing that counts against the reservation came of it, or staff gave it up. */
function hasNoNeed({ phase, refusal, cancelled }: OperationState): boolean {
  if (phase === 'failed' || phase === 'cancelled' || phase === 'released') return true;
  return phase === 'resolved' && (refusal !== undefined || cancelled);
}

/** One step per reservation; ids are too long to stand in a step's name whole. */
function releaseStepOf(reservationId: string): string {
  return `${PREFIX}${reservationId.slice('res_'.length)}`;
}
