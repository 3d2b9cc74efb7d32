/** An operation as its events tell it. `evolve` may change the state it is given. */
import type { EventOf, Refusal } from '@bivouac/events/language';
import { type AskName, type AskRef, type Outcome, StepAsked } from '@bivouac/events/operations';
import {
  AttentionNeeded,
  CancelRequested,
  ChildEnded,
  ChildrenCounted,
  ChildStarted,
  ChildWaiting,
  LeftoversChanged,
  operationEvents,
  OperationCancelled,
  OperationFailed,
  type OperationOrder,
  OperationReleased,
  OperationResolved,
  OperationRetried,
  OperationStarted,
  OperationSucceeded,
  type OperationTarget,
  OverdueReservationNoted,
  ReleaseOrdered,
  ResolutionStated,
  StepDelayed,
  StepEnded,
  StepResumed,
  UndoStarted,
} from '@bivouac/events/provisioning';

import type { StepResult } from '../plans/index.ts';
import { type Children, childrenAfter, noChildren } from './children-state.ts';

export const streamEvents = [...operationEvents, StepAsked] as const;
export type OperationEvent = EventOf<(typeof streamEvents)[number]>;

/** In these it has asks to make; staff's acts let it go through `closing`. */
export type Working = 'running' | 'undoing' | 'closing';

export type Phase =
  | 'new'
  | Working
  | 'needs-attention'
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  | 'resolved'
  | 'released';

/** One asking of a step (or of a step's undo). */
export interface Asking {
  readonly step: string;
  readonly attempt: number;
  readonly ask: AskName;
  readonly status: 'asked' | Outcome;
}

export interface Delay {
  readonly times: number;
  readonly until: string | undefined;
}

export interface OperationState {
  readonly phase: Phase;
  readonly operationId: string;
  readonly parentId: string | undefined;
  readonly tenantId: string;
  readonly order: OperationOrder | undefined;
  readonly target: OperationTarget | undefined;
  /** Recorded time of the order. */
  readonly startedAt: string;
  /** In the order asked. */
  readonly askings: readonly Asking[];
  /** How many askings there were when staff last had it retried: attempts count from there. */
  readonly retriedAt: number;
  /** Steps that were put off, by step: how often since staff last acted, and until when if they are. */
  readonly delays: Readonly<Record<string, Delay>>;
  /** Results of steps, and of undo steps, that were done, by step. */
  readonly results: Readonly<Record<string, StepResult>>;
  /** Why it is being undone; undefined with a cancel. */
  readonly refusal: Refusal | undefined;
  readonly cancelled: boolean;
  /** The ask that needs attention, and what the operation was doing. */
  readonly attention: { readonly ref: AskRef; readonly from: Working } | undefined;
  /** How staff want it to end. */
  readonly closing: 'resolved' | 'released' | undefined;
  /** Of a released one: staff have what it left asked for again, as far as it only has to be given back. */
  readonly givesBack: boolean;
  /** Overdue reservations that were noted. */
  readonly overdue: readonly string[];
  readonly children: Children;
}

export function initial(): OperationState {
  return {
    phase: 'new',
    operationId: '',
    parentId: undefined,
    tenantId: '',
    order: undefined,
    target: undefined,
    startedAt: '',
    askings: [],
    retriedAt: 0,
    delays: {},
    results: {},
    refusal: undefined,
    cancelled: false,
    attention: undefined,
    closing: undefined,
    givesBack: false,
    overdue: [],
    children: noChildren,
  };
}

