/**
 * The operation aggregate: a workflow over several contexts, one ask at a time. `decide` records
 * answers and asks for what comes next; what each kind asks for is in `plans.ts`.
 */
import {
  accept,
  type DecideContext,
  type Decided,
  type Decision,
  type EventOf,
  refuse,
  type Refusal,
} from '@bivouac/events/language';
import { type AskName, type AskRef, type Outcome, StepAsked } from '@bivouac/events/operations';
import {
  AttentionNeeded,
  CancelRequested,
  operationEvents,
  OperationCancelled,
  OperationFailed,
  type OperationOrder,
  OperationStarted,
  OperationSucceeded,
  type OperationTarget,
  StepEnded,
  UndoStarted,
} from '@bivouac/events/provisioning';
import { deriveId, idFromUuid, plusSeconds } from '@bivouac/events/values';

import { planOf, type StepPlan, type StepResult, type Verdict } from './plans/index.ts';

export const streamEvents = [...operationEvents, StepAsked] as const;
export type OperationEvent = EventOf<(typeof streamEvents)[number]>;

/** How often an undo is asked for before staff have to look at it. */
const UNDO_ATTEMPTS = 3;
/** How long an owner has for an undo, in seconds. */
const UNDO_SECONDS = 120;

export type Phase =
  'new' | 'running' | 'undoing' | 'succeeded' | 'failed' | 'cancelled' | 'needs-attention';

/** One asking of a step (or of a step's undo). */
export interface Asking {
  readonly step: string;
  readonly attempt: number;
  readonly ask: AskName;
  status: 'asked' | Outcome;
}

export interface OperationState {
  phase: Phase;
  operationId: string;
  tenantId: string;
  order: OperationOrder | undefined;
  target: OperationTarget | undefined;
  /** Recorded time of the order. */
  startedAt: string;
  /** In the order asked. */
  askings: Asking[];
  /** Results of steps that were done, by step. */
  results: Record<string, StepResult>;
  /** Why it is being undone; undefined with a cancel. */
  refusal: Refusal | undefined;
  cancelled: boolean;
}

export function initial(): OperationState {
  return {
    phase: 'new',
    operationId: '',
    tenantId: '',
    order: undefined,
    target: undefined,
    startedAt: '',
    askings: [],
    results: {},
    refusal: undefined,
    cancelled: false,
  };
}

export function evolve(state: OperationState, event: OperationEvent): OperationState {
  switch (event.type) {
    case OperationStarted.type: {
      const { operationId, tenantId, order, target } = event.data;
      const startedAt = event.time;
      return { ...state, phase: 'running', operationId, tenantId, order, target, startedAt };
    }
    case StepAsked.type:
      state.askings.push({
        step: event.data.ref.step,
        attempt: event.data.ref.attempt,
        ask: event.data.ask,
        status: 'asked',
      });
      return state;
    case StepEnded.type: {
      const { ref, outcome, result } = event.data;
      const asking = askingOf(state, ref);
      if (asking !== undefined) asking.status = outcome;
      if (outcome === 'done' && !isUndo(ref.step)) {
        state.results[ref.step] = { attempt: ref.attempt, result: result ?? {} };
      }
      return state;
    }
    case CancelRequested.type:
      return { ...state, phase: 'undoing', cancelled: true };
    case UndoStarted.type:
      return { ...state, phase: 'undoing', refusal: event.data.refusal };
    case OperationSucceeded.type:
      return { ...state, phase: 'succeeded' };
    case OperationFailed.type:
      return { ...state, phase: 'failed' };
    case OperationCancelled.type:
      return { ...state, phase: 'cancelled' };
    case AttentionNeeded.type:
      return { ...state, phase: 'needs-attention' };
  }
}

/** What only the provider's staff order: a hold binds its container's owner, and an invoice its debtor. */
const staffOrders: ReadonlySet<OperationOrder['kind']> = new Set([
  'suspend',
  'resume',
  'close-month',
  'run-month',
]);

