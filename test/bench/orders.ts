/**
 * Whole orders: from the command to the running container on the fake driver, durable, over ten
 * nodes. The limit is plain SQLite appending as many events as an order makes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import {
  type EmbeddedInstallation,
  LOCATION,
  seed,
  type Seeded,
  startEmbedded,
} from '@bivouac/all';
import { CreateCustomer } from '@bivouac/accounts/api';
import { RegisterRange } from '@bivouac/containers/api';
import { parsePosition, type Principal, type ServiceCaller } from '@bivouac/events/language';
import type { EventStore } from '@bivouac/infra/event-store';
import {
  type Config,
  createLogger,
  readConfig,
  systemClock,
  systemPrincipal,
} from '@bivouac/infra/runtime';
import { StartOperation } from '@bivouac/provisioning/api';

import { type BenchRow, benchRows } from './limits/store-rows.ts';
import { BareLog } from './limits/store-sqlite.ts';
import {
  type BenchPart,
  type Figure,
  median,
  PAIRS,
  pairsOf,
  percentile,
  progress,
  secondsOf,
} from './figure.ts';

/** Orders under way at once. */
const CONCURRENT = 64;
const WARM_UP = 300;
const ORDERS_PER_ROUND = 200;
/** Customers the orders come from, each with a tree of its own. */
const CUSTOMERS = 100;
/** Orders a second, and for how many seconds of a round, when latency is measured. */
const PACE = 20;
const PACED_SECONDS = 5;

/** What orders are made of: a catalog, room for every order, customers with a tree each. */
export interface Furnished {
  readonly seeded: Seeded;
  readonly customers: readonly { readonly tenantId: string; readonly homeId: string }[];
}

/** Where orders are made, whatever runs it. */
export interface OrderPlace extends Furnished {
  readonly installation: { readonly host: ServiceCaller; readonly store: EventStore };
}

export interface OrderWorld extends OrderPlace {
  readonly installation: EmbeddedInstallation;
  readonly folder: string;
  /** Stops; its data stay where they are. */
  stop(): Promise<void>;
  /** Stops and deletes its data. */
  close(): Promise<void>;
}

/** Ten fake nodes and everything embedded in one folder. */
export function configOf(folder: string): Config {
  return {
    ...readConfig({}),
    DATA_DIR: folder,
    EVENT_STORE_URL: `sqlite:${folder}`,
    NODE_URL: 'fake:?nodes=10',
    // One account asks for everything: its bucket is counted all the same, and never empty.
    COST_CAPACITY: 1_000_000_000,
    COST_PER_SECOND: 1_000_000_000,
  };
}

