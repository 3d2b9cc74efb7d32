/** What nodes say: answers to instructions, silence beyond their deadline, and what they see. */
import { InstructionAnswered, ObservationChanged } from '@bivouac/events/containers';
import {
  accept,
  type Decided,
  type Decision,
  type DecideContext,
  refuse,
} from '@bivouac/events/language';
import type { ObservedState } from '@bivouac/events/node';
import type { PackageReport } from '@bivouac/events/operations';

import { effects, packagesChanged } from './effects.ts';
import { follow, nodeTrouble, settledFailed } from './follow.ts';
import { fitting } from './packages.ts';
import { type ContainerState, isGone, type OpenInstruction } from './state.ts';
import { needed } from './steps.ts';
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
    /** With the answer to a package step: what became of the packages. */
    readonly packages?: PackageReport | undefined;
  },
  context: Context,
): Decision {
  const { containerId, instructionId, nodeId, outcome, message, packages } = input;
  if (state.lifecycle === 'none') return forbidden(containerId, 'none');
  const { instruction } = state;
  if (instruction?.id !== instructionId) {
    // Nobody waits for it, but what is installed is so all the same.
    const ours = nodeId === state.place?.nodeId && !isGone(state);
    return accept(...(ours ? packagesChanged(state, packages, null, context) : []));
  }
  if (instruction.nodeId !== nodeId) {
    return refuse(
      'INSTRUCTION_FOREIGN',
      `The instruction ${instructionId} is another node's; only that one answers it.`,
    );
  }
  if (instruction.step === 'packages' && outcome === 'done' && packages === undefined) {
    const message = 'the node did not say what is installed now';
    return accept(...troubled(state, instruction, 'failed', message, context));
  }
  if (outcome !== 'done') {
    const changed = packagesChanged(state, packages, null, context);
    return accept(...changed, ...troubled(state, instruction, outcome, message, context));
  }
  const answered = InstructionAnswered({
    containerId,
    instructionId,
    outcome,
    ...(message === undefined ? {} : { message }),
  });
  const events = [answered, ...effects(state, instruction, packages, context)];
  const result = packages === undefined ? undefined : { report: fitting(packages) };
  return accept(...follow(state, events, context, { result }));
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

/**
 * What a node sees. Only changes are events. Refused where there is an instance that should not be
 * there: CONTAINER_UNKNOWN, INSTANCE_ELSEWHERE, INSTANCE_OLD, INSTANCE_GONE.
 */
export function reportObservation(
  state: ContainerState,
  input: {
    readonly nodeId: string;
    readonly containerId: string;
    readonly generation: number;
    readonly state: ObservedState;
  },
): Decision {
  const { containerId, nodeId } = input;
  const there = input.state !== 'absent';
  if (state.lifecycle === 'none') return forbidden(containerId, 'none');
  if (nodeId !== state.place?.nodeId) {
    if (!there) return accept();
    return stray('INSTANCE_ELSEWHERE', `The container ${containerId} is not on node ${nodeId}.`);
  }
  if (isGone(state)) {
    if (!there) return accept();
    return stray('INSTANCE_GONE', `The container ${containerId} is ${state.lifecycle}.`);
  }
  // An absent instance has no generation of its own: none of this one is there.
  const generation = there ? input.generation : state.generation;
  if (generation !== state.generation) {
    // A deletion raises the generation before the node has acted.
    if (state.lifecycle === 'deleting') return accept();
    return stray('INSTANCE_OLD', `The container ${containerId} is in another generation.`);
  }
  const { observed } = state;
  const same = !there || observed?.generation === generation;
  if (same && (observed?.state ?? 'absent') === input.state) return accept();
  return accept(ObservationChanged({ ...input, generation }));
}

function stray(code: string, message: string): Decision {
  return refuse(code, `${message} Look at the node's stray instances.`);
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
    const trouble = nodeTrouble(instruction.step, outcome, message);
    events.push(settledFailed(state, waiting, trouble));
  }
  const undone = instruction.ask !== undefined;
  return follow(state, events, context, { failed: instruction.step, undone });
}