/**
 * Starts the operation. Its id, and that of what it makes, derive from the order's key.
 * Refused: NOT_ALLOWED.
 */
export function start(
  state: OperationState,
  input: {
    readonly order: OperationOrder;
    readonly tenantId: string;
    /** Ordered by the provider's staff, or by the host itself. */
    readonly byStaff: boolean;
  },
  context: DecideContext,
): Decision {
  if (state.phase !== 'new') return accept();
  if (!input.byStaff && staffOrders.has(input.order.kind)) {
    return refuse(
      'NOT_ALLOWED',
      `Only the provider's staff order this (${input.order.kind}); ask them to do it.`,
    );
  }
  const operationId = operationIdOf(context.commandKey);
  const started = OperationStarted({
    operationId,
    kind: input.order.kind,
    tenantId: input.tenantId,
    target: targetOf(operationId, input.order),
    order: input.order,
  });
  return carryOn(state, [started], context);
}

/** Records a step's one answer and asks for what comes next. Late and repeated answers change nothing. */
export function recordAnswer(
  state: OperationState,
  input: {
    readonly ref: AskRef;
    readonly ask: AskName;
    readonly outcome: Outcome;
    readonly result?: Record<string, unknown> | undefined;
    readonly refusal?: Refusal | undefined;
  },
  context: DecideContext,
): Decision {
  const asking = askingOf(state, input.ref);
  if (asking?.status !== 'asked') return accept();
  const ended = StepEnded({
    ref: input.ref,
    ask: input.ask,
    outcome: input.outcome,
    ...(input.result === undefined ? {} : { result: input.result }),
    ...(input.refusal === undefined ? {} : { refusal: wireRefusal(input.refusal) }),
  });
  return carryOn(state, [ended], context, { ref: input.ref, refusal: input.refusal });
}

/** Asks the operation to stop. Refused once it has ended or can no longer be undone. */
export function cancel(state: OperationState, context: DecideContext): Decision {
  if (state.phase === 'new')
    return refuse(
      'OPERATION_UNKNOWN',
      'There is no such operation, or it is not yours; check the id.',
      { path: ['operationId'] },
    );
  if (state.phase === 'undoing') return accept();
  if (state.phase !== 'running') {
    return refuse(
      'OPERATION_ENDED',
      `The operation has ended (${state.phase}); there is nothing to cancel.`,
      { path: ['operationId'] },
    );
  }
  const fixed = plan(state).find((step) => step.pivot === true && doneOrUnderWayFinal(state, step));
  if (fixed !== undefined) {
    return refuse(
      'OPERATION_CANNOT_BE_CANCELLED',
      `The step ${fixed.name} has been taken and cannot be taken back by cancelling; order the opposite operation when this one has ended.`,
      { path: ['operationId'] },
    );
  }
  return carryOn(state, [CancelRequested({ operationId: state.operationId })], context);
}

export function operationIdOf(commandKey: string): string {
  return idFromUuid('operation', commandKey);
}

/** The container an order makes derives from the operation, so that a retry makes the same one. */
function targetOf(operationId: string, order: OperationOrder): OperationTarget {
  switch (order.kind) {
    case 'provision':
      return { type: 'container', id: deriveId('container', operationId) };
    case 'close-month':
      return { type: 'account', id: order.accountId };
    case 'run-month':
      return { type: 'account', id: order.issuerId };
    default:
      return { type: 'container', id: order.containerId };
  }
}

/** The first events and everything that follows from them, decided on a state of our own. */
function carryOn(
  state: OperationState,
  first: readonly Decided[],
  context: DecideContext,
  answered?: { readonly ref: AskRef; readonly refusal: Refusal | undefined },
): Decision {
  let own: OperationState = {
    ...state,
    askings: state.askings.map((a) => ({ ...a })),
    results: { ...state.results },
  };
  const events: Decided[] = [];
  const take = (decided: readonly Decided[]): void => {
    for (const event of decided) {
      events.push(event);
      own = evolve(own, { ...event, time: context.now } as unknown as OperationEvent);
    }
  };
  take(first);
  if (answered !== undefined) take(judge(own, answered.ref, answered.refusal));
  take(next(own, context));
  return accept(...events);
}