/** Folds an event into a new state: decisions fold what they decide before it is recorded. */
export function evolve(state: OperationState, event: OperationEvent): OperationState {
  switch (event.type) {
    case OperationStarted.type: {
      const { operationId, parentId, tenantId, order, target } = event.data;
      const startedAt = event.time;
      return {
        ...state,
        phase: 'running',
        operationId,
        parentId,
        tenantId,
        order,
        target,
        startedAt,
      };
    }
    case StepAsked.type: {
      const { ref, ask } = event.data;
      const asking: Asking = { step: ref.step, attempt: ref.attempt, ask, status: 'asked' };
      return { ...state, askings: [...state.askings, asking] };
    }
    case StepEnded.type:
      return stepEnded(state, event.data);
    case StepDelayed.type: {
      const { ref, until } = event.data;
      const times = (state.delays[ref.step]?.times ?? 0) + 1;
      return { ...state, delays: { ...state.delays, [ref.step]: { times, until } } };
    }
    case StepResumed.type: {
      const { step } = event.data;
      const times = state.delays[step]?.times ?? 0;
      return { ...state, delays: { ...state.delays, [step]: { times, until: undefined } } };
    }
    case CancelRequested.type:
      return { ...state, phase: 'undoing', cancelled: true };
    case UndoStarted.type:
      return { ...state, phase: 'undoing', refusal: event.data.refusal };
    case AttentionNeeded.type: {
      const { ref } = event.data;
      const from = state.phase === 'undoing' || state.phase === 'closing' ? state.phase : 'running';
      return { ...state, phase: 'needs-attention', attention: { ref, from } };
    }
    case OperationRetried.type: {
      if (state.phase === 'released') return countedAnew(state);
      const phase = state.attention?.from ?? 'running';
      return { ...state, phase, attention: undefined, ...counting(state) };
    }
    case LeftoversChanged.type:
      return state;
    case ResolutionStated.type:
      return { ...closing(state), closing: 'resolved' };
    case ReleaseOrdered.type:
      return { ...closing(state), closing: 'released' };
    case OverdueReservationNoted.type:
      return { ...state, overdue: [...state.overdue, event.data.reservationId] };
    case ChildrenCounted.type:
      return { ...state, children: { ...state.children, counted: true } };
    case ChildStarted.type:
    case ChildWaiting.type:
    case ChildEnded.type:
      return { ...state, children: childrenAfter(state.children, event) };
    case OperationSucceeded.type:
      return { ...state, phase: 'succeeded' };
    case OperationFailed.type:
      return { ...state, phase: 'failed' };
    case OperationCancelled.type:
      return { ...state, phase: 'cancelled' };
    case OperationResolved.type:
      return { ...state, phase: 'resolved' };
    case OperationReleased.type:
      return { ...state, phase: 'released' };
  }
}

export function isUndo(step: string): boolean {
  return step.startsWith('undo-');
}

export function isWorking(phase: Phase): phase is Working {
  return phase === 'running' || phase === 'undoing' || phase === 'closing';
}

export function isEnded(phase: Phase): boolean {
  return phase !== 'new' && phase !== 'needs-attention' && !isWorking(phase);
}

export function askingOf(state: OperationState, ref: AskRef): Asking | undefined {
  return state.askings.find((asking) => asking.step === ref.step && asking.attempt === ref.attempt);
}

export function lastAsking(state: OperationState, step: string): Asking | undefined {
  return state.askings.findLast((asking) => asking.step === step);
}

/**
 * The askings of a step since the order, or since staff last had the operation retried, without those
 * that were only put off.
 */
export function attemptsOf(state: OperationState, step: string): number {
  const asked = state.askings.slice(state.retriedAt).filter((asking) => asking.step === step);
  return asked.length - (state.delays[step]?.times ?? 0);
}

/** Whether a step is put off: it is asked for again by a timer. */
export function isDelayed(state: OperationState, step: string): boolean {
  return state.delays[step]?.until !== undefined;
}

/** A released one whose leftovers are asked for again: no timer is at work for what was put off before. */
export function countedAnew(state: OperationState): OperationState {
  return { ...state, ...counting(state), delays: {}, givesBack: true };
}

/** Attempts and delays count from here on; what is put off stays so. */
function counting(state: OperationState): Pick<OperationState, 'retriedAt' | 'delays'> {
  const delays: Record<string, Delay> = {};
  for (const [step, { until }] of Object.entries(state.delays)) delays[step] = { times: 0, until };
  return { retriedAt: state.askings.length, delays };
}

function stepEnded(state: OperationState, data: EventOf<typeof StepEnded>['data']): OperationState {
  const { ref, outcome, result } = data;
  const askings = state.askings.map((asking) =>
    asking.step === ref.step && asking.attempt === ref.attempt
      ? { ...asking, status: outcome }
      : asking,
  );
  if (outcome !== 'done') return { ...state, askings };
  const results = { ...state.results, [ref.step]: { attempt: ref.attempt, result: result ?? {} } };
  return { ...state, askings, results };
}

function closing(state: OperationState): OperationState {
  return { ...state, phase: 'closing', ...counting(state) };
}
