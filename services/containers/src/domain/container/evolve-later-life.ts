/** A container's size and packages by its events, and that an operation let it go. */
import {
  AskSettled,
  ContainerLetGo,
  ContainerResized,
  ContainerResizing,
  InstructionAnswered,
  PackagesChanged,
  PackagesRequested,
} from '@bivouac/events/containers';

import type { ContainerEvent, ContainerState } from './state.ts';

export function evolveLaterLife(state: ContainerState, event: ContainerEvent): ContainerState {
  switch (event.type) {
    case ContainerResizing.type: {
      const { plan, reservationId } = event.data;
      const limitsWish = state.limitsWish + 1;
      return { ...state, resizing: { plan, reservationId }, limitsWish };
    }
    case ContainerResized.type: {
      const { plan, reservationId, resizedAt } = event.data;
      return { ...state, plan, reservationId, resizedAt, resizing: undefined };
    }
    case PackagesRequested.type:
      return { ...state, packaging: { transaction: event.data.transaction } };
    case PackagesChanged.type: {
      const { operationId, inventory } = event.data;
      // A late report is nobody's answer.
      return { ...state, packaging: operationId === null ? state.packaging : undefined, inventory };
    }
    case ContainerLetGo.type: {
      const { operationId } = event.data;
      return {
        ...state,
        maker: state.maker === operationId ? undefined : state.maker,
        abandonedBy: state.deletedFor.includes(operationId)
          ? [...state.abandonedBy, operationId]
          : state.abandonedBy,
      };
    }
    case AskSettled.type: {
      const { name, outcome } = event.data;
      if (name === 'containers.packages') return { ...state, packaging: undefined };
      if (name !== 'containers.resize' || outcome === 'done') return state;
      // The node may or may not have the new limits: it is told the old ones again.
      return { ...state, resizing: undefined, limitsWish: state.limitsWish + 1 };
    }
    case InstructionAnswered.type: {
      const { instruction } = state;
      if (instruction?.step !== 'limits' || event.data.outcome !== 'done') return state;
      return { ...state, limitsDone: instruction.limitsWish };
    }
    default:
      return state;
  }
}
