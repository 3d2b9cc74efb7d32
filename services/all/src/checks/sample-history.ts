/**
 * Histories made by hand, for the tests of the checks: each event after the one before, with those
 * fields that a check reads.
 */
import {
  AddressesAttached,
  AddressLeased,
  ContainerDeleted,
  ContainerEntered,
  ContainerRequested,
  ContainerReserved,
  ContainerRunning,
  NodeCapacityTaken,
  NodeRegistered,
} from '@bivouac/events/containers';
import { SubscriptionStarted } from '@bivouac/events/billing';
import {
  type EventDefinition,
  type EventOf,
  formatPosition,
  type Recorded,
} from '@bivouac/events/language';
import {
  type OperationKind,
  OperationOrderSchema,
  OperationStarted,
  OperationSucceeded,
} from '@bivouac/events/provisioning';
import { Reserved, TenantOpened } from '@bivouac/events/quotas';
import { deriveId, type ResourceVector, uuidOf } from '@bivouac/events/values';

import type { Instance } from './engines.ts';

export const NOW = '2026-04-10T09:00:00.000Z';
export const tenantId = deriveId('tenant', 'customer');
export const nodeId = deriveId('node', 'one');
export const rangeId = deriveId('range', 'one');

/** What one container takes. */
export const VECTOR: ResourceVector = {
  containers: 1,
  cpuMillis: 100,
  memoryBytes: '100',
  diskBytes: '100',
  addresses: 1,
};

/** The same as its plan has it. */
const LIMITS = {
  ...{ cpuMillis: 100, memoryBytes: '100', diskBytes: '100' },
  processes: 10,
  cpuUnits: 100,
};

/** An order as the tests refer to it. */
export interface Order {
  readonly operationId: string;
  readonly containerId: string;
  readonly started: Recorded;
}

/** What an order holds. */
export interface Taken {
  readonly reservationId: string;
  readonly leaseId: string;
  readonly placementId: string;
  readonly address: string;
}

interface Where {
  readonly stream?: string;
  readonly commandkey?: string;
  readonly causedBy?: Recorded;
  readonly time?: string;
  readonly actorid?: string;
  readonly tenantid?: string;
}

/** A history that grows. */
export class SampleHistory {
  readonly events: Recorded[] = [];
  readonly #heads = new Map<string, bigint>();

  add<E extends EventDefinition>(
    { type }: E,
    data: Partial<EventOf<E>['data']>,
    where: Where = {},
  ): Recorded {
    const { stream = 'some-stream', time = NOW, causedBy, actorid = 'somebody' } = where;
    const revision = (this.#heads.get(stream) ?? -1n) + 1n;
    this.#heads.set(stream, revision);
    const n = String(this.events.length + 1);
    const commandkey = where.commandkey ?? uuidOf('command', n);
    const event: Recorded = {
      ...{ type, stream, revision, time, actorid, data: { ...data }, commandkey },
      id: uuidOf('event', n),
      schemaver: 1,
      tenantid: where.tenantid ?? tenantId,
      homeid: tenantId,
      correlationid: commandkey,
      causationid: causedBy?.id ?? commandkey,
      inputhash: '',
      position: formatPosition(BigInt(n)),
      epoch: 'sample',
    };
    this.events.push(event);
    return event;
  }

  /** An order for a container, accepted; all but `provision` are for the container `one`. */
  order(name: string, kind: OperationKind & keyof typeof orders = 'provision'): Order {
    const operationId = deriveId('operation', name);
    const containerId = deriveId('container', kind === 'provision' ? name : 'one');
    const order = OperationOrderSchema.parse(orders[kind](name, containerId));
    const target = { type: 'container', id: containerId } as const;
    const stream = `operation-${operationId}`;
    const facts = { operationId, kind, tenantId, target, order };
    const started = this.add(OperationStarted, facts, { stream });
    return { operationId, containerId, started };
  }

  /** What an order takes: a reservation, a place and a lease. */
  take({ operationId, containerId, started: causedBy }: Order): Taken {
    const reservationId = deriveId('reservation', operationId);
    const leaseId = deriveId('lease', operationId);
    const placementId = deriveId('placement', operationId);
    const address = '10.0.0.1';
    this.add(Reserved, { reservationId, tenantId, vector: VECTOR }, { causedBy });
    this.add(NodeCapacityTaken, { nodeId, placementId, containerId, vector: VECTOR }, { causedBy });
    this.add(AddressLeased, { rangeId, leaseId, address, containerId }, { causedBy });
    return { reservationId, leaseId, placementId, address };
  }

  /** The container that an order has made: it runs and is charged. */
  run({ operationId, containerId }: Order, { leaseId, address }: Taken): void {
    const addresses = [{ leaseId, rangeId, address, family: 'ipv4' as const }];
    this.add(ContainerEntered, { containerId, tenantId });
    this.add(ContainerRequested, { containerId, tenantId, operationId });
    this.add(ContainerReserved, { containerId, addresses, limits: LIMITS });
    this.add(ContainerRunning, { containerId, tenantId, addresses });
    this.charge(containerId, [{ leaseId, address }]);
  }

  charge(containerId: string, addresses: { leaseId: string; address: string }[]): void {
    const subscriptionId = deriveId('subscription', containerId);
    this.add(SubscriptionStarted, { accountId: tenantId, subscriptionId, containerId, addresses });
  }

  attach(containerId: string, leaseId: string, address: string): void {
    const addresses = [{ leaseId, rangeId, address, family: 'ipv4' as const }];
    this.add(AddressesAttached, { containerId, addresses });
  }

  remove(containerId: string): void {
    this.add(ContainerDeleted, { containerId, tenantId });
  }

  succeed({ operationId }: Order): void {
    this.add(OperationSucceeded, { operationId });
  }
}

/** One node with room for two containers, and the customer's place in a ledger. */
export function emptyWorld(): SampleHistory {
  const history = new SampleHistory();
  history.add(NodeRegistered, {
    ...{ nodeId, name: 'fake-1', cpuOvercommitPercent: 100 },
    capacity: { containers: 2, cpuMillis: 1000, memoryBytes: '1000', diskBytes: '1000' },
  });
  history.add(TenantOpened, { tenantId, homeId: tenantId, parentId: null });
  return history;
}

/** A world with one container that was ordered, runs and is paid for. */
export function oneRuns(): {
  readonly history: SampleHistory;
  readonly order: Order;
  readonly taken: Taken;
  readonly instance: Instance;
} {
  const history = emptyWorld();
  const order = history.order('one');
  const taken = history.take(order);
  history.run(order, taken);
  history.succeed(order);
  const { containerId } = order;
  const addresses = [taken.address];
  const instance = { node: 'fake-1', containerId, state: 'running', addresses } as const;
  return { history, order, taken, instance };
}

const orders = {
  provision: (name: string) => ({
    kind: 'provision',
    tenantId,
    hostname: `${name}.example.com`,
    planCode: 'small',
    imageId: deriveId('image', 'one'),
  }),
  terminate: (_name: string, containerId: string) => ({
    kind: 'terminate',
    containerId,
    reason: 'over',
  }),
  suspend: (_name: string, containerId: string) => ({
    kind: 'suspend',
    containerId,
    hold: { kind: 'abuse', reason: 'port scan' },
  }),
} as const;
