/**
 * Whole orders: from the command to the running container on the fake driver, durable, over ten
 * nodes. The limit is plain SQLite appending as many events as an order makes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { type Installation, LOCATION, seed, type Seeded, startEmbedded } from '@bivouac/all';
import { CreateCustomer } from '@bivouac/accounts/api';
import { RegisterRange } from '@bivouac/containers/api';
import { parsePosition, type Principal } from '@bivouac/events/language';
import { createLogger, readConfig, systemClock, systemPrincipal } from '@bivouac/infra/runtime';
import { Operations, StartOperation } from '@bivouac/provisioning/api';

import { benchRows } from './limits/store-rows.ts';
import { BareLog } from './limits/store-sqlite.ts';
import { type Figure, median, percentile, secondsOf } from './figure.ts';

/** Orders under way at once. */
const CONCURRENT = 64;
const WARM_UP = 300;
const ORDERS_PER_ROUND = 200;
const ROUNDS = 7;
/** Customers the orders come from, each with a tree of its own. */
const CUSTOMERS = 100;
/** Orders a second, and for how many seconds, when latency is measured. */
const PACE = 20;
const PACED_SECONDS = 15;

export interface OrderWorld {
  readonly installation: Installation;
  readonly seeded: Seeded;
  readonly customers: readonly { readonly tenantId: string; readonly homeId: string }[];
  readonly folder: string;
  close(): Promise<void>;
}

/** An embedded installation with ten fake nodes, room for every order, and nothing else to do. */
export async function orderWorld(): Promise<OrderWorld> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bivouac-bench-'));
  const installation = await startEmbedded({
    config: {
      ...readConfig({}),
      DATA_DIR: folder,
      EVENT_STORE_URL: `sqlite:${folder}`,
      NODE_URL: 'fake:?nodes=10',
    },
    clock: systemClock,
    logger: createLogger('error', process.stderr),
    onFailure: (error) => {
      console.error(error);
      process.exit(1);
    },
  });
  const { host, provider } = installation;
  const seeded = await seed(host, provider);
  const principal = systemPrincipal('system:bench', provider.tenantId, provider.homeId);
  for (const cidr of ['10.88.32.0/20', '10.88.48.0/20', '10.88.64.0/20']) {
    await host.command(
      RegisterRange,
      { cidr, location: LOCATION },
      { principal, idempotencyKey: cidr },
    );
  }
  const customers: { tenantId: string; homeId: string }[] = [];
  for (let i = 0; i < CUSTOMERS; i++) {
    const reply = await host.command(
      CreateCustomer,
      { name: `Customer ${i}`, contact: { email: `customer${i}@example.com` } },
      { principal, idempotencyKey: `customer-${i}` },
    );
    if (!reply.ok) throw new Error(reply.refusal.message);
    customers.push(reply.result);
  }
  await host.settled();
  return {
    installation,
    seeded,
    customers,
    folder,
    close: async () => {
      await installation.stop(10_000);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const ends = new Map([
  ['provisioning.OperationSucceeded', 'succeeded'],
  ['provisioning.OperationFailed', 'failed'],
  ['provisioning.AttentionNeeded', 'needs-attention'],
]);

/** Orders containers and hears from the log when each operation has ended. */
export class Orders {
  readonly #world: OrderWorld;
  readonly #principal: Principal;
  readonly #waiting = new Map<string, (status: string) => void>();
  readonly #ended = new Map<string, string>();
  readonly #stop = new AbortController();
  #next = 0;

  constructor(world: OrderWorld) {
    this.#world = world;
    const { tenantId, homeId } = world.seeded.customer;
    this.#principal = systemPrincipal('system:bench', tenantId, homeId);
    void this.#listen();
  }

  /** One order; resolves with the milliseconds until it had ended well. */
  async order(): Promise<number> {
    const { installation, seeded, customers } = this.#world;
    const number = this.#next++;
    const { tenantId, homeId } = customers[number % customers.length] ?? seeded.customer;
    const began = performance.now();
    const reply = await installation.host.command(
      StartOperation,
      {
        tenantId,
        homeId,
        order: {
          kind: 'provision',
          tenantId,
          hostname: `c${number}.example.com`,
          planCode: '1000',
          imageId: seeded.imageId,
        },
      },
      { principal: this.#principal, idempotencyKey: `order-${number}` },
    );
    if (!reply.ok) throw new Error(reply.refusal.message);
    const stream = `operation-${reply.result.operationId}`;
    const status =
      this.#ended.get(stream) ??
      (await new Promise<string>((resolve) => {
        this.#waiting.set(stream, resolve);
      }));
    this.#ended.delete(stream);
    if (status !== 'succeeded') throw new Error(`an order ended as ${status}`);
    return performance.now() - began;
  }

  close(): void {
    this.#stop.abort();
  }

  async #listen(): Promise<void> {
    for await (const message of this.#world.installation.store.subscribe({
      signal: this.#stop.signal,
    })) {
      if (message.kind !== 'events') continue;
      for (const event of message.events) {
        const status = ends.get(event.type);
        if (status === undefined) continue;
        const resolve = this.#waiting.get(event.stream);
        this.#waiting.delete(event.stream);
        if (resolve === undefined) this.#ended.set(event.stream, status);
        else resolve(status);
      }
    }
  }
}

