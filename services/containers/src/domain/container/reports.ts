/** What nodes say: answers to instructions, silence beyond their deadline, and what they see. */
import {
  AddressesAttached,
  ContainerRunning,
  ContainerStarted,
  ContainerStopped,
  InstructionAnswered,
  ObservationChanged,
} from '@bivouac/events/containers';
import {
  accept,
  type Decided,
  type Decision,
  type DecideContext,
  refuse,
} from '@bivouac/events/language';
import type { ObservedState } from '@bivouac/events/node';

import { deletedEvent } from './destroy.ts';
import { follow, needed, nodeTrouble, settledFailed } from './follow.ts';
import { type ContainerState, isGone, type OpenInstruction } from './state.ts';
import { forbidden } from './transitions.ts';

type Context = Pick<DecideContext, 'now'>;

/**
 * An answer of the node. To anything but the unanswered instruction nothing is recorded: it is a
 * repeat, late, or of an old generation. Refused: CONTAINER_UNKNOWN, INSTRUCTION_FOREIGN.
 */
export function reportAnswer(
  state: ContainerState,
  input: {
    readonly nodeId: string;
    readonly containerId: string;
    readonly instructionId: string;
    readonly outcome: 'done' | 'refused' | 'failed';
    readonly message?: string | undefined;
  },
  context: Context,
): Decision {
  const { containerId, instructionId, nodeId, outcome, message } = input;
  if (state.lifecycle === 'none') return forbidden(containerId, 'none');
  const { instruction } = state;
  if (instruction?.id !== instructionId) return accept();
  if (instruction.nodeId !== nodeId) {
    return refuse(
      'INSTRUCTION_FOREIGN',
      `The instruction ${instructionId} is another node's; only that one answers it.`,
    );
  }
  if (outcome !== 'done') return accept(...troubled(state, instruction, outcome, message, context));
  const answered = InstructionAnswered({
    containerId,
    instructionId,
    outcome,
    ...(message === undefined ? {} : { message }),
  });
  return accept(...follow(state, [answered, ...effects(state, instruction, context)], context));
}

/** The node's deadline has passed. Refused: INSTRUCTION_NOT_DUE. */
export function timeOutInstruction(
  state: ContainerState,
  input: { readonly containerId: string; readonly instructionId: string },
  context: Context,
): Decision {
  const { instruction } = state;
  if (instruction?.id !== input.instructionId) return accept();
  if (context.now <= instruction.notAfter) {
    return refuse(
      'INSTRUCTION_NOT_DUE',
      `The node has until ${instruction.notAfter} to answer; time it out after that.`,
      { retryable: true },
    );
  }
  return accept(...troubled(state, instruction, 'timed-out', undefined, context));
}

/** What a node sees. Only changes are events; older generations and other nodes' are passed over. */
export function reportObservation(
  state: ContainerState,
  input: {
    readonly nodeId: string;
    readonly containerId: string;
    readonly generation: number;
    readonly state: ObservedState;
  },
): Decision {
  if (state.lifecycle === 'none') return forbidden(input.containerId, 'none');
  if (isGone(state) || input.nodeId !== state.place?.nodeId) return accept();
  // An absent instance has no generation of its own: none of this one is there.
  const generation = input.state === 'absent' ? state.generation : input.generation;
  if (generation !== state.generation) return accept();
  const { observed } = state;
  const same = input.state === 'absent' || observed?.generation === generation;
  if (same && (observed?.state ?? 'absent') === input.state) return accept();
  return accept(ObservationChanged({ ...input, generation }));
}

/** What a `done` means, by step. */
function effects(
  state: ContainerState,
  instruction: OpenInstruction,
  context: Context,
): readonly Decided[] {
  const { containerId, tenantId, hostname, plan, image, reservationId } = state;
  const ask = instruction.ask === undefined ? {} : { ask: instruction.ask };
  if (tenantId === undefined || plan === undefined || image === undefined) return [];
  switch (instruction.step) {
    case 'build':
      // Only what was reserved is built.
      if (reservationId === undefined) return [];
      return [
        ContainerRunning({
          containerId,
          tenantId,
          hostname,
          plan,
          image,
          addresses: [...state.addresses],
          reservationId,
          runningAt: context.now,
        }),
      ];
    case 'start':
      return [ContainerStarted({ containerId, ...ask })];
    case 'stop':
      return [ContainerStopped({ containerId, ...ask })];
    case 'destroy':
      return [deletedEvent(state, containerId, context.now)];
    case 'network': {
      const addresses = state.attaching
        .filter((address) => address.networkWish <= instruction.networkWish)
        .map(({ leaseId, rangeId, address, family }) => ({ leaseId, rangeId, address, family }));
      if (addresses.length === 0) return [];
      const reservationIds = [
        ...new Set(addresses.flatMap(({ leaseId }) => state.extras.get(leaseId) ?? [])),
      ];
      return [
        AddressesAttached({
          ...{ containerId, tenantId, addresses, plan, reservationIds },
          attachedAt: context.now,
        }),
      ];
    }
    case 'limits':
    case 'freeze':
    case 'thaw':
      return [];
  }
}

/** An instruction came to nothing: the ask that needed it has failed; another's turn has come. */
function troubled(
  state: ContainerState,
  instruction: OpenInstruction,
  outcome: 'refused' | 'failed' | 'timed-out',
  message: string | undefined,
  context: Context,
): readonly Decided[] {
  const { waiting } = state;
  const events: Decided[] = [
    InstructionAnswered({
      containerId: state.containerId,
      instructionId: instruction.id,
      outcome,
      ...(message === undefined ? {} : { message }),
    }),
  ];
  if (waiting !== undefined && needed(state, waiting) === instruction.step) {
    events.push(settledFailed(state, waiting, nodeTrouble(outcome, message)));
  }
  return follow(state, events, context, { failed: instruction.step });
}
