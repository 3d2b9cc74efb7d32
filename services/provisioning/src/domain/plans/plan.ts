/**
 * What a plan is made of: steps that ask a context for something, each with its deadline, attempts
 * and undo, and the children of an operation over many.
 */
import { parseKnown } from '@bivouac/events/language';
import { type AskInput, type AskName, type AskResult, asks } from '@bivouac/events/operations';
import type { OperationOrder, OperationTarget } from '@bivouac/events/provisioning';

/** A plan as far as it can be known now. */
export interface Plan {
  readonly steps: readonly StepPlan[];
  /** Operations of their own, one per subject, once all steps are done. */
  readonly children?: {
    readonly count: number;
    /** By its place in a lasting order, from 0. */
    readonly at: (index: number) => ChildPlan;
  };
}

export interface StepPlan {
  readonly name: string;
  readonly ask: AskName;
  /** Steps that must be done first. */
  readonly after: readonly string[];
  readonly input: (attempt: number) => Record<string, unknown>;
  /** How an attempt is undone, whether or not it happened. None: it leaves nothing behind. */
  readonly undo?: {
    readonly ask: AskName;
    readonly input: (attempt: number) => Record<string, unknown>;
    /** What is to be given back besides, as the undo has found when it is done. */
    readonly leaves?: (attempt: number) => readonly Pick<StepPlan, 'name' | 'ask' | 'input'>[];
  };
  /** How long the owner has, in seconds. */
  readonly seconds: number;
  /** How often it is tried when it fails or is not answered. */
  readonly attempts: number;
  /** Once done, the operation can only go forward. */
  readonly pivot?: boolean;
  /** What each bad end means: the operation ends (after undoing), or staff must look. */
  readonly onRefused: Verdict;
  readonly onFailed: Verdict;
  readonly onTimedOut: Verdict;
}

export type Verdict = 'undo' | 'attention';

/** A child of an operation over many. */
export interface ChildPlan {
  /** What it is about; the child's id derives from it and the parent's. */
  readonly subject: string;
  readonly order: OperationOrder;
  readonly tenantId: string;
  readonly homeId: string;
}

/** What a step yielded. Ids derive from the attempt, so it belongs to the result. */
export interface StepResult {
  readonly attempt: number;
  readonly result: Readonly<Record<string, unknown>>;
}

export interface PlanFacts {
  readonly operationId: string;
  readonly order: OperationOrder;
  readonly tenantId: string;
  readonly target: OperationTarget;
  /** Recorded time of the order. */
  readonly startedAt: string;
  readonly results: Readonly<Record<string, StepResult>>;
}

/** Undo steps carry the attempt they undo in their name: each attempt has its own ids. */
export function undoName(step: string, attempt: number): string {
  return `undo-${step}-${attempt}`;
}

/** A step that changes nothing. */
export function look<N extends AskName>(
  name: string,
  ask: N,
  after: readonly string[],
  input: () => AskInput<N>,
): StepPlan {
  const always = { onRefused: 'undo', onFailed: 'undo', onTimedOut: 'undo' } as const;
  return { name, ask, after, input, seconds: 60, attempts: 3, ...always };
}

/** A step whose undo is registered with it. */
export function reversible<N extends AskName, U extends AskName>(
  name: string,
  ask: N,
  after: readonly string[],
  input: (attempt: number) => AskInput<N>,
  undo: U,
  undoInput: (attempt: number) => AskInput<U>,
  leaves: NonNullable<StepPlan['undo']>['leaves'] = () => [],
): StepPlan {
  const always = { onRefused: 'undo', onFailed: 'undo', onTimedOut: 'undo' } as const;
  const undoing = { ask: undo, input: undoInput, leaves };
  return { name, ask, after, input, undo: undoing, seconds: 60, attempts: 2, ...always };
}

/**
 * A step that cannot be undone; a refusal ends the operation, anything else waits for staff, because
 * it may have been done.
 */
export function forward<N extends AskName>(
  name: string,
  ask: N,
  after: readonly string[],
  input: () => AskInput<N>,
): StepPlan {
  const verdicts = { onRefused: 'undo', onFailed: 'attention', onTimedOut: 'attention' } as const;
  return { name, ask, after, input, seconds: 180, attempts: 3, pivot: true, ...verdicts };
}

/** A step behind the point of no return: it must be done, or staff must look. */
export function settle<N extends AskName>(
  name: string,
  ask: N,
  after: readonly string[],
  input: () => AskInput<N>,
): StepPlan {
  const always = {
    onRefused: 'attention',
    onFailed: 'attention',
    onTimedOut: 'attention',
  } as const;
  return { name, ask, after, input, seconds: 120, attempts: 5, ...always };
}

export function isDone(facts: PlanFacts, step: string): boolean {
  return facts.results[step] !== undefined;
}

/** Results as parsed: a plan is made anew with each answer, and a run over many has thousands. */
const parsed = new WeakMap<object, unknown>();

/**
 * What a step yielded. Throws where it is not done: a plan asks only for what it waits for. A service of a
 * newer release may have said more than is known here.
 */
export function resultOf<N extends AskName>(facts: PlanFacts, step: string, ask: N): AskResult<N> {
  const result = facts.results[step]?.result;
  const before = result === undefined ? undefined : parsed.get(result);
  if (before !== undefined) return before as AskResult<N>;
  const known = parseKnown(asks[ask].result, result);
  if (!known.success) throw known.error;
  const fresh = known.data as AskResult<N>;
  if (result !== undefined) parsed.set(result, fresh);
  return fresh;
}

/** The attempt by which a step was done; 0 where none was. */
export function attemptDone(facts: PlanFacts, step: string): number {
  return facts.results[step]?.attempt ?? 0;
}
