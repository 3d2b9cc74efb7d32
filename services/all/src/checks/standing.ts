/**
 * What stands at the end of the log: operations and how they ended, containers, and all that is held,
 * each with the operation that took it.
 */
import {
  AddressesAttached,
  AddressesDetached,
  AddressLeased,
  AddressReleased,
  ContainerDeleted,
  ContainerEntered,
  ContainerFailed,
  ContainerLeft,
  ContainerRequested,
  ContainerReserved,
  ContainerRunning,
  HoldLifted,
  HoldPlaced,
  NodeCapacityFreed,
  NodeCapacityTaken,
  NodeRegistered,
} from '@bivouac/events/containers';
import {
  AddressesAdded,
  AddressesRemoved,
  SubscriptionEnded,
  SubscriptionStarted,
} from '@bivouac/events/billing';
import { is, type Recorded } from '@bivouac/events/language';
import { OperationStarted } from '@bivouac/events/provisioning';
import { Released, Reserved } from '@bivouac/events/quotas';
import type { ResourceVector } from '@bivouac/events/values';

import { endOf, type Outcome } from './ends.ts';
import { Causes, type History } from './history.ts';

export interface Operation {
  readonly operationId: string;
  readonly kind: string;
  readonly targetId: string;
  outcome: Outcome;
}

export interface Container {
  readonly containerId: string;
  readonly tenantId: string;
  lifecycle: 'being made' | 'running' | 'gone';
  ran: boolean;
  /** By lease. */
  readonly addresses: Map<string, string>;
  /** With the operation that placed each; undefined: the tenant's. */
  readonly holds: Map<string, string | undefined>;
}

/** Something held, and the operation that took it. */
export interface Held {
  readonly by: string | undefined;
  readonly containerId?: string;
}

export interface Subscription {
  readonly containerId: string;
  /** By lease. */
  readonly addresses: Map<string, string>;
  times: number;
  open: boolean;
}

export class Standing {
  /** In the order they were started. */
  readonly operations = new Map<string, Operation>();
  readonly containers = new Map<string, Container>();
  readonly reservations = new Map<string, Held & { readonly vector: ResourceVector }>();
  readonly leases = new Map<string, Held & { readonly address: string }>();
  readonly placements = new Map<string, Held & { readonly nodeId: string }>();
  /** By container, also those that have ended. */
  readonly subscriptions = new Map<string, Subscription>();
  readonly roster = new Set<string>();
  /** Names by id. */
  readonly nodes = new Map<string, string>();
  readonly #causes: Causes;

  constructor(history: History) {
    this.#causes = new Causes(history);
    for (const event of history) {
      this.#operation(event);
      this.#container(event);
      this.#capacity(event);
      this.#charge(event);
    }
  }

  /** Whether a container waits for a person: an operation on it could not go on. */
  waits(containerId: string): boolean {
    return [...this.operations.values()].some(
      ({ targetId, outcome }) => targetId === containerId && outcome === 'needs-attention',
    );
  }

  #operation(event: Recorded): void {
    if (is(event, OperationStarted)) {
      const { operationId, kind, target } = event.data;
      this.operations.set(operationId, {
        ...{ operationId, kind, targetId: target.id },
        outcome: 'running',
      });
    }
    const end = endOf(event);
    const operation = end === undefined ? undefined : this.operations.get(end.operationId);
    if (end !== undefined && operation !== undefined) operation.outcome = end.outcome;
  }

  #container(event: Recorded): void {
    if (is(event, ContainerRequested)) {
      const { containerId, tenantId } = event.data;
      this.containers.set(containerId, {
        ...{ containerId, tenantId, lifecycle: 'being made', ran: false },
        addresses: new Map(),
        holds: this.containers.get(containerId)?.holds ?? new Map<string, string | undefined>(),
      });
    } else if (is(event, ContainerEntered)) this.roster.add(event.data.containerId);
    else if (is(event, ContainerLeft)) this.roster.delete(event.data.containerId);
    const id = event.data['containerId'];
    const container = typeof id === 'string' ? this.containers.get(id) : undefined;
    if (container === undefined) return;
    if (is(event, ContainerReserved) || is(event, AddressesAttached)) {
      for (const { leaseId, address } of event.data.addresses) {
        container.addresses.set(leaseId, address);
      }
    } else if (is(event, AddressesDetached)) {
      for (const leaseId of event.data.leaseIds) container.addresses.delete(leaseId);
    } else if (is(event, ContainerRunning)) {
      container.lifecycle = 'running';
      container.ran = true;
    } else if (is(event, ContainerDeleted) || is(event, ContainerFailed))
      container.lifecycle = 'gone';
    else if (is(event, HoldPlaced)) {
      container.holds.set(event.data.hold.holdId, event.data.ask?.operationId);
    } else if (is(event, HoldLifted)) container.holds.delete(event.data.holdId);
  }

  #capacity(event: Recorded): void {
    const by = this.#causes.operationOf(event);
    if (is(event, Reserved)) {
      const { reservationId, vector } = event.data;
      this.reservations.set(reservationId, { by, vector });
    } else if (is(event, Released)) this.reservations.delete(event.data.reservationId);
    else if (is(event, AddressLeased)) {
      const { leaseId, address, containerId } = event.data;
      this.leases.set(leaseId, { by, address, containerId });
    } else if (is(event, AddressReleased)) this.leases.delete(event.data.leaseId);
    else if (is(event, NodeRegistered)) this.nodes.set(event.data.nodeId, event.data.name);
    else if (is(event, NodeCapacityTaken)) {
      const { placementId, nodeId, containerId } = event.data;
      this.placements.set(placementId, { by, nodeId, containerId });
    } else if (is(event, NodeCapacityFreed)) this.placements.delete(event.data.placementId);
  }

  #charge(event: Recorded): void {
    if (is(event, SubscriptionStarted)) {
      const { containerId, addresses } = event.data;
      const before = this.subscriptions.get(containerId);
      this.subscriptions.set(containerId, {
        containerId,
        addresses: new Map(addresses.map(({ leaseId, address }) => [leaseId, address])),
        times: (before?.times ?? 0) + 1,
        open: true,
      });
      return;
    }
    const id = event.data['containerId'];
    const subscription = typeof id === 'string' ? this.subscriptions.get(id) : undefined;
    if (subscription === undefined) return;
    if (is(event, AddressesAdded)) {
      for (const { leaseId, address } of event.data.addresses) {
        subscription.addresses.set(leaseId, address);
      }
    } else if (is(event, AddressesRemoved)) {
      for (const leaseId of event.data.leaseIds) subscription.addresses.delete(leaseId);
    } else if (is(event, SubscriptionEnded)) subscription.open = false;
  }
}
