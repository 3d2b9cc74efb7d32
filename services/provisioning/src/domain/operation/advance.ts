/**
 * How an operation goes on: what its plan asks for next, what it undoes, which children it starts,
 * and when it is over. Decided on a state folded as far as the decision has come.
 */
import type { Decided, DecideContext } from '@bivouac/events/language';
import { type AskRef, StepAsked } from '@bivouac/events/operations';
import {
  ChildrenCounted,
  ChildStarted,
  OperationCancelled,
  OperationFailed,
  OperationReleased,
  OperationResolved,
  OperationSucceeded,
} from '@bivouac/events/provisioning';
import { deriveId, plusSeconds } from '@bivouac/events/values';

import { type Plan, planOf, type StepPlan, undoName } from '../plans/index.ts';
import { wireRefusal } from './refusals.ts';
import { attemptsOf, isDelayed, lastAsking, type OperationState } from './state.ts';

/** How often an undo, or letting go, is asked for before staff have to look at it. */
export const UNDO_ATTEMPTS = 3;
/** How long an owner has for an undo, in seconds. */
const UNDO_SECONDS = 120;
/** How many children are under way at once. */
const CHILDREN_AT_ONCE = 50;
/** The step by which an operation that staff end lets go of its container. */
export const LET_GO = 'let-go';

/** What is to be recorded now because of what has been. */
export function next(state: OperationState, context: DecideContext): readonly Decided[] {
  if (state.phase === 'running') return nextDo(state, context);
  if (state.phase === 'undoing') return nextUndo(state, context);
  if (state.phase === 'closing') return nextClose(state, context);
  return [];
}

export function plan(state: OperationState): Plan {
  const { operationId, tenantId, order, target, startedAt, results } = state;
  return order === undefined || target === undefined
    ? { steps: [] }
    : planOf({ operationId, tenantId, order, target, startedAt, results });
}

/** A part of the undoing of an attempt. */
type Undo = Pick<StepPlan, 'name' | 'ask'> & { readonly input: Record<string, unknown> };

/** What is still to be done before nothing of an attempt can be left over. */
export function undoing(state: OperationState, step: StepPlan, attempt: number): Undo[] {
  const { undo } = step;
  if (undo === undefined) return [];
  const asking = state.askings.find((a) => a.step === step.name && a.attempt === attempt);
  // A refusal is the owner's word that nothing was done.
  if (asking?.status === 'refused') return [];
  return [{ ...undo, name: undoName(step.name, attempt) }, ...(undo.leaves?.(attempt) ?? [])]
    .filter(({ name }) => lastAsking(state, name)?.status !== 'done')
    .map(({ name, ask, input }) => ({ name, ask, input: input(attempt) }));
}

/** The parent's id where it has one, for events that tell it. */
export function ofParent({ parentId }: OperationState): { parentId?: string } {
  return parentId === undefined ? {} : { parentId };
}

function nextDo(state: OperationState, context: DecideContext): readonly Decided[] {
  const { steps, children } = plan(state);
  const asked: Decided[] = [];
  for (const step of steps) {
    const last = lastAsking(state, step.name);
    if (last?.status === 'asked' || last?.status === 'done') continue;
    if (isDelayed(state, step.name)) continue;
    // Another attempt only when nothing of the last one can be left over.
    const [undo] = last === undefined ? [] : undoing(state, step, last.attempt);
    if (undo !== undefined) {
      asked.push(...askUndo(state, undo, context));
      continue;
    }
    if (step.after.every((name) => state.results[name] !== undefined)) {
      asked.push(askStep(state, step, steps.length, context));
    }
  }
  if (asked.length > 0) return asked;
  if (!steps.every((step) => state.results[step.name] !== undefined)) return [];
  return children === undefined ? [succeeded(state)] : nextChildren(state, children);
}

function nextChildren(
  state: OperationState,
  { count, at }: NonNullable<Plan['children']>,
): readonly Decided[] {
  const { operationId } = state;
  const { counted, started, open, waiting } = state.children;
  const events: Decided[] = counted ? [] : [ChildrenCounted({ operationId, count })];
  const room = CHILDREN_AT_ONCE - open.size;
  for (let index = started; index < Math.min(count, started + room); index += 1) {
    const { subject, order, tenantId, homeId } = at(index);
    const childId = childIdOf(operationId, subject);
    events.push(ChildStarted({ operationId, childId, subject, order, tenantId, homeId }));
  }
  const over = started === count && open.size === 0 && waiting.size === 0;
  return over ? [...events, succeeded(state)] : events;
}

