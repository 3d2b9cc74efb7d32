/** Answers, and what they mean: go on, try again, undo everything, or call for staff. */
import {
  accept,
  type Decided,
  type DecideContext,
  type Decision,
  type Refusal,
} from '@bivouac/events/language';
import type { AskName, AskRef, Outcome } from '@bivouac/events/operations';
import { AttentionNeeded, StepEnded, UndoStarted } from '@bivouac/events/provisioning';

import type { StepPlan, Verdict } from '../plans/index.ts';
import { LET_GO, next, ofParent, plan, UNDO_ATTEMPTS } from './advance.ts';
import { delayed } from './delays.ts';
import { seenTo } from './leftovers.ts';
import { givenBack, isOverdueRelease, releaseAgain } from './overdue.ts';
import { reasonOf, wireRefusal } from './refusals.ts';
import {
  type Asking,
  askingOf,
  attemptsOf,
  evolve,
  isEnded,
  isUndo,
  isWorking,
  type OperationEvent,
  type OperationState,
} from './state.ts';

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
  const { ref, refusal } = input;
  return carryOn(state, [ended], context, (now) => [
    ...(isOverdueRelease(ref.step)
      ? releaseAgain(now, ref, context)
      : judge(now, ref, refusal, context)),
    ...seenTo(state, now, ref, context),
  ]);
}

/** The first events and everything that follows from them. */
export function carryOn(
  state: OperationState,
  first: readonly Decided[],
  context: DecideContext,
  judged: (state: OperationState) => readonly Decided[] = () => [],
): Decision {
  let own = state;
  const events: Decided[] = [];
  const take = (decided: readonly Decided[]): void => {
    for (const event of decided) {
      events.push(event);
      own = evolve(own, { ...event, time: context.now } as unknown as OperationEvent);
    }
  };
  take(first);
  take(judged(own));
  take(next(own, context));
  if (!isEnded(state.phase) && isEnded(own.phase)) take(givenBack(own, context));
  return accept(...events);
}

/** What a bad answer means. */
function judge(
  state: OperationState,
  ref: AskRef,
  refusal: Refusal | undefined,
  context: DecideContext,
): readonly Decided[] {
  const asking = askingOf(state, ref);
  if (asking === undefined || asking.status === 'done' || !isWorking(state.phase)) return [];
  const { operationId } = state;
  const reason = wireRefusal(refusal ?? reasonOf(asking));
  const attention = () => [
    AttentionNeeded({ operationId, ref, refusal: reason, ...ofParent(state) }),
  ];
  const goesOn = state.phase === 'running' || isUndo(ref.step) || ref.step === LET_GO;
  if (asking.status === 'refused' && goesOn) {
    const later = delayed(state, ref, refusal, context);
    if (later.length > 0) return later;
  }
  if (isUndo(ref.step) || ref.step === LET_GO) {
    return attemptsOf(state, ref.step) < UNDO_ATTEMPTS ? [] : attention();
  }
  if (state.phase !== 'running') return [];
  const step = plan(state).steps.find((s) => s.name === ref.step);
  if (step === undefined) return [];
  if (asking.status !== 'refused' && attemptsOf(state, ref.step) < step.attempts) return [];
  return verdictOf(state, step, asking, refusal) === 'undo'
    ? [UndoStarted({ operationId, refusal: reason })]
    : attention();
}

/**
 * Nothing can be left of an earlier attempt: the container is gone, or the operation's own hold was
 * placed and has been lifted since.
 */
const goneWith: ReadonlySet<string> = new Set([
  'CONTAINER_GONE',
  'CONTAINER_UNKNOWN',
  'HOLD_LIFTED',
]);

function verdictOf(
  state: OperationState,
  step: StepPlan,
  asking: Asking,
  refusal: Refusal | undefined,
): Verdict {
  if (asking.status === 'timed-out') return step.onTimedOut;
  if (asking.status === 'failed') return step.onFailed;
  if (refusal !== undefined && goneWith.has(refusal.code)) return step.onRefused;
  // A refusal says that this attempt did nothing; an earlier one that was not answered may have.
  const unsure = state.askings.some(
    ({ step: name, status }) =>
      name === step.name &&
      ((status === 'timed-out' && step.onTimedOut === 'attention') ||
        (status === 'failed' && step.onFailed === 'attention')),
  );
  return unsure ? 'attention' : step.onRefused;
}
