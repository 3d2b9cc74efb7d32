/** A container as its events tell it: the four axes, and what is needed to go on. Pure and small. */
import {
  AddressesAttached,
  AddressesAttaching,
  AddressesDetached,
  AskAccepted,
  AskSettled,
  type containerEvents,
  ContainerDeleted,
  ContainerDeleting,
  ContainerFailed,
  ContainerRenamed,
  ContainerRequested,
  ContainerReserved,
  ContainerRunning,
  ContainerStarted,
  ContainerStopped,
  HoldLifted,
  HoldPlaced,
  InstructionAnswered,
  InstructionIssued,
  ObservationChanged,
} from '@bivouac/events/containers';
import type { Decided, DecidedOf } from '@bivouac/events/language';
import type { ObservedState, Step } from '@bivouac/events/node';
import type {
  AskName,
  AskRef,
  Hold,
  ImageFacts,
  LeasedAddress,
  PlanTerms,
} from '@bivouac/events/operations';

import { after, type Lifecycle } from './transitions.ts';

/** An ask that an operation waits for. */
export interface Waiting {
  readonly ref: AskRef;
  readonly name: AskName;
  readonly notAfter: string | undefined;
}

/** The one instruction the node has not answered. */
export interface OpenInstruction {
  readonly id: string;
  readonly nodeId: string;
  readonly step: Step;
  readonly notAfter: string;
  readonly ask: AskRef | undefined;
  /** Which wish for the network it carries; see {@link ContainerState.networkWish}. */
  readonly networkWish: number;
}

export interface ContainerState {
  readonly containerId: string;
  readonly tenantId: string | undefined;
  readonly hostname: string;
  readonly plan: PlanTerms | undefined;
  readonly image: ImageFacts | undefined;
  /** The operation that makes it; holds it until it runs or is gone. */
  readonly maker: string | undefined;

  readonly lifecycle: Lifecycle;
  readonly generation: number;
  readonly place:
    | { readonly nodeId: string; readonly placementId: string; readonly location: string }
    | undefined;
  readonly runningAt: string | undefined;

  readonly waiting: Waiting | undefined;
  /** The last asks that were settled, so that a repeat does nothing. */
  readonly settled: readonly string[];
  /** Operations that have had it deleted: their repeated ask gets the same answer. */
  readonly deletedFor: readonly string[];

  readonly holds: ReadonlyMap<string, { readonly hold: Hold; readonly byTenant: boolean }>;
  readonly lifted: ReadonlySet<string>;

  readonly observed: { readonly state: ObservedState; readonly generation: number } | undefined;

  /** What the node has confirmed last; `unknown` after a start or stop that came to nothing. */
  readonly power: 'running' | 'stopped' | 'unknown' | undefined;
  readonly instruction: OpenInstruction | undefined;
  readonly issued: number;

  /** Configured on the node. */
  readonly addresses: readonly LeasedAddress[];
  /** Not yet configured, with the wish for the network they belong to. */
  readonly attaching: readonly (LeasedAddress & { readonly networkWish: number })[];
  readonly detached: ReadonlySet<string>;
  /** The quota reservation of each lease beyond the order's own. */
  readonly extras: ReadonlyMap<string, string>;
  readonly reservationId: string | undefined;
  /** Raised whenever the node's network should be another; `networkDone` is the wish it has. */
  readonly networkWish: number;
  readonly networkDone: number;
}

export const noContainer: ContainerState = {
  containerId: '',
  tenantId: undefined,
  hostname: '',
  plan: undefined,
  image: undefined,
  maker: undefined,
  lifecycle: 'none',
  generation: 0,
  place: undefined,
  runningAt: undefined,
  waiting: undefined,
  settled: [],
  deletedFor: [],
  holds: new Map(),
  lifted: new Set(),
  observed: undefined,
  power: undefined,
  instruction: undefined,
  issued: 0,
  addresses: [],
  attaching: [],
  detached: new Set(),
  extras: new Map(),
  reservationId: undefined,
  networkWish: 0,
  networkDone: 0,
};

/** How many settled asks are remembered. */
const SETTLED = 16;

type ContainerEvent = DecidedOf<(typeof containerEvents)[number]>;

/** An ask as a key. */
export function keyOf(ref: AskRef): string {
  return `${ref.operationId}/${ref.step}/${ref.attempt}`;
}

export function isGone(state: ContainerState): boolean {
  return state.lifecycle === 'deleted' || state.lifecycle === 'failed';
}

/** Folds an event, recorded or just decided. Answers a new state. */
export function evolveContainer(state: ContainerState, event: Decided): ContainerState {
  // The union is closed: the aggregate hands in container events only.
  const known = event as ContainerEvent;
  return evolveAxes(evolveNetwork(state, known), known);
}

