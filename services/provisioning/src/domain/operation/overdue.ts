/**
 * Reservations that are given back beside the plan: those that were neither committed nor given back in
 * time, asked about by their ledger, and those of an operation that staff ended before it could.
 */
import {
  accept,
  type Decided,
  type DecideContext,
  type Decision,
  parseKnown,
} from '@bivouac/events/language';
import { type AskRef, asks, StepAsked } from '@bivouac/events/operations';
import { OverdueReservationNoted } from '@bivouac/events/provisioning';
import { plusSeconds } from '@bivouac/events/values';

import { LET_GO, plan, refOf, undoing } from './advance.ts';
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
  const needless = hasNoNeed(state) || unused(state).includes(reservationId);
  if (!needless) return accept(...noted(state, reservationId));
  const last = lastAsking(state, releaseStepOf(reservationId));
  if (last?.status === 'asked' || last?.status === 'done') return accept();
  return accept(askRelease(state, reservationId, context));
}

/**
 * With its end: what was overdue while it waited for staff, as the ledger does not ask again; and what
 * the container it let go of is not there by, as nobody else knows of it.
 */
export function givenBack(state: OperationState, context: DecideContext): readonly Decided[] {
  const overdue = hasNoNeed(state) ? state.overdue : [];
  return [...new Set([...overdue, ...unused(state)])].map((reservationId) =>
    askRelease(state, reservationId, context),
  );
}

/** What it reserved and has not given back, where staff ended it and its container is not there by it. */
function unused(state: OperationState): string[] {
  const letGo = state.results[LET_GO]?.result;
  if (letGo === undefined) return [];
  const said = parseKnown(asks['containers.let-go'].result, letGo);
  if (!said.success) throw said.error;
  const { reservationIds } = said.data;
  // Of a time when that was not said.
  if (reservationIds === undefined) return [];
  const steps = new Map(plan(state).steps.map((step) => [step.name, step]));
  const reserved = state.askings.flatMap(({ step: name, attempt }) => {
    const step = steps.get(name);
    return step === undefined ? [] : undoing(state, step, attempt);
  });
  return reserved.flatMap(({ ask, input }) => {
    if (ask !== 'quotas.release') return [];
    const { reservationId } = asks[ask].input.parse(input);
    return reservationIds.includes(reservationId) ? [] : [reservationId];
  });
}

/** Whether the reservation of a `quotas.release` was given back beside the plan. */
export function isReleasedOverdue(state: OperationState, input: unknown): boolean {
  const { reservationId } = asks['quotas.release'].input.parse(input);
  return lastAsking(state, releaseStepOf(reservationId))?.status === 'done';
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
