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
  ContainerFrozen,
  ContainerLeft,
  ContainerRequested,
  ContainerReserved,
  ContainerRestored,
  ContainerRunning,
  ContainerSoftDeleted,
  ContainerStarted,
  ContainerStopped,
  ContainerThawed,
  HoldLifted,
  HoldPlaced,
  NodeCapacityFreed,
  NodeCapacityTaken,
  NodeRegistered,
  ObservationChanged,
} from '@bivouac/events/containers';
import {
  AddressesAdded,
  AddressesRemoved,
  SubscriptionEnded,
  SubscriptionStarted,
  SubscriptionVoided,
} from '@bivouac/events/billing';
import { PROVIDER_ID, TenantCreated } from '@bivouac/events/accounts';
import { is, type Recorded } from '@bivouac/events/language';
import { OperationStarted } from '@bivouac/events/provisioning';
import { Released, Reserved, Transferred, TransferReserved } from '@bivouac/events/quotas';
import type { ResourceVector } from '@bivouac/events/values';

import { endOf } from './ends.ts';
import { Causes, type History } from './history.ts';
import type { Outcome } from './messages.ts';

export interface Operation {
  readonly operationId: string;
  readonly kind: string;
  readonly targetId: string;
  outcome: Outcome;
}

export interface Container {
  readonly containerId: string;
  readonly tenantId: string;
  /** `soft-deleted`: its owner's no more, but kept. */
  lifecycle: 'being made' | 'running' | 'soft-deleted' | 'gone';
  /** What its node did, or saw of it, last. */
  power: 'stopped' | 'running' | 'frozen';
  /** How often it was restored. */
  restored: number;
  /** Addresses of its own were taken from it: their quota stays reserved with the others'. */
  lessened: boolean;
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
  /** Nothing of it is charged. */
  voided: boolean;
}

/** On a node, with everything that belongs to it. */
export function isThere(container: Container | undefined): boolean {
  return container?.lifecycle === 'running' || container?.lifecycle === 'soft-deleted';
}

export class Standing {
  /** In the order they were started. */
  readonly operations = new Map<string, Operation>();
  readonly containers = new Map<string, Container>();
  readonly reservations = new Map<string, Held & { readonly vector: ResourceVector }>();
  readonly leases = new Map<string, Held & { readonly address: string }>();
  readonly placements = new Map<string, Held & { readonly nodeId: string }>();
  /** By container, also those that have ended: its own tenant's. */
  readonly subscriptions = new Map<string, Subscription>();
  /** The same of those above it, by account and container. */
  readonly above = new Map<string, Subscription>();
  /** The tenant above, by tenant; the provider's own customers have none here. */
  readonly parents = new Map<string, string>();
  readonly roster = new Set<string>();
  /** Names by id. */
  readonly nodes = new Map<string, string>();
  readonly #causes: Causes;

  constructor(history: History) {
    this.#causes = new Causes(history);
    for (const event of history) {
      if (is(event, TenantCreated) && event.data.parentId !== null) {
        const { tenantId, parentId } = event.data;
        if (parentId !== PROVIDER_ID) this.parents.set(tenantId, parentId);
      }
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

  /** The accounts above a tenant that pay for what it has, nearest first. */
  debtorsAbove(tenantId: string): string[] {
    const above = this.parents.get(tenantId);
    return above === undefined ? [] : [above, ...this.debtorsAbove(above)];
  }

  #subscriptionOf(accountId: unknown, containerId: string): Subscription | undefined {
    return this.#isOwn(accountId, containerId)
      ? this.subscriptions.get(containerId)
      : this.above.get(`${String(accountId)} ${containerId}`);
  }

  #put(accountId: string, containerId: string, subscription: Subscription): void {
    if (this.#isOwn(accountId, containerId)) this.subscriptions.set(containerId, subscription);
    else this.above.set(`${accountId} ${containerId}`, subscription);
  }

  #isOwn(accountId: unknown, containerId: string): boolean {
    const owner = this.containers.get(containerId)?.tenantId;
    return accountId === undefined || owner === undefined || owner === accountId;
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
        ...{ containerId, tenantId, lifecycle: 'being made', power: 'stopped' },
        ...{ restored: 0, lessened: false },
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
      if (event.data.undone !== true) container.lessened = true;
    } else if (is(event, ContainerRunning)) {
      container.lifecycle = 'running';
      container.power = 'running';
    } else if (is(event, ContainerSoftDeleted)) container.lifecycle = 'soft-deleted';
    else if (is(event, ContainerRestored)) {
      container.lifecycle = 'running';
      container.restored += 1;
    } else if (is(event, ContainerStarted) || is(event, ContainerThawed)) {
      container.power = 'running';
    } else if (is(event, ObservationChanged)) {
      const { state } = event.data;
      if (state !== 'absent' && state !== 'error') container.power = state;
    } else if (is(event, ContainerStopped)) container.power = 'stopped';
    else if (is(event, ContainerFrozen)) container.power = 'frozen';
    else if (is(event, ContainerDeleted) || is(event, ContainerFailed))
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
    } else if (is(event, TransferReserved)) {
      const { reservationId, taken: vector } = event.data;
      this.reservations.set(reservationId, { by, vector });
    } else if (is(event, Transferred)) {
      const { reservationId, fromReservationId, vector } = event.data;
      const taken = this.reservations.get(reservationId);
      this.reservations.delete(fromReservationId);
      this.reservations.set(reservationId, { by: taken?.by, vector });
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
      const { containerId, accountId, addresses } = event.data;
      const before = this.#subscriptionOf(accountId, containerId);
      this.#put(accountId, containerId, {
        containerId,
        addresses: new Map(addresses.map(({ leaseId, address }) => [leaseId, address])),
        times: (before?.times ?? 0) + 1,
        open: true,
        voided: false,
      });
      return;
    }
    const { containerId: id, accountId } = event.data;
    const subscription = typeof id === 'string' ? this.#subscriptionOf(accountId, id) : undefined;
    if (subscription === undefined) return;
    if (is(event, AddressesAdded)) {
      for (const { leaseId, address } of event.data.addresses) {
        subscription.addresses.set(leaseId, address);
      }
    } else if (is(event, AddressesRemoved)) {
      for (const leaseId of event.data.leaseIds) subscription.addresses.delete(leaseId);
    } else if (is(event, SubscriptionEnded)) subscription.open = false;
    else if (is(event, SubscriptionVoided)) subscription.voided = true;
  }
}
