/** Whether a container runs, by its events: what is wanted, and what its node has confirmed. */
import {
  AskSettled,
  ContainerFrozen,
  ContainerRestored,
  ContainerRunning,
  ContainerSoftDeleted,
  ContainerStarted,
  ContainerStopped,
  ContainerThawed,
  DifferenceFound,
  InstructionAnswered,
  PowerRequested,
  RestoreWindowEnded,
  SoftDeletionRequested,
} from '@bivouac/events/containers';

import type { ContainerEvent, ContainerState, Power } from './state.ts';
import { after } from './transitions.ts';

export function evolvePower(state: ContainerState, event: ContainerEvent): ContainerState {
  switch (event.type) {
    case ContainerRunning.type:
    case ContainerStarted.type:
    case ContainerThawed.type:
      return confirmed(state, 'running');
    case ContainerStopped.type:
      return { ...confirmed(state, 'stopped'), restarting: false };
    case ContainerFrozen.type:
      return confirmed(state, 'frozen');
    case InstructionAnswered.type:
      return { ...state, power: afterAnswer(state, event.data.outcome) };
    case PowerRequested.type: {
      const { action } = event.data;
      const power = seenPower(state);
      return {
        ...state,
        power,
        former: state.lifecycle,
        lifecycle: after(action, state.lifecycle),
        restarting: action === 'restart' && power !== 'stopped',
      };
    }
    case DifferenceFound.type:
      return { ...state, power: event.data.observed };
    case SoftDeletionRequested.type: {
      const { reason, restoreUntil } = event.data;
      return { ...state, leaving: { reason, restoreUntil } };
    }
    case ContainerSoftDeleted.type: {
      const { restoreUntil } = event.data;
      return {
        ...state,
        leaving: undefined,
        softDeleted: { former: state.lifecycle, restoreUntil, windowEnded: false },
        lifecycle: after('softDelete', state.lifecycle),
      };
    }
    case ContainerRestored.type:
      return {
        ...state,
        lifecycle: after('restore', state.lifecycle, state.softDeleted?.former),
        softDeleted: undefined,
      };
    case RestoreWindowEnded.type:
      return state.softDeleted === undefined
        ? state
        : { ...state, softDeleted: { ...state.softDeleted, windowEnded: true } };
    case AskSettled.type:
      return settled(state, event.data.name, event.data.outcome);
    default:
      return state;
  }
}

/** What came to nothing leaves the lifecycle as it was. */
function settled(state: ContainerState, name: string, outcome: 'done' | 'failed'): ContainerState {
  if (name === 'containers.soft-delete') return { ...state, leaving: undefined };
  if (name !== 'containers.power') return state;
  const lifecycle =
    outcome === 'failed' && state.former !== undefined ? state.former : state.lifecycle;
  return { ...state, lifecycle, former: undefined, restarting: false };
}

/** What failed or was not answered may have happened all the same; what was refused has not. */
function afterAnswer(
  state: ContainerState,
  outcome: 'done' | 'refused' | 'failed' | 'timed-out',
): Power | undefined {
  if (outcome !== 'failed' && outcome !== 'timed-out') return state.power;
  switch (state.instruction?.step) {
    case 'start':
    case 'stop':
      return 'unknown';
    case 'freeze':
    case 'thaw':
      return 'perhaps-frozen';
    default:
      return state.power;
  }
}

/** Whoever asks anew wants what the node sees to count, where that is not what it confirmed. */
function seenPower(state: ContainerState): Power | undefined {
  const { observed, power } = state;
  if (power === 'unknown' || power === 'perhaps-frozen' || observed === undefined) return power;
  if (observed.generation !== state.generation || observed.state === power) return power;
  return observed.state === 'absent' || observed.state === 'error' ? 'unknown' : observed.state;
}

function confirmed(state: ContainerState, power: 'running' | 'stopped' | 'frozen'): ContainerState {
  return { ...state, power, observed: { state: power, generation: state.generation } };
}
