/**
 * The world of a run before anything happens: customers with tight limits, plans, an image, addresses,
 * nodes. It is made once by the services themselves; runs begin with its log.
 */
import { PROVIDER_ID } from '@bivouac/events/accounts';
import { RegisterNode } from '@bivouac/containers/api';
import type { StoredEvent } from '@bivouac/events/language';
import { LOCATION } from '@bivouac/all';
import { Draws } from '@bivouac/all/draws';
import { allServices } from '@bivouac/all/services';
import { embeddedBus } from '@bivouac/infra/bus';
import { type EventStore, memoryEventStore } from '@bivouac/infra/event-store';
import { memoryKeys } from '@bivouac/infra/keys';
import {
  createLogger,
  type EdgePorts,
  ManualClock,
  startHost,
  systemPrincipal,
} from '@bivouac/infra/runtime';
import { memoryViews } from '@bivouac/infra/views';

import { memoryBlobs } from '../../../infra/blobs/memory.ts';
import { Publisher } from '../../../infra/bus/kafka/publisher.ts';
import { RelayCheckpoint } from '../../../infra/bus/kafka/relay-checkpoint.ts';
import { Relay } from '../../../infra/bus/kafka/relay.ts';
import { memorySecrets } from '../../../infra/secrets/memory.ts';
import type { World } from '../orders/messages.ts';
import type { CustomerSettings } from '../orders/settings.ts';
import { makeWorld } from '../orders/world.ts';
import { TOPIC } from './broker.ts';
import { machineOf } from './chance.ts';

/** The instant at which every run begins. */
export const BEGIN = Date.parse('2026-04-10T09:00:00.000Z');
export const EPOCH = '00000000-0000-4000-8000-000000000001';
/** Of the simulated cluster. */
export const CLUSTER = 'simulated';
/** Worlds that there are. */
const WORLDS = 12;
const GIB = 1024n ** 3n;

export const silent = createLogger('silent', process.stderr);

/** A node of the world, as its engine has it. */
export interface WorldNode {
  readonly nodeId: string;
  readonly name: string;
  readonly memoryBytes: bigint;
  readonly diskBytes: bigint;
}

export interface MadeWorld {
  readonly world: World;
  readonly nodes: readonly WorldNode[];
  readonly log: readonly StoredEvent[];
}

const made = new Map<number, Promise<MadeWorld>>();

/** The world of a seed, made where nobody has asked for it yet. Depends on nothing but the seed. */
export function worldOf(seed: number): Promise<MadeWorld> {
  const variant = seed % WORLDS;
  const known = made.get(variant);
  if (known !== undefined) return known;
  const making = make(variant);
  made.set(variant, making);
  return making;
}

/** Ports whose keys are the same in every run. */
export function edgePorts(random: (bytes: number) => Uint8Array): EdgePorts {
  return {
    keys: memoryKeys({ master: Buffer.alloc(32, 7) }),
    secrets: memorySecrets(),
    blobs: memoryBlobs(),
    random,
  };
}

async function make(variant: number): Promise<MadeWorld> {
  machineOf(variant, () => BEGIN);
  const draws = new Draws(variant, 'world');
  const store = memoryEventStore({ epoch: EPOCH });
  const clock = new ManualClock(BEGIN);
  const bus = embeddedBus({ store, clock });
  const failed = (error: unknown): never => {
    throw error instanceof Error ? error : new Error(String(error));
  };
  const provider = { tenantId: PROVIDER_ID, homeId: PROVIDER_ID };
  const host = await startHost({
    services: allServices,
    ...{ store, bus, clock, logger: silent, onFailure: failed },
    ports: edgePorts((size) => Buffer.alloc(size, 1)),
    providerId: () => PROVIDER_ID,
    views: () => memoryViews(),
  });
  for (const { startup } of allServices)
    await startup?.started?.(host, { providerName: 'Bivouac' });
  const world = await makeWorld(host, store, provider, {
    customers: customersOf(draws),
    ranges: [{ cidr: '10.77.0.0/29', coolDownSeconds: draws.chance(0.3) ? 30 : 0 }],
  });
  const nodes: WorldNode[] = [];
  const count = draws.between(1, 2);
  for (let n = 1; n <= count; n++) {
    const name = `fake-${n}`;
    const memoryBytes = BigInt(draws.between(2, 5)) * GIB;
    const diskBytes = 60n * GIB;
    const capacity = { containers: 4096, cpuMillis: 1_024_000 };
    const reply = await host.command(
      RegisterNode,
      {
        ...{ name, location: LOCATION, engine: 'fake', features: [] },
        capacity: {
          ...capacity,
          memoryBytes: memoryBytes.toString(),
          diskBytes: diskBytes.toString(),
        },
      },
      {
        principal: systemPrincipal('system:nodes', provider.tenantId, provider.homeId),
        idempotencyKey: `node ${name}`,
      },
    );
    if (!reply.ok) throw new Error(reply.refusal.message);
    nodes.push({ nodeId: reply.result.nodeId, name, memoryBytes, diskBytes });
  }
  await host.settled();
  await host.stop(1000);
  await bus.close();
  await published(store);
  const { events: log } = await store.readAll({ limit: 10_000 });
  return { world, nodes, log };
}

function customersOf(draws: Draws): CustomerSettings[] {
  return Array.from({ length: draws.between(1, 2) }, (_, n) => ({
    name: `Customer ${n + 1}`,
    containers: draws.between(1, 3),
    addresses: draws.between(2, 5),
    memoryGiB: draws.between(1, 4),
    below: draws.chance(0.5),
  }));
}

/** A relay has published all that there is, and has written that down. */
async function published(store: EventStore): Promise<void> {
  const network = new ManualClock(0);
  const publisher = new Publisher({
    kafka: {
      producer: () => ({
        connect: () => Promise.resolve(),
        disconnect: () => Promise.resolve(),
        send: () => Promise.resolve([]),
      }),
    },
    topic: TOPIC,
    ensureTopic: () => Promise.resolve(),
    ...{ network, logger: silent },
    random: () => 0.5,
  });
  await publisher.open();
  const { position } = await store.head();
  const clock = new ManualClock(BEGIN);
  const of = { clusterId: CLUSTER, topic: TOPIC, tenantId: PROVIDER_ID };
  const relay = await Relay.start({
    ...{ store, publisher, network, logger: silent, epoch: EPOCH },
    checkpoint: new RelayCheckpoint({ ...of, store, clock }),
    onFailure: (error) => {
      throw error instanceof Error ? error : new Error(String(error));
    },
  });
  while (relay.head !== position) await new Promise((resolve) => setImmediate(resolve));
  await relay.stop();
}
