/**
 * What an operation leaves that staff gave up: the asks that would see to it. Those that only give back
 * what nothing stands on any more can be asked once more; the rest staff see to by orders of their own.
 */
import type { Decided, DecideContext } from '@bivouac/events/language';
import { type AskName, type AskRef, StepAsked } from '@bivouac/events/operations';
import { type Leftover, LeftoversChanged } from '@bivouac/events/provisioning';

import { next, plan, UNDO_ATTEMPTS, undoing } from './advance.ts';
import { isReleasedOverdue } from './overdue.ts';
import { askingOf, attemptsOf, lastAsking, type OperationState } from './state.ts';

/** They tell no node anything, and hold nothing up. */
const GIVING_BACK: ReadonlySet<AskName> = new Set<AskName>([
  'containers.discard',
  'containers.unlease',
  'containers.unplace',
  'quotas.release',
]);

/** What was begun and is neither done nor undone: the asks that would see to it. */
export function leftoversOf(state: OperationState): Leftover[] {
  const { steps } = plan(state);
  const byName = new Map(steps.map((step) => [step.name, step]));
  const notUndone = [...state.askings].reverse().flatMap(({ step: name, attempt }): Leftover[] => {
    const step = byName.get(name);
    const left = step === undefined ? [] : undoing(state, step, attempt);
    return left.map(({ ask, input }) => ({ step: name, ask, input }));
  });
  const notDone = steps.flatMap((step): Leftover[] => {
    if (isUndone(state)) return [];
    const ready = step.after.every((name) => state.results[name] !== undefined);
    if (state.results[step.name] !== undefined || !ready) return [];
    const attempt = lastAsking(state, step.name)?.attempt ?? 1;
    return [{ step: step.name, ask: step.ask, input: step.input(attempt) }];
  });
  return [...notDone, ...notUndone].filter(
    ({ ask, input }) => ask !== 'quotas.release' || !isReleasedOverdue(state, input),
  );
}

/**
 * What it would ask next if it went on, where that only gives back: an address that a container may still
 * have is not given to another, as its turn comes only once the node has confirmed that it is gone.
 */
export function giveBackMore(state: OperationState, context: DecideContext): readonly Decided[] {
  if (leftoversOf(state).length === 0) return [];
  const asked = next({ ...state, phase: isUndone(state) ? 'undoing' : 'running' }, context);
  const gives = (event: Decided): boolean => {
    if (event.type !== StepAsked.type) return false;
    return GIVING_BACK.has(StepAsked.schema.parse(event.data).ask);
  };
  return asked.every(gives) ? asked : [];
}

/** After an answer to an operation that is given up: what is left now, and what staff have had asked for further. */
export function seenTo(
  before: OperationState,
  state: OperationState,
  ref: AskRef,
  context: DecideContext,
): readonly Decided[] {
  if (state.closing !== 'released') return [];
  const { operationId, givesBack } = state;
  const leftovers = leftoversOf(state);
  const told =
    leftovers.length === leftoversOf(before).length
      ? []
      : [LeftoversChanged({ operationId, leftovers })];
  const isDone = askingOf(state, ref)?.status === 'done';
  const goesOn = givesBack && (isDone || attemptsOf(state, ref.step) < UNDO_ATTEMPTS);
  return [...told, ...(goesOn ? giveBackMore(state, context) : [])];
}

function isUndone({ refusal, cancelled }: OperationState): boolean {
  return refusal !== undefined || cancelled;
}
