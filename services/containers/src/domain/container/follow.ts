/**
 * What follows from what was just decided: an ask whose aim is reached is settled, and the node gets
 * its next instruction. At most one is unanswered; the next is chosen when it has been answered.
 */
import { AskSettled, ContainerSoftDeleted, InstructionIssued } from '@bivouac/events/containers';
import { type Decided, type DecideContext, refuse, type Refusal } from '@bivouac/events/language';
import type { Step } from '@bivouac/events/node';
import { deriveId, instantOf, millisecondsOf, plusSeconds } from '@bivouac/events/values';

import { askExpired } from '../expiry.ts';
import { evolveContainer } from './evolve.ts';
import { held } from './held.ts';
import { inputOf, resultOf } from './shapes.ts';
import { needed, reached, settling, wished } from './steps.ts';
import { type ContainerState, isGone, type Waiting } from './state.ts';

/** Time the node has for an instruction that no operation waits for, in seconds. */
const UNASKED_SECONDS = 120;
/** The node's deadline lies so much before the operation's, so that our answer comes in time. */
const MARGIN_MILLISECONDS = 5000;

/**
 * The events, and those that follow from them.
 *
 * @param options `notAfter`: deadline of the ask being decided. `failed`: the step that has just come
 * to nothing; `undone`: for an ask, so that what it may have done is undone. Where no ask needs it, it
 * is not told again: it would fail for ever. `result`: what the node yielded for the waiting ask.
 */
export function follow(
  before: ContainerState,
  events: readonly Decided[],
  context: Pick<DecideContext, 'now'>,
  options: {
    readonly notAfter?: string;
    readonly failed?: Step;
    readonly undone?: boolean;
    readonly result?: Readonly<Record<string, unknown>> | undefined;
  } = {},
): Decided[] {
  const out = [...events];
  let state = events.reduce(evolveContainer, before);
  const add = (event: Decided): void => {
    out.push(event);
    state = evolveContainer(state, event);
  };
  for (;;) {
    const left = softDeleted(state, context);
    if (left !== undefined) add(left);
    if (state.waiting !== undefined && reached(state, state.waiting)) {
      add(settledDone(state, state.waiting, options.result));
    } else if (state.waiting !== undefined && overtaken(state, state.waiting)) {
      add(settledFailed(state, state.waiting, held(state, state.containerId).refusal));
    }
    if (state.instruction !== undefined || isGone(state)) return out;
    const { waiting } = state;
    const step = waiting === undefined ? wished(state, options) : needed(state, waiting);
    if (step === undefined) return out;
    const askedBy = waiting === undefined ? undefined : (options.notAfter ?? waiting.notAfter);
    if (waiting === undefined || askedBy === undefined || askedBy > context.now) {
      const notAfter =
        askedBy === undefined
          ? plusSeconds(context.now, UNASKED_SECONDS)
          : earlier(askedBy, context.now);
      add(instruction(state, step, notAfter));
      return out;
    }
    // It waited too long for the node to be free. What else is wished for may have its turn.
    add(settledFailed(state, waiting, askExpired(askedBy).refusal));
  }
}

function instruction(state: ContainerState, step: Step, notAfter: string): Decided {
  const { containerId, place, waiting, generation } = state;
  // Every step comes after the reservation, which names the node.
  if (place === undefined) throw new RangeError(`${containerId} has no node to ${step} it`);
  return InstructionIssued({
    containerId,
    instructionId: deriveId('instruction', containerId, String(state.issued + 1)),
    nodeId: place.nodeId,
    generation,
    step,
    input: inputOf(step, state),
    notAfter,
    ...(waiting === undefined ? {} : { ask: waiting.ref }),
  });
}

/** Stopped as a soft deletion wanted it: now it is deleted for its owner. */
function softDeleted(
  state: ContainerState,
  context: Pick<DecideContext, 'now'>,
): Decided | undefined {
  const { containerId, tenantId, leaving } = state;
  if (leaving === undefined || tenantId === undefined) return undefined;
  if (state.power !== 'stopped' || settling(state)) return undefined;
  return ContainerSoftDeleted({ containerId, tenantId, ...leaving, deletedAt: context.now });
}

/** A hold came while its owner's start was under way: it does not run. */
function overtaken(state: ContainerState, { name }: Waiting): boolean {
  return name === 'containers.power' && state.holds.size > 0 && state.lifecycle !== 'stopped';
}

/** Settles an ask that came to nothing. */
export function settledFailed(
  state: ContainerState,
  waiting: Pick<Waiting, 'ref' | 'name'>,
  refusal: Refusal,
): Decided {
  return AskSettled({
    containerId: state.containerId,
    ask: waiting.ref,
    name: waiting.name,
    outcome: 'failed',
    refusal: {
      code: refusal.code,
      message: refusal.message.slice(0, 2000),
      ...(refusal.retryable === undefined ? {} : { retryable: refusal.retryable }),
    },
    gone: isGone(state),
  });
}

function settledDone(
  state: ContainerState,
  waiting: Waiting,
  result: Readonly<Record<string, unknown>> | undefined,
): Decided {
  return AskSettled({
    containerId: state.containerId,
    ask: waiting.ref,
    name: waiting.name,
    outcome: 'done',
    result: result ?? resultOf(state, waiting),
    gone: isGone(state),
  });
}

/** The node's deadline for an ask that has one. */
function earlier(askedBy: string, now: string): string {
  const end = millisecondsOf(askedBy);
  return instantOf(
    end - Math.min(MARGIN_MILLISECONDS, Math.floor((end - millisecondsOf(now)) / 5)),
  );
}

/** What a node's `refused`, `failed` or missing answer to a step means to an operation. */
export function nodeTrouble(
  step: Step,
  outcome: 'refused' | 'failed' | 'timed-out',
  message: string | undefined,
): Refusal {
  const again = { retryable: true };
  const said = message === undefined ? '' : ` (${message})`;
  switch (outcome) {
    case 'refused':
      return refuse('NODE_REFUSED', `The node refused the step${said}; ask again.`, again).refusal;
    case 'failed':
      if (step === 'limits') {
        const kept = `The node cannot give it these limits${said}; choose another plan, or free what it uses.`;
        return refuse('LIMITS_NOT_APPLICABLE', kept).refusal;
      }
      if (step === 'packages') {
        const kept = `rpm did not change the packages${said}; mend what it says and order again.`;
        return refuse('PACKAGES_NOT_CHANGED', kept).refusal;
      }
      return refuse('NODE_FAILED', `The node could not do the step${said}.`).refusal;
    case 'timed-out':
      return refuse(
        'NODE_TIMEOUT',
        `The node did not answer in time${said}; the step may have happened.`,
        again,
      ).refusal;
  }
}