/** What a bad answer means: try again, undo everything, or call for staff. */
function judge(state: OperationState, ref: AskRef, refusal: Refusal | undefined): Decided[] {
  const asking = askingOf(state, ref);
  if (asking === undefined || asking.status === 'done') return [];
  const reason = wireRefusal(refusal ?? reasonOf(asking));
  if (isUndo(ref.step)) {
    if (ref.attempt < UNDO_ATTEMPTS) return [];
    return [AttentionNeeded({ operationId: state.operationId, ref, refusal: reason })];
  }
  if (state.phase !== 'running') return [];
  const step = plan(state).find((s) => s.name === ref.step);
  if (step === undefined) return [];
  if (asking.status !== 'refused' && ref.attempt < step.attempts) return [];
  if (verdictOf(state, step, asking) === 'undo')
    return [UndoStarted({ operationId: state.operationId, refusal: reason })];
  return [AttentionNeeded({ operationId: state.operationId, ref, refusal: reason })];
}

function verdictOf(state: OperationState, step: StepPlan, asking: Asking): Verdict {
  if (asking.status === 'timed-out') return step.onTimedOut;
  if (asking.status === 'failed') return step.onFailed;
  // A refusal says that this attempt did nothing; an earlier one that was not answered may have.
  const unsure = state.askings.some(
    (a) => a.step === step.name && (a.status === 'timed-out' || a.status === 'failed'),
  );
  return unsure && step.undo === undefined && step.onTimedOut === 'attention'
    ? 'attention'
    : step.onRefused;
}

/** What is to be asked now, or that it is over. */
function next(state: OperationState, context: DecideContext): Decided[] {
  if (state.phase === 'running') return nextDo(state, context);
  if (state.phase === 'undoing') return nextUndo(state, context);
  return [];
}

function nextDo(state: OperationState, context: DecideContext): Decided[] {
  const steps = plan(state);
  const asked: Decided[] = [];
  for (const step of steps) {
    const last = lastAsking(state, step.name);
    if (last?.status === 'asked' || last?.status === 'done') continue;
    if (last !== undefined && !undone(state, step, last.attempt)) {
      // Another attempt only when nothing of the last one can be left over.
      if (lastAsking(state, undoName(step.name, last.attempt))?.status !== 'asked') {
        asked.push(askUndo(state, step, last.attempt, context));
      }
      continue;
    }
    if (step.after.every((name) => state.results[name] !== undefined)) {
      asked.push(askStep(state, step, (last?.attempt ?? 0) + 1, context));
    }
  }
  if (asked.length > 0) return asked;
  if (steps.every((step) => state.results[step.name] !== undefined)) {
    return [OperationSucceeded({ operationId: state.operationId, invoiceId: invoiceOf(state) })];
  }
  return [];
}

/** Undoes in the reverse order of asking, one at a time, also what may never have happened. */
function nextUndo(state: OperationState, context: DecideContext): Decided[] {
  const steps = new Map(plan(state).map((step) => [step.name, step]));
  for (const asking of [...state.askings].reverse()) {
    const step = steps.get(asking.step);
    if (step === undefined || undone(state, step, asking.attempt)) continue;
    if (asking.status === 'refused') continue;
    const undoing = lastAsking(state, undoName(step.name, asking.attempt));
    return undoing?.status === 'asked' ? [] : [askUndo(state, step, asking.attempt, context)];
  }
  if (state.cancelled) return [OperationCancelled({ operationId: state.operationId })];
  const refusal = wireRefusal(
    state.refusal ?? { code: 'OPERATION_FAILED', message: 'The operation could not be done.' },
  );
  return [OperationFailed({ operationId: state.operationId, refusal })];
}