/** `operation.throughput` and `operation.latency`. */
export async function orderBenchmarks(): Promise<Record<string, Figure>> {
  const world = await orderWorld();
  const orders = new Orders(world);
  const bare = new BareLog(world.folder);
  try {
    await burst(orders, WARM_UP);
    const { store } = world.installation;
    const position = async (): Promise<bigint> =>
      parsePosition((await store.head()).position ?? '0'.repeat(20));
    const before = await position();
    await burst(orders, ORDERS_PER_ROUND);
    const eventsPerOrder = Math.ceil(Number((await position()) - before) / ORDERS_PER_ROUND);

    const ours: number[] = [];
    const limits: number[] = [];
    const rows = benchRows('orders');
    for (let round = 0; round < ROUNDS; round++) {
      ours.push(ORDERS_PER_ROUND / (await secondsOf(() => burst(orders, ORDERS_PER_ROUND))));
      const work = Array.from({ length: ORDERS_PER_ROUND }, () =>
        Array.from({ length: eventsPerOrder }, () => rows.next().value),
      );
      limits.push(
        ORDERS_PER_ROUND /
          (await secondsOf(() => {
            for (const order of work) bare.append(order);
            return Promise.resolve();
          })),
      );
    }
    const latencies = await paced(orders);
    const single: number[] = [];
    for (let i = 0; i < 200; i++)
      single.push(
        1000 * (await secondsOf(() => Promise.resolve(bare.append([rows.next().value])))),
      );
    const p99 = percentile(latencies, 0.99);
    const bareP99 = percentile(single, 0.99);
    return {
      'operation.throughput': {
        value: median(ours),
        unit: 'orders/s',
        limit: median(limits),
        ratio: median(ours.map((value, i) => value / (limits[i] ?? 1))),
      },
      'operation.latency': {
        value: p99,
        unit: 'ms p99 at 20/s',
        limit: bareP99,
        ratio: p99 / bareP99,
      },
      'operation.events': {
        value: eventsPerOrder,
        unit: 'events/order',
        limit: 1,
        ratio: eventsPerOrder,
      },
    };
  } finally {
    orders.close();
    bare.close();
    await world.close();
  }
}

async function burst(orders: Orders, count: number): Promise<void> {
  let left = count;
  await Promise.all(
    Array.from({ length: CONCURRENT }, async () => {
      while (left-- > 0) await orders.order();
    }),
  );
}

/** Orders come by the clock, not when the last one is done: a slow system cannot slow them down. */
async function paced(orders: Orders): Promise<number[]> {
  const under: Promise<number>[] = [];
  const began = performance.now();
  for (let i = 0; i < PACE * PACED_SECONDS; i++) {
    const due = began + (i * 1000) / PACE;
    const wait = due - performance.now();
    if (wait > 0) await systemClock.sleep(wait);
    under.push(orders.order());
  }
  return Promise.all(under);
}