/** An embedded installation with ten fake nodes, room for every order, and nothing else to do. */
export async function orderWorld(): Promise<OrderWorld> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bivouac-bench-'));
  const installation = await startEmbedded({
    config: configOf(folder),
    clock: systemClock,
    logger: createLogger('error', process.stderr),
    onFailure: (error) => {
      console.error(error);
      process.exit(1);
    },
  });
  const furnished = await furnish(installation.host, installation.provider);
  return {
    installation,
    ...furnished,
    folder,
    stop: () => installation.stop(10_000),
    close: async () => {
      await installation.stop(10_000);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Fills what is empty, and waits until it has come to rest. */
export async function furnish(
  host: Parameters<typeof seed>[0],
  provider: Seeded['provider'],
): Promise<Furnished> {
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
  return { seeded, customers };
}

const ends = new Map([
  ['provisioning.OperationSucceeded', 'succeeded'],
  ['provisioning.OperationFailed', 'failed'],
  ['provisioning.AttentionNeeded', 'needs-attention'],
]);

/** Orders containers and hears from the log when each operation has ended. */
export class Orders {
  readonly #world: OrderPlace;
  readonly #principal: Principal;
  readonly #waiting = new Map<string, (status: string) => void>();
  readonly #ended = new Map<string, string>();
  readonly #stop = new AbortController();
  #next = 0;

  constructor(world: OrderPlace) {
    this.#world = world;
    const { tenantId, homeId } = world.seeded.customer;
    this.#principal = systemPrincipal('system:bench', tenantId, homeId);
    void this.#listen();
  }

  /** One order; resolves with the milliseconds until it had ended well. */
  async order(): Promise<number> {
    const { seeded, customers } = this.#world;
    const customer = customers[this.#next % customers.length] ?? seeded.customer;
    return (await this.orderFor(customer)).milliseconds;
  }

  /** One order of a customer; resolves when it has ended well. */
  async orderFor(customer: { readonly tenantId: string; readonly homeId: string }): Promise<{
    readonly operationId: string;
    readonly milliseconds: number;
  }> {
    const { installation, seeded } = this.#world;
    const { tenantId, homeId } = customer;
    const number = this.#next++;
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
    return { operationId: reply.result.operationId, milliseconds: performance.now() - began };
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

/** `operation.throughput` and `operation.latency`; takes about two minutes. */
export const orderBenchmarks: BenchPart = {
  names: ['operation.throughput', 'operation.latency'],
  run,
};

async function run(): Promise<Record<string, Figure>> {
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
    progress(`an order makes ${eventsPerOrder} events`);
    const rows = benchRows('orders');
    return {
      'operation.throughput': await throughput(orders, bare, rows, eventsPerOrder),
      'operation.latency': await latency(orders, bare, rows),
    };
  } finally {
    orders.close();
    bare.close();
    await world.close();
  }
}

/** The limit appends the events of one order after the other, each order's in one transaction. */
function throughput(
  orders: Orders,
  bare: BareLog,
  rows: Iterator<BenchRow, never>,
  eventsPerOrder: number,
): Promise<Figure> {
  return pairsOf(
    'orders/s',
    async () => ORDERS_PER_ROUND / (await secondsOf(() => burst(orders, ORDERS_PER_ROUND))),
    async () => {
      const work = Array.from({ length: ORDERS_PER_ROUND }, () =>
        Array.from({ length: eventsPerOrder }, () => rows.next().value),
      );
      const seconds = await secondsOf(() => {
        for (const order of work) bare.append(order);
        return Promise.resolve();
      });
      return ORDERS_PER_ROUND / seconds;
    },
  );
}

/** The limit is one durable append. Values are over all rounds, so that a tail is not averaged away. */
async function latency(
  orders: Orders,
  bare: BareLog,
  rows: Iterator<BenchRow, never>,
): Promise<Figure> {
  const all: { readonly ours: number[]; readonly limit: number[] } = { ours: [], limit: [] };
  const ratios: number[] = [];
  for (let round = 0; round < PAIRS; round++) {
    const ours = await paced(orders);
    const limit: number[] = [];
    for (let i = 0; i < ours.length; i++) {
      const row = rows.next().value;
      limit.push(1000 * (await secondsOf(() => Promise.resolve(bare.append([row])))));
    }
    all.ours.push(...ours);
    all.limit.push(...limit);
    ratios.push(percentile(limit, 0.99) / percentile(ours, 0.99));
  }
  return {
    value: percentile(all.ours, 0.99),
    unit: `ms, p99 at ${PACE} orders/s`,
    limit: percentile(all.limit, 0.99),
    ratio: median(ratios),
  };
}

/** So many orders, {@link CONCURRENT} of them under way at once. */
export async function burst(orders: Orders, count: number): Promise<void> {
  let left = count;
  await Promise.all(
    Array.from({ length: CONCURRENT }, async () => {
      while (left-- > 0) await orders.order();
    }),
  );
}

/** Milliseconds after the last order in which all must have ended: one that is lost must not hang the bench. */
const LAST_PATIENCE = 120_000;

/** Orders come by the clock, not when the last one is done: a slow system cannot slow them down. */
export async function paced(orders: Orders, pace = PACE): Promise<number[]> {
  const under: Promise<number>[] = [];
  const began = performance.now();
  for (let i = 0; i < pace * PACED_SECONDS; i++) {
    const due = began + (i * 1000) / pace;
    const wait = due - performance.now();
    if (wait > 0) await systemClock.sleep(wait);
    under.push(orders.order());
  }
  const over = new AbortController();
  const ended = await Promise.race([
    Promise.all(under),
    systemClock.sleep(LAST_PATIENCE, over.signal).then(() => undefined),
  ]);
  over.abort();
  if (ended === undefined) throw new Error(`an order has not ended in ${LAST_PATIENCE} ms`);
  return ended;
}