/** A child's id: a parent that is told to go on twice starts it once. */
export function childIdOf(parentId: string, subject: string): string {
  return deriveId('operation', parentId, subject);
}

/** Undoes in the reverse order of asking, one at a time, also what may never have happened. */
function nextUndo(state: OperationState, context: DecideContext): readonly Decided[] {
  const steps = new Map(plan(state).steps.map((step) => [step.name, step]));
  for (const asking of [...state.askings].reverse()) {
    const step = steps.get(asking.step);
    const [undo] = step === undefined ? [] : undoing(state, step, asking.attempt);
    if (undo !== undefined) return askUndo(state, undo, context);
  }
  // No further children are started; those under way go on to their own ends.
  if (state.children.open.size > 0) return [];
  const { operationId } = state;
  if (state.cancelled) {
    return [OperationCancelled({ operationId, ...ofParent(state), ...counts(state) })];
  }
  const refusal = wireRefusal(
    state.refusal ?? { code: 'OPERATION_FAILED', message: 'The operation could not be done.' },
  );
  return [OperationFailed({ operationId, refusal, ...ofParent(state) })];
}

/** Lets go of the container, then ends as staff said. An account is not held by an operation. */
function nextClose(state: OperationState, context: DecideContext): readonly Decided[] {
  const { operationId, target } = state;
  const last = attemptsOf(state, LET_GO) === 0 ? undefined : lastAsking(state, LET_GO);
  if (last?.status === 'asked' || isDelayed(state, LET_GO)) return [];
  if (target?.type === 'container' && last?.status !== 'done') {
    return [
      StepAsked({
        ref: refOf(state, LET_GO),
        ask: 'containers.let-go',
        tenantId: state.tenantId,
        input: { containerId: target.id, operationId },
        notAfter: plusSeconds(context.now, UNDO_SECONDS),
      }),
    ];
  }
  const end = { operationId, ...ofParent(state) };
  return [state.closing === 'resolved' ? OperationResolved(end) : OperationReleased(end)];
}

function succeeded(state: OperationState): Decided {
  const { operationId } = state;
  const end = { operationId, invoiceId: invoiceOf(state) };
  return OperationSucceeded({ ...end, ...ofParent(state), ...counts(state) });
}

function counts({ children }: OperationState) {
  const { succeeded: done, failed, failures } = children.ended;
  const ended = { succeeded: done, failed, failures: [...failures] };
  return children.counted ? { children: ended } : {};
}

function askStep(
  state: OperationState,
  step: StepPlan,
  planned: number,
  context: DecideContext,
): Decided {
  const ref = refOf(state, step.name);
  return StepAsked({
    ref,
    ask: step.ask,
    tenantId: state.tenantId,
    input: step.input(ref.attempt),
    notAfter: plusSeconds(context.now, step.seconds),
    ...(step.pivot === true ? { pivot: step.undo === undefined ? 'asked' : 'done' } : {}),
    planned,
  });
}

/** Nothing while it is under way, or put off. */
function askUndo(
  state: OperationState,
  { name, ask, input }: Undo,
  context: DecideContext,
): readonly Decided[] {
  if (lastAsking(state, name)?.status === 'asked' || isDelayed(state, name)) return [];
  const { tenantId } = state;
  const notAfter = plusSeconds(context.now, UNDO_SECONDS);
  return [StepAsked({ ref: refOf(state, name), ask, tenantId, input, notAfter })];
}

/** The next attempt of a step. */
export function refOf(state: OperationState, step: string): AskRef {
  const attempt = (lastAsking(state, step)?.attempt ?? 0) + 1;
  return { operationId: state.operationId, step, attempt };
}

function invoiceOf(state: OperationState): string | null {
  const invoice = state.results['invoice']?.result['invoice'];
  if (typeof invoice !== 'object' || invoice === null || !('invoiceId' in invoice)) return null;
  return typeof invoice.invoiceId === 'string' ? invoice.invoiceId : null;
}
