/**
 * What stands at the end of the log: operations and how they ended, containers, and all that is held,
 * each with the operation that took it.
 */
import { PROVIDER_ID, TenantCreated } from '@bivouac/events/accounts';
import {
  AddressesAttached,
  AddressesDetached,
  AddressLeased,
  AddressReleased,
  AskSettled,
  ContainerDeleted,
  ContainerEntered,
  ContainerFailed,
  ContainerFrozen,
  ContainerLeft,
  ContainerRequested,
  ContainerReserved,
  ContainerResized,
  ContainerRestored,
  ContainerRunning,
  ContainerSoftDeleted,
  ContainerStarted,
  ContainerStopped,
  ContainerThawed,
  HoldLifted,
  HoldPlaced,
  NodeCapacityFreed,
  NodeCapacityResized,
  NodeCapacityResizing,
  NodeCapacityTaken,
  NodeRegistered,
  ObservationChanged,
  type PowerAction,
  PowerRequested,
} from '@bivouac/events/containers';
import {
  AddressesAdded,
  AddressesRemoved,
  SubscriptionEnded,
  SubscriptionStarted,
  SubscriptionVoided,
} from '@bivouac/events/billing';
import { is, type Recorded } from '@bivouac/events/language';
import { AttentionNeeded, OperationStarted } from '@bivouac/events/provisioning';
import { Released, Reserved, Transferred, TransferReserved } from '@bivouac/events/quotas';
import type { ResourceVector } from '@bivouac/events/values';

import { endOf, type Outcome } from './ends.ts';
import { Causes, type History } from './history.ts';

export interface Operation {
  readonly operationId: string;
  readonly kind: string;
  readonly targetId: string;
  outcome: Outcome;
  /** The steps at which it had to wait for a person, in their order, each with why. */
  readonly waitedAt: string[];
}

/** An operation in words, for who looks into what is wrong. */
export function told({ operationId, kind, outcome, waitedAt }: Operation): string {
  const waited = waitedAt.length === 0 ? '' : ` after it waited at ${waitedAt.join(', ')}`;
  return `${kind} ${operationId}, ${outcome}${waited}`;
}

export interface Container {
  readonly containerId: string;
  readonly tenantId: string;
  /** `kept`: deleted for its owner, and can be restored. */
  lifecycle: 'being made' | 'running' | 'kept' | 'gone';
  /** What its owner wants of it while it is there. */
  power: 'running' | 'stopped' | 'frozen';
  /** Wanted before what is asked for now. */
  former: Container['power'];
  /** What its node did, or saw of it, last. */
  seen: Container['power'];
  /** What it has of its node. */
  memoryBytes: string;
  /** How often it was restored. */
  restored: number;
  /** By lease. */
  readonly addresses: Map<string, string>;
  /**
   * How many it had and has no more: what was reserved together is given back together. Without those
   * that an undone order had attached, whose reservation is its own.
   */
  removed: number;
  /** With the operation that placed each; undefined: the tenant's. */
  readonly holds: Map<string, string | undefined>;
}

/** Something held, and the operation that took it. */
export interface Held {
  readonly by: string | undefined;
  readonly containerId?: string;
}

export interface Subscription {
  readonly accountId: string;
  readonly containerId: string;
  /** By lease. */
  readonly addresses: Map<string, string>;
  open: boolean;
  /** Nothing of it is charged. */
  voided: boolean;
}

export class Standing {
  /** In the order they were started. */
  readonly operations = new Map<string, Operation>();
  readonly containers = new Map<string, Container>();
  readonly reservations = new Map<string, Held & { readonly vector: ResourceVector }>();
  readonly leases = new Map<string, Held & { readonly address: string }>();
  readonly placements = new Map<
    string,
    Held & { readonly nodeId: string; readonly vector: ResourceVector }
  >();
  /** In the order they were started, also those that have ended. */
  readonly subscriptions: Subscription[] = [];
  readonly roster = new Set<string>();
  /** Names by id. */
  readonly nodes = new Map<string, string>();
  readonly #causes: Causes;
  readonly #bySubscription = new Map<string, Subscription>();
  readonly #parents = new Map<string, string | null>();
  /** Sizes that placements are to have, by placement. */
  readonly #resizing = new Map<string, ResourceVector>();

