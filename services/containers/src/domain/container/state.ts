/** A container as its events tell it: the four axes, and what is needed to go on. Pure and small. */
import type { containerEvents, laterLifeEvents } from '@bivouac/events/containers';
import type { DecidedOf } from '@bivouac/events/language';
import type { ObservedState, Step } from '@bivouac/events/node';
import type {
  AskName,
  AskRef,
  Hold,
  ImageFacts,
  LeasedAddress,
  PackageTransaction,
  PlanTerms,
} from '@bivouac/events/operations';

import type { Lifecycle } from './transitions.ts';

/** An event of a container's stream, recorded or just decided. */
export type ContainerEvent = DecidedOf<
  (typeof containerEvents)[number] | (typeof laterLifeEvents)[number]
>;

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
  readonly limitsWish: number;
}

/**
 * What the node has confirmed last. `unknown` after a start or stop that came to nothing,
 * `perhaps-frozen` after a freeze or thaw that did.
 */
export type Power = 'running' | 'stopped' | 'frozen' | 'unknown' | 'perhaps-frozen';

export interface ContainerState {
  readonly containerId: string;
  readonly tenantId: string | undefined;
  readonly hostname: string;
  readonly plan: PlanTerms | undefined;
  readonly image: ImageFacts | undefined;
  /** The operation that makes it; holds it until it runs or is gone. */
  readonly maker: string | undefined;
  /** The operation that made it, for good. */
  readonly madeBy: string | undefined;
  /** The order was undone though it had run. */
  readonly undone: boolean;

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
  /** Those of them that staff have ended: they may not have given back what it held. */
  readonly abandonedBy: readonly string[];

  readonly holds: ReadonlyMap<string, { readonly hold: Hold; readonly byTenant: boolean }>;
  readonly lifted: ReadonlySet<string>;

  readonly observed: { readonly state: ObservedState; readonly generation: number } | undefined;

  readonly power: Power | undefined;
  readonly instruction: OpenInstruction | undefined;
  readonly issued: number;

  /** The lifecycle it goes back to if the waiting change of power comes to nothing. */
  readonly former: Lifecycle | undefined;
  /** It is to be stopped before it is started again. */
  readonly restarting: boolean;
  /** A soft deletion that waits for it to be stopped. */
  readonly leaving: { readonly reason: string; readonly restoreUntil: string } | undefined;
  /** A soft deletion that stands, and what it was before. */
  readonly softDeleted:
    | { readonly former: Lifecycle; readonly restoreUntil: string; readonly windowEnded: boolean }
    | undefined;

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
  /** Leases the waiting ask wants removed, with the wish for the network without them. */
  readonly removal:
    { readonly leaseIds: readonly string[]; readonly networkWish: number } | undefined;
  /** What was attached once: the address, and its reservation where that was not the order's. */
  readonly removed: ReadonlyMap<
    string,
    { readonly address: LeasedAddress; readonly reservationId: string | undefined }
  >;

  /** The plan it is to have when its node has the limits. */
  readonly resizing: { readonly plan: PlanTerms; readonly reservationId: string } | undefined;
  readonly resizedAt: string | undefined;
  /** As for the network. */
  readonly limitsWish: number;
  readonly limitsDone: number;

  /** The transaction the waiting ask wants. */
  readonly packaging: { readonly transaction: PackageTransaction } | undefined;
  /** Digest of the last package list its node reported. */
  readonly inventory: string | undefined;
}

export const noContainer: ContainerState = {
  containerId: '',
  tenantId: undefined,
  hostname: '',
  plan: undefined,
  image: undefined,
  maker: undefined,
  madeBy: undefined,
  undone: false,
  lifecycle: 'none',
  generation: 0,
  place: undefined,
  runningAt: undefined,
  waiting: undefined,
  settled: [],
  deletedFor: [],
  abandonedBy: [],
  holds: new Map(),
  lifted: new Set(),
  observed: undefined,
  power: undefined,
  instruction: undefined,
  issued: 0,
  former: undefined,
  restarting: false,
  leaving: undefined,
  softDeleted: undefined,
  addresses: [],
  attaching: [],
  detached: new Set(),
  extras: new Map(),
  reservationId: undefined,
  networkWish: 0,
  networkDone: 0,
  removal: undefined,
  removed: new Map(),
  resizing: undefined,
  resizedAt: undefined,
  limitsWish: 0,
  limitsDone: 0,
  packaging: undefined,
  inventory: undefined,
};

/** An ask as a key. */
export function keyOf(ref: AskRef): string {
  return `${ref.operationId}/${ref.step}/${ref.attempt}`;
}

export function isGone(state: ContainerState): boolean {
  return state.lifecycle === 'deleted' || state.lifecycle === 'failed';
}

/** What a node is to make of it: a hold or a deletion for its owner keeps it stopped. */
export function wantedPower(state: ContainerState): 'running' | 'stopped' | 'frozen' | undefined {
  const { lifecycle } = state;
  if (state.power === undefined) return undefined;
  if (lifecycle === 'soft-deleted') return 'stopped';
  if (lifecycle !== 'running' && lifecycle !== 'stopped' && lifecycle !== 'frozen') {
    return undefined;
  }
  return state.holds.size > 0 || state.leaving !== undefined ? 'stopped' : lifecycle;
}