function evolveAxes(state: ContainerState, event: ContainerEvent): ContainerState {
  switch (event.type) {
    case ContainerRequested.type: {
      const { containerId, tenantId, hostname, plan, image, operationId } = event.data;
      const lifecycle = after('request', state.lifecycle);
      return {
        ...state,
        containerId,
        tenantId,
        hostname,
        plan,
        image,
        maker: operationId,
        lifecycle,
      };
    }
    case ContainerReserved.type: {
      const { nodeId, placementId, location, reservationId, generation, addresses } = event.data;
      return {
        ...wait(state, event.data.ask, 'containers.build'),
        lifecycle: after('reserve', state.lifecycle),
        place: { nodeId, placementId, location },
        reservationId,
        generation,
        addresses,
      };
    }
    case ContainerRunning.type:
      return {
        ...confirmed(state, 'running'),
        lifecycle: after('run', state.lifecycle),
        maker: undefined,
        runningAt: event.data.runningAt,
      };
    case ContainerStarted.type:
      return confirmed(state, 'running');
    case ContainerStopped.type:
      return confirmed(state, 'stopped');
    case ContainerRenamed.type:
      return { ...state, hostname: event.data.hostname };
    case HoldPlaced.type: {
      const { hold, ask } = event.data;
      const holds = new Map(state.holds).set(hold.holdId, { hold, byTenant: ask === undefined });
      return { ...wait(state, ask, 'containers.hold'), holds };
    }
    case HoldLifted.type: {
      const { holdId, ask } = event.data;
      const holds = new Map(state.holds);
      holds.delete(holdId);
      const lifted = new Set(state.lifted).add(holdId);
      return { ...wait(state, ask, 'containers.unhold'), holds, lifted };
    }
    case ContainerDeleting.type:
      return {
        ...wait(state, event.data.ask, 'containers.destroy'),
        lifecycle: after('delete', state.lifecycle),
        generation: event.data.generation,
        maker: undefined,
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
    case ContainerFailed.type:
      return {
        ...state,
        containerId: event.data.containerId,
        lifecycle: after('fail', state.lifecycle),
        maker: undefined,
      };
    case InstructionIssued.type: {
      const { instructionId, nodeId, step, notAfter, ask } = event.data;
      return {
        ...state,
        lifecycle: step === 'build' ? after('build', state.lifecycle) : state.lifecycle,
        instruction: {
          id: instructionId,
          nodeId,
          step,
          notAfter,
          ask,
          networkWish: state.networkWish,
        },
        issued: state.issued + 1,
      };
    }
    case InstructionAnswered.type: {
      const { step } = state.instruction ?? {};
      const { outcome } = event.data;
      // What failed or was not answered may have happened all the same; what was refused has not.
      const unsure = outcome === 'failed' || outcome === 'timed-out';
      const power = unsure && (step === 'start' || step === 'stop') ? 'unknown' : state.power;
      return { ...state, instruction: undefined, power };
    }
    case ObservationChanged.type: {
      const { generation, state: seen } = event.data;
      return { ...state, observed: { state: seen, generation } };
    }
    case AskAccepted.type: {
      const { ask, name, notAfter } = event.data;
      const deletedFor =
        name === 'containers.destroy' ? [...state.deletedFor, ask.operationId] : state.deletedFor;
      return { ...state, waiting: { ref: ask, name, notAfter }, deletedFor };
    }
    case AskSettled.type: {
      const key = keyOf(event.data.ask);
      const own = state.waiting !== undefined && keyOf(state.waiting.ref) === key;
      return {
        ...state,
        waiting: own ? undefined : state.waiting,
        settled: [...state.settled, key].slice(-SETTLED),
      };
    }
    case AddressesAttaching.type:
      return wait(state, event.data.ask, 'containers.attach');
    case AddressesAttached.type:
    case AddressesDetached.type:
      return state;
  }
}

/** Addresses, and what the node's network should be and is. */
function evolveNetwork(state: ContainerState, event: ContainerEvent): ContainerState {
  switch (event.type) {
    case AddressesAttaching.type: {
      const networkWish = state.networkWish + 1;
      const extras = new Map(state.extras);
      for (const { leaseId } of event.data.addresses) extras.set(leaseId, event.data.reservationId);
      const more = event.data.addresses.map((address) => ({ ...address, networkWish }));
      return { ...state, networkWish, extras, attaching: [...state.attaching, ...more] };
    }
    case AddressesAttached.type: {
      const ids = new Set(event.data.addresses.map((address) => address.leaseId));
      return {
        ...state,
        addresses: [...state.addresses, ...event.data.addresses],
        attaching: state.attaching.filter((address) => !ids.has(address.leaseId)),
      };
    }
    case AddressesDetached.type: {
      const ids = new Set(event.data.leaseIds);
      const extras = new Map(state.extras);
      for (const id of ids) extras.delete(id);
      const without = <A extends LeasedAddress>(list: readonly A[]): A[] =>
        list.filter((address) => !ids.has(address.leaseId));
      const addresses = without(state.addresses);
      const attaching = without(state.attaching);
      const touched =
        addresses.length < state.addresses.length || attaching.length < state.attaching.length;
      return {
        ...state,
        addresses,
        attaching,
        extras,
        detached: new Set([...state.detached, ...ids]),
        networkWish: state.networkWish + (touched ? 1 : 0),
      };
    }
    case AskSettled.type: {
      const { name, outcome } = event.data;
      if (name !== 'containers.attach' || outcome === 'done') return state;
      // The operation gives these back; the node may or may not have configured them.
      const extras = new Map(state.extras);
      for (const { leaseId } of state.attaching) extras.delete(leaseId);
      return { ...state, attaching: [], extras, networkWish: state.networkWish + 1 };
    }
    case InstructionAnswered.type: {
      const { instruction } = state;
      if (instruction?.step !== 'network' || event.data.outcome !== 'done') return state;
      return { ...state, networkDone: instruction.networkWish };
    }
    default:
      return state;
  }
}

function wait(state: ContainerState, ref: AskRef | undefined, name: AskName): ContainerState {
  return ref === undefined ? state : { ...state, waiting: { ref, name, notAfter: undefined } };
}

function confirmed(state: ContainerState, power: 'running' | 'stopped'): ContainerState {
  return { ...state, power, observed: { state: power, generation: state.generation } };
}
