/** What nodes say: answers to instructions, silence beyond their deadline, and what they see. */
import {
  AddressesAttached,
  AddressesDetached,
  ContainerFrozen,
  ContainerResized,
  ContainerRunning,
  ContainerStarted,
  ContainerStopped,
  ContainerThawed,
  InstructionAnswered,
  ObservationChanged,
  PackagesChanged,
} from '@bivouac/events/containers';
import {
  accept,
  type Decided,
  type Decision,
  type DecideContext,
  refuse,
} from '@bivouac/events/language';
import type { ObservedState } from '@bivouac/events/node';
import type { PackageReport } from '@bivouac/events/operations';

import { deletedEvent } from './destroy.ts';
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

/** What a `done` means, by step. */
function effects(
  state: ContainerState,
  instruction: OpenInstruction,
  packages: PackageReport | undefined,
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
    case 'freeze':
      return [ContainerFrozen({ containerId, ...ask })];
    case 'thaw':
      return [ContainerThawed({ containerId, ...ask })];
    case 'network':
      return [...attached(state, instruction, context), ...detached(state, instruction, context)];
    case 'limits':
      return resized(state, instruction, context);
    case 'packages':
      return packagesChanged(state, packages, instruction.ask?.operationId ?? null, context);
  }
}

function attached(
  state: ContainerState,
  instruction: OpenInstruction,
  context: Context,
): Decided[] {
  const { containerId, tenantId, plan, extras } = state;
  const addresses = state.attaching
    .filter((address) => address.networkWish <= instruction.networkWish)
    .map(({ leaseId, rangeId, address, family }) => ({ leaseId, rangeId, address, family }));
  if (addresses.length === 0 || tenantId === undefined || plan === undefined) return [];
  const reservationIds = [
    ...new Set(addresses.flatMap(({ leaseId }) => extras.get(leaseId) ?? [])),
  ];
  const facts = { containerId, tenantId, addresses, plan, reservationIds };
  return [AddressesAttached({ ...facts, attachedAt: context.now })];
}

function detached(
  state: ContainerState,
  instruction: OpenInstruction,
  context: Context,
): Decided[] {
  const { containerId, tenantId, removal } = state;
  if (removal === undefined || removal.networkWish > instruction.networkWish) return [];
  const leaseIds = state.addresses
    .map(({ leaseId }) => leaseId)
    .filter((leaseId) => removal.leaseIds.includes(leaseId));
  if (leaseIds.length === 0 || tenantId === undefined) return [];
  return [AddressesDetached({ containerId, tenantId, leaseIds, detachedAt: context.now })];
}

function resized(state: ContainerState, instruction: OpenInstruction, context: Context): Decided[] {
  const { containerId, tenantId, resizing, reservationId, plan } = state;
  if (resizing === undefined || instruction.limitsWish < state.limitsWish) return [];
  if (tenantId === undefined || plan === undefined || reservationId === undefined) return [];
  const previous = { previousReservationId: reservationId, previousPlan: plan };
  return [
    ContainerResized({ containerId, tenantId, ...resizing, ...previous, resizedAt: context.now }),
  ];
}

/** What is installed now, where that is news or an operation waits for it. */
function packagesChanged(
  state: ContainerState,
  packages: PackageReport | undefined,
  operationId: string | null,
  context: Context,
): Decided[] {
  const { containerId, tenantId } = state;
  if (packages === undefined || tenantId === undefined) return [];
  const { inventory } = packages;
  if (operationId === null && inventory === state.inventory) return [];
  return [
    PackagesChanged({ containerId, tenantId, operationId, inventory, observedAt: context.now }),
  ];
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
