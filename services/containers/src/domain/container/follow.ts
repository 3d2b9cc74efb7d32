/**
 * What follows from what was just decided: an ask whose aim is reached is settled, and the node gets
 * its next instruction. At most one is unanswered; the next is chosen when it has been answered.
 */
import { AskSettled, InstructionIssued } from '@bivouac/events/containers';
import { type Decided, type DecideContext, refuse, type Refusal } from '@bivouac/events/language';
import { type Step, stepInputs } from '@bivouac/events/node';
import { deriveId, instantOf, millisecondsOf, plusSeconds } from '@bivouac/events/values';

import { askExpired } from '../expiry.ts';
import { type ContainerState, evolveContainer, isGone, type Waiting } from './state.ts';

/** Time the node has for an instruction that no operation waits for, in seconds. */
const UNASKED_SECONDS = 120;
/** The node's deadline lies so much before the operation's, so that our answer comes in time. */
const MARGIN_MILLISECONDS = 5000;
const STOP_GRACE_SECONDS = 10;

/**
 * The events, and those that follow from them.
 *
 * @param options `notAfter`: deadline of the ask being decided. `failed`: the step that has just come
 * to nothing. Where no ask needs it, it is not told again: it would fail for ever.
 */
export function follow(
  before: ContainerState,
  events: readonly Decided[],
  context: Pick<DecideContext, 'now'>,
  options: { readonly notAfter?: string; readonly failed?: Step } = {},
): Decided[] {
  const out = [...events];
  let state = events.reduce(evolveContainer, before);
  const add = (event: Decided): void => {
    out.push(event);
    state = evolveContainer(state, event);
  };
  for (;;) {
    if (state.waiting !== undefined && reached(state, state.waiting)) {
      add(settledDone(state, state.waiting));
    }
    if (state.instruction !== undefined || isGone(state)) return out;
    const { waiting } = state;
    const step = waiting === undefined ? wished(state, options.failed) : needed(state, waiting);
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

/** The step that the waiting ask needs next. */
export function needed(state: ContainerState, waiting: Waiting): Step | undefined {
  switch (waiting.name) {
    case 'containers.build':
      return 'build';
    case 'containers.hold':
    case 'containers.unhold':
      return power(state);
    case 'containers.destroy':
      return 'destroy';
    case 'containers.attach':
    case 'containers.detach':
      return 'network';
    default:
      return undefined;
  }
}

/**
 * What the node is to do though no operation waits for it. After a failure only what a hold demands
 * is not put off; two steps that fail would otherwise call for each other without end.
 */
function wished(state: ContainerState, failed: Step | undefined): Step | undefined {
  if (state.lifecycle === 'deleting' || state.power === undefined) return undefined;
  const step = power(state);
  if (failed !== undefined) return step === 'stop' && failed !== 'stop' ? step : undefined;
  return state.networkDone < state.networkWish ? 'network' : step;
}

/** A hold keeps stopped what is meant to run. */
function power(state: ContainerState): Step | undefined {
  if (state.power === undefined || state.lifecycle !== 'running') return undefined;
  const wanted = state.holds.size > 0 ? 'stopped' : 'running';
  if (state.power === wanted) return undefined;
  return wanted === 'running' ? 'start' : 'stop';
}

/** Whether a waiting ask has what it asked for. */
function reached(state: ContainerState, { name }: Waiting): boolean {
  switch (name) {
    case 'containers.build':
      return state.lifecycle === 'running';
    case 'containers.hold':
    case 'containers.unhold':
      return power(state) === undefined && !starting(state);
    case 'containers.destroy':
    case 'containers.discard':
      return isGone(state);
    case 'containers.attach':
      return state.attaching.length === 0;
    case 'containers.detach':
      return state.networkDone === state.networkWish;
    default:
      return true;
  }
}

/** The node may be doing what would change the power that was last confirmed. */
function starting(state: ContainerState): boolean {
  const step = state.instruction?.step;
  return step === 'start' || step === 'stop' || step === 'build';
}

function settledDone(state: ContainerState, waiting: Waiting): Decided {
  return AskSettled({
    containerId: state.containerId,
    ask: waiting.ref,
    name: waiting.name,
    outcome: 'done',
    result: resultOf(state, waiting),
    gone: isGone(state),
  });
}

/** Shapes as `asks` has them. */
function resultOf(state: ContainerState, { name }: Waiting): Record<string, unknown> {
  if (name === 'containers.build') return { runningAt: state.runningAt };
  if (name !== 'containers.destroy') return {};
  const reservations = new Set(state.extras.values());
  if (state.reservationId !== undefined) reservations.add(state.reservationId);
  return {
    ...(state.place === undefined
      ? {}
      : { placementId: state.place.placementId, nodeId: state.place.nodeId }),
    reservationIds: [...reservations],
    addresses: state.addresses,
    location: state.place?.location ?? '',
  };
}

function inputOf(step: Step, state: ContainerState): Record<string, unknown> {
  const { hostname, plan, image } = state;
  const addresses = [...state.addresses, ...state.attaching].map(({ address, family }) => ({
    address,
    family,
  }));
  switch (step) {
    case 'build':
      return stepInputs.build.parse({
        image: image && { digest: image.digest, name: image.name, source: image.source },
        limits: plan?.limits,
        hostname,
        addresses,
      });
    case 'network':
      return stepInputs.network.parse({ hostname, addresses });
    case 'limits':
      return stepInputs.limits.parse({ limits: plan?.limits });
    case 'stop':
      return { graceSeconds: STOP_GRACE_SECONDS };
    case 'start':
    case 'freeze':
    case 'thaw':
    case 'destroy':
      return {};
  }
}

/** The node's deadline for an ask that has one. */
function earlier(askedBy: string, now: string): string {
  const end = millisecondsOf(askedBy);
  return instantOf(
    end - Math.min(MARGIN_MILLISECONDS, Math.floor((end - millisecondsOf(now)) / 5)),
  );
}

/** What a node's `refused`, `failed` or missing answer means to an operation. */
export function nodeTrouble(
  outcome: 'refused' | 'failed' | 'timed-out',
  message: string | undefined,
): Refusal {
  const again = { retryable: true };
  const said = message === undefined ? '' : ` (${message})`;
  switch (outcome) {
    case 'refused':
      return refuse('NODE_REFUSED', `The node refused the step${said}; ask again.`, again).refusal;
    case 'failed':
      return refuse('NODE_FAILED', `The node could not do the step${said}.`).refusal;
    case 'timed-out':
      return refuse(
        'NODE_TIMEOUT',
        `The node did not answer in time${said}; the step may have happened.`,
        again,
      ).refusal;
  }
}