  constructor(history: History) {
    this.#causes = new Causes(history);
    for (const event of history) {
      if (is(event, TenantCreated)) this.#parents.set(event.data.tenantId, event.data.parentId);
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

  /** In words: how far a container has come, and what the operations on it have come to. */
  toldOf(containerId: string): string {
    const operations = [...this.operations.values()].filter((one) => one.targetId === containerId);
    return [this.containers.get(containerId)?.lifecycle ?? 'unknown', ...operations.map(told)].join(
      '; ',
    );
  }

  /** The accounts that a tenant's container charges: its own, and those above it up to the provider's. */
  debtorsOf(tenantId: string): string[] {
    const debtors = [tenantId];
    for (let id = this.#parents.get(tenantId) ?? null; id !== null && id !== PROVIDER_ID;) {
      debtors.push(id);
      id = this.#parents.get(id) ?? null;
    }
    return debtors;
  }

  /** What charges an account for a container, or charged it once. */
  charging(containerId: string, accountId?: string): Subscription[] {
    return this.subscriptions.filter(
      (one) =>
        one.containerId === containerId && (accountId === undefined || one.accountId === accountId),
    );
  }

  #operation(event: Recorded): void {
    if (is(event, OperationStarted)) {
      const { operationId, kind, target } = event.data;
      this.operations.set(operationId, {
        ...{ operationId, kind, targetId: target.id },
        outcome: 'running',
        waitedAt: [],
      });
    }
    const end = endOf(event);
    const operation = end === undefined ? undefined : this.operations.get(end.operationId);
    if (end === undefined || operation === undefined) return;
    operation.outcome = end.outcome;
    if (is(event, AttentionNeeded)) {
      const { ref, refusal } = event.data;
      operation.waitedAt.push(`${ref.step} (${refusal.code})`);
    }
  }

  #container(event: Recorded): void {
    if (is(event, ContainerRequested)) {
      const { containerId, tenantId } = event.data;
      this.containers.set(containerId, {
        ...{ containerId, tenantId, lifecycle: 'being made', restored: 0, memoryBytes: '0' },
        ...{ power: 'running', former: 'running', seen: 'stopped', removed: 0 },
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
      if (is(event, ContainerReserved)) container.memoryBytes = event.data.limits.memoryBytes;
    } else if (is(event, AddressesDetached)) {
      for (const leaseId of event.data.leaseIds) {
        const had = container.addresses.delete(leaseId);
        if (had && event.data.undone !== true) container.removed += 1;
      }
    } else if (is(event, ContainerResized)) {
      container.memoryBytes = event.data.plan.limits.memoryBytes;
    } else if (is(event, ContainerSoftDeleted)) container.lifecycle = 'kept';
    else if (is(event, ContainerRestored)) {
      container.lifecycle = 'running';
      container.restored += 1;
    } else if (is(event, ContainerStarted) || is(event, ContainerThawed))
      container.seen = 'running';
    else if (is(event, ContainerStopped)) container.seen = 'stopped';
    else if (is(event, ContainerFrozen)) container.seen = 'frozen';
    else if (is(event, ObservationChanged)) {
      const { state } = event.data;
      if (state !== 'absent' && state !== 'error') container.seen = state;
    } else if (is(event, PowerRequested)) {
      container.former = container.power;
      container.power = powerAfter[event.data.action];
    } else if (is(event, AskSettled) && event.data.name === 'containers.power') {
      // What came to nothing is not wanted any more.
      if (event.data.outcome === 'failed') container.power = container.former;
      container.former = container.power;
    } else if (is(event, ContainerRunning)) {
      container.lifecycle = 'running';
      container.seen = 'running';
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
    } else if (is(event, TransferReserved)) {
      const { reservationId, taken } = event.data;
      this.reservations.set(reservationId, { by, vector: taken });
    } else if (is(event, Transferred)) {
      const { reservationId, fromReservationId, vector } = event.data;
      const known = this.reservations.get(reservationId);
      this.reservations.delete(fromReservationId);
      this.reservations.set(reservationId, { by: known?.by ?? by, vector });
    } else if (is(event, Released)) this.reservations.delete(event.data.reservationId);
    else if (is(event, AddressLeased)) {
      const { leaseId, address, containerId } = event.data;
      this.leases.set(leaseId, { by, address, containerId });
    } else if (is(event, AddressReleased)) this.leases.delete(event.data.leaseId);
    else if (is(event, NodeRegistered)) this.nodes.set(event.data.nodeId, event.data.name);
    else if (is(event, NodeCapacityTaken)) {
      const { placementId, nodeId, containerId, vector } = event.data;
      this.placements.set(placementId, { by, nodeId, containerId, vector });
    } else if (is(event, NodeCapacityResizing)) {
      this.#resizing.set(event.data.placementId, event.data.vector);
    } else if (is(event, NodeCapacityResized)) {
      const { placementId } = event.data;
      const placed = this.placements.get(placementId);
      const vector = this.#resizing.get(placementId) ?? placed?.vector;
      if (placed !== undefined && vector !== undefined) {
        this.placements.set(placementId, { ...placed, vector });
      }
    } else if (is(event, NodeCapacityFreed)) this.placements.delete(event.data.placementId);
  }

  #charge(event: Recorded): void {
    if (is(event, SubscriptionStarted)) {
      const { accountId, subscriptionId, containerId, addresses } = event.data;
      const subscription = {
        ...{ accountId, containerId, open: true, voided: false },
        addresses: new Map(addresses.map(({ leaseId, address }) => [leaseId, address])),
      };
      this.subscriptions.push(subscription);
      this.#bySubscription.set(subscriptionId, subscription);
      return;
    }
    const id = event.data['subscriptionId'];
    const subscription = typeof id === 'string' ? this.#bySubscription.get(id) : undefined;
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

const powerAfter = {
  ...{ start: 'running', stop: 'stopped', restart: 'running', freeze: 'frozen', thaw: 'running' },
} as const satisfies Record<PowerAction, Container['power']>;
