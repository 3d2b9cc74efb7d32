/** How a container's events make its state: making, holds, deletion, what the node says. */
import {
  AskAccepted,
  AskSettled,
  ContainerDeleted,
  ContainerDeleting,
  ContainerFailed,
  ContainerRenamed,
  ContainerRequested,
  ContainerReserved,
  ContainerRunning,
  HoldLifted,
  HoldPlaced,
  InstructionAnswered,
  InstructionIssued,
  ObservationChanged,
  OrderUndone,
} from '@bivouac/events/containers';
import type { Decided } from '@bivouac/events/language';
import type { AskName, AskRef } from '@bivouac/events/operations';

import { evolveLaterLife } from './evolve-later-life.ts';
import { evolveNetwork } from './evolve-network.ts';
import { evolvePower } from './evolve-power.ts';
import { type ContainerEvent, type ContainerState, keyOf } from './state.ts';
import { after } from './transitions.ts';

/** How many settled asks are remembered. */
const SETTLED = 16;

/** Folds an event, recorded or just decided. Answers a new state. */
export function evolveContainer(state: ContainerState, event: Decided): ContainerState {
  // The union is closed: the aggregate hands in container events only.
  const known = event as ContainerEvent;
  const aside = evolveLaterLife(evolvePower(evolveNetwork(state, known), known), known);
  return waitedFor(evolveAxes(aside, known), known);
}

function evolveAxes(state: ContainerState, event: ContainerEvent): ContainerState {
  switch (event.type) {
    case ContainerRequested.type: {
      const { containerId, tenantId, hostname, plan, image, operationId } = event.data;
      const lifecycle = after('request', state.lifecycle);
      const made = { containerId, tenantId, hostname, plan, image };
      return { ...state, ...made, maker: operationId, madeBy: operationId, lifecycle };
    }
    case ContainerReserved.type: {
      const { nodeId, placementId, location, reservationId, generation, addresses } = event.data;
      return {
        ...state,
        lifecycle: after('reserve', state.lifecycle),
        place: { nodeId, placementId, location },
        reservationId,
        generation,
        addresses,
      };
    }
    case ContainerRunning.type: {
      const { runningAt } = event.data;
      const lifecycle = after('run', state.lifecycle);
      return { ...state, lifecycle, maker: undefined, runningAt };
    }
    case ContainerRenamed.type:
      return { ...state, hostname: event.data.hostname };
    case HoldPlaced.type: {
      const { hold, ask } = event.data;
      const holds = new Map(state.holds).set(hold.holdId, { hold, byTenant: ask === undefined });
      return { ...state, holds };
    }
    case HoldLifted.type: {
      const { holdId } = event.data;
      const holds = new Map(state.holds);
      holds.delete(holdId);
      return { ...state, holds, lifted: new Set(state.lifted).add(holdId) };
    }
    case ContainerDeleting.type:
      return {
        ...state,
        lifecycle: after('delete', state.lifecycle),
        generation: event.data.generation,
        maker: undefined,
        softDeleted: undefined,
        deletedFor: [...state.deletedFor, event.data.ask.operationId],
      };
    case ContainerDeleted.type:
      return {
        ...state,
        lifecycle: after(event.data.ran ? 'vanish' : 'vanishUnrun', state.lifecycle),
        maker: undefined,
        power: undefined,
        observed:
          state.place === undefined ? undefined : { state: 'absent', generation: state.generation },
      };
    case OrderUndone.type:
      return { ...state, undone: true };
    case ContainerFailed.type:
      return {
        ...state,
        containerId: event.data.containerId,
        lifecycle: after('fail', state.lifecycle),
        maker: undefined,
      };
    case InstructionIssued.type: {
      const { instructionId, nodeId, step, notAfter, ask } = event.data;
      const { networkWish, limitsWish } = state;
      return {
        ...state,
        lifecycle: step === 'build' ? after('build', state.lifecycle) : state.lifecycle,
        instruction: { id: instructionId, nodeId, step, notAfter, ask, networkWish, limitsWish },
        issued: state.issued + 1,
      };
    }
    case InstructionAnswered.type:
      return { ...state, instruction: undefined };
    case ObservationChanged.type: {
      const { generation, state: seen } = event.data;
      return { ...state, observed: { state: seen, generation } };
    }
    case AskAccepted.type: {
      const { ask, name } = event.data;
      const deletedFor =
        name === 'containers.destroy' ? [...state.deletedFor, ask.operationId] : state.deletedFor;
      return { ...state, deletedFor };
    }
    default:
      return state;
  }
}

/** The ask that each event answers to. */
const askOf: Partial<Record<ContainerEvent['type'], AskName>> = {
  'containers.ContainerReserved': 'containers.build',
  'containers.HoldPlaced': 'containers.hold',
  'containers.HoldLifted': 'containers.unhold',
  'containers.ContainerDeleting': 'containers.destroy',
  'containers.AddressesAttaching': 'containers.attach',
  'containers.PowerRequested': 'containers.power',
  'containers.ContainerResizing': 'containers.resize',
  'containers.AddressesRemoving': 'containers.remove-addresses',
  'containers.SoftDeletionRequested': 'containers.soft-delete',
  'containers.ContainerRestored': 'containers.restore',
  'containers.PackagesRequested': 'containers.packages',
};

/** Which ask an operation waits for. */
function waitedFor(state: ContainerState, event: ContainerEvent): ContainerState {
  if (event.type === AskAccepted.type) {
    const { ask, name, notAfter } = event.data;
    return { ...state, waiting: { ref: ask, name, notAfter } };
  }
  if (event.type === AskSettled.type) {
    const key = keyOf(event.data.ask);
    const own = state.waiting !== undefined && keyOf(state.waiting.ref) === key;
    const settled = [...state.settled, key].slice(-SETTLED);
    return { ...state, waiting: own ? undefined : state.waiting, settled };
  }
  const name = askOf[event.type];
  const ref: AskRef | undefined = 'ask' in event.data ? event.data.ask : undefined;
  if (name === undefined || ref === undefined) return state;
  return { ...state, waiting: { ref, name, notAfter: undefined } };
}
