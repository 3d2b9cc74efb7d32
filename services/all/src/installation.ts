/**
 * A running installation as the demo, the month and the end-to-end tests see it: the same whether
 * everything runs in one process (`embedded.ts`) or each part in its own (`processes/`).
 */
import type { EventRegistry, Position, ServiceCaller, StoredEvent } from '@bivouac/events/language';
import type { Gateway } from '@bivouac/graphql';
import type { EventStore } from '@bivouac/infra/event-store';
import type { Config, EdgePorts, Logger, ManualClock } from '@bivouac/infra/runtime';

import type { LeftBehind } from './checks/left.ts';
import type { RunningNodes } from './nodes.ts';

/** The read models, wherever they are. */
export interface ReadModels {
  /**
   * Calls back whenever there may be more to read, with the events as stored; answers how to stop it.
   * What is asked through the installation from then on is answered with these events applied.
   */
  onApplied(callback: (position: Position, events: readonly StoredEvent[]) => void): () => void;
  /** Builds a service's read model anew, in every replica, and swaps it in. */
  rebuild(service: string): Promise<void>;
  /** The hash over a service's rows; throws where replicas at the head have different ones. */
  dump(service: string): { readonly sha256: string } | Promise<{ readonly sha256: string }>;
}

/** The services, wherever they are. */
export interface Services extends ServiceCaller {
  readonly registry: EventRegistry;
  readonly follower: ReadModels;
  /** Nothing that must run has stopped. */
  ready(): boolean;
  /** Resolves when every event so far was reacted to and applied, and no timer is due. */
  settled(): Promise<void>;
}

/** The gateway, wherever it is. */
export interface GatewayAccess extends Pick<Gateway, 'yoga' | 'handle'> {
  endSubscriptions(): void | Promise<void>;
  /** How many subscriptions are open. */
  readonly subscriptions: number | Promise<number>;
}

/** A running installation. */
export interface Installation {
  readonly host: Services;
  readonly store: EventStore;
  readonly ports: EdgePorts;
  readonly gateway: GatewayAccess;
  readonly provider: { readonly tenantId: string; readonly homeId: string };
  readonly nodes: RunningNodes;
  /** Orderly: nothing more is taken, what is in hand is finished up to the deadline. */
  stop(deadlineMilliseconds: number): Promise<void>;
}

/** What one start of an installation is told. */
export interface StartOptions {
  /** Where everything is kept: empty, or what an installation of the same kind has left. */
  readonly folder: string;
  readonly clock: ManualClock;
  readonly logger: Logger;
  readonly providerName: string;
  /** Other settings than those given to the kind. */
  readonly changes?: Partial<
    Pick<
      Config,
      | 'NODE_URL'
      | 'CACHE_URL'
      | 'COST_CAPACITY'
      | 'COST_PER_SECOND'
      | 'STAFF_COST_CAPACITY'
      | 'STAFF_COST_PER_SECOND'
    >
  >;
  /** Called when something that must run has stopped. */
  readonly onFailure: (error: unknown) => void;
}

/** A kind of installation: how one is started on a folder, and what one that is stopped has left there. */
export interface InstallationKind {
  start(options: StartOptions): Promise<Installation>;
  left(folder: string): LeftBehind;
}