function askStep(
  state: OperationState,
  step: StepPlan,
  attempt: number,
  context: DecideContext,
): Decided {
  return StepAsked({
    ref: { operationId: state.operationId, step: step.name, attempt },
    ask: step.ask,
    tenantId: state.tenantId,
    input: step.input(attempt),
    notAfter: plusSeconds(context.now, step.seconds),
  });
}

function askUndo(
  state: OperationState,
  step: StepPlan,
  attempt: number,
  context: DecideContext,
): Decided {
  if (step.undo === undefined) throw new Error(`the step ${step.name} has no undo`);
  const name = undoName(step.name, attempt);
  return StepAsked({
    ref: {
      operationId: state.operationId,
      step: name,
      attempt: (lastAsking(state, name)?.attempt ?? 0) + 1,
    },
    ask: step.undo.ask,
    tenantId: state.tenantId,
    input: step.undo.input(attempt),
    notAfter: plusSeconds(context.now, UNDO_SECONDS),
  });
}

function plan(state: OperationState): readonly StepPlan[] {
  return state.order === undefined || state.target === undefined
    ? []
    : planOf({
        operationId: state.operationId,
        tenantId: state.tenantId,
        order: state.order,
        target: state.target,
        startedAt: state.startedAt,
        results: state.results,
      }).steps;
}

/** Undo steps carry the attempt they undo in their name: each attempt has its own ids. */
function undoName(step: string, attempt: number): string {
  return `undo-${step}-${attempt}`;
}

export function isUndo(step: string): boolean {
  return step.startsWith('undo-');
}

function undone(state: OperationState, step: StepPlan, attempt: number): boolean {
  if (step.undo === undefined) return true;
  const asking = state.askings.find((a) => a.step === step.name && a.attempt === attempt);
  // A refusal is the owner's word that nothing was done.
  if (asking?.status === 'refused') return true;
  return lastAsking(state, undoName(step.name, attempt))?.status === 'done';
}

function doneOrUnderWayFinal(state: OperationState, step: StepPlan): boolean {
  const last = lastAsking(state, step.name);
  return last?.status === 'done' || (last?.status === 'asked' && step.undo === undefined);
}

function lastAsking(state: OperationState, step: string): Asking | undefined {
  return state.askings.findLast((asking) => asking.step === step);
}

function askingOf(state: OperationState, ref: AskRef): Asking | undefined {
  return state.askings.find((asking) => asking.step === ref.step && asking.attempt === ref.attempt);
}

function invoiceOf(state: OperationState): string | null {
  const invoice = state.results['invoice']?.result['invoice'];
  if (typeof invoice !== 'object' || invoice === null || !('invoiceId' in invoice)) return null;
  return typeof invoice.invoiceId === 'string' ? invoice.invoiceId : null;
}

function reasonOf(asking: Asking): Refusal {
  return asking.status === 'timed-out'
    ? {
        code: 'STEP_TIMED_OUT',
        message: `The step ${asking.step} was not answered in time; order again, or ask the provider's staff.`,
      }
    : {
        code: 'STEP_FAILED',
        message: `The step ${asking.step} failed; order again, or ask the provider's staff.`,
      };
}

/** A refusal as events hold it: mutable JSON. */
function wireRefusal(refusal: Refusal): {
  code: string;
  message: string;
  path?: string[];
  retryable?: boolean;
  details?: Record<string, unknown>;
} {
  return {
    code: refusal.code,
    message: refusal.message,
    ...(refusal.path === undefined ? {} : { path: [...refusal.path] }),
    ...(refusal.retryable === undefined ? {} : { retryable: refusal.retryable }),
    ...(refusal.details === undefined ? {} : { details: { ...refusal.details } }),
  };
}
