/**
 * Orders on the set of programs, by the clock as `operation.latency` makes them in one process. The
 * limit is the road alone: for each append that an order waits for, one durable append by the bare client
 * of the log, one message produced with all acknowledgements and consumed.
 */
import type { StoredEvent } from '@bivouac/events/language';
import type { EventStore } from '@bivouac/infra/event-store';
import { Closing } from '@bivouac/infra/process';

import { type BenchPart, type Figure, median, PAIRS, percentile, progress } from '../figure.ts';
import { burst, Orders, paced } from '../orders.ts';
import { BareRoad } from './bare-road.ts';
import { brokers, DEVELOPMENT_STORE, startPrograms } from './programs.ts';
import { build } from './program.ts';
import { furnishPrograms } from './furnishing.ts';

/**
 * Orders a second: a quarter of what `operation.latency` makes, since a dozen processes, the server of the
 * log and the brokers share the processors of one machine here.
 */
const PACE = 5;
/** Orders before anything is measured. */
const WARM_UP = 50;
/** Roads walked in each round. */
const WALKS = 20;

/** `kafka.operation.latency`; takes about three minutes. */
export const processLatencyBenchmarks: BenchPart = { names: ['kafka.operation.latency'], run };

async function run(): Promise<Record<string, Figure>> {
  const busUrl = await brokers();
  if (busUrl === undefined) return {};
  await build();
  const closing = new Closing();
  const figure = await closing.opening(async () => {
    const programs = await startPrograms(busUrl);
    closing.add(() => programs.close());
    const place = { installation: programs, ...(await furnishPrograms(programs)) };
    const road = await BareRoad.open(busUrl, programs.logUrl);
    closing.add(() => road.close());
    const orders = new Orders(place);
    closing.add(() => {
      orders.close();
    });
    await burst(orders, WARM_UP);
    const { operationId } = await orders.orderFor(place.seeded.customer);
    const hops = await hopsOf(programs.store, `operation-${operationId}`);
    progress(`an order waits for ${hops} appends, one after the other`);
    return latency(orders, () => road.walk(hops));
  });
  await closing.close();
  return { 'kafka.operation.latency': figure };
}

/** Values are over all rounds, so that a tail is not averaged away; the ratio is of the medians. */
async function latency(orders: Orders, walk: () => Promise<number>): Promise<Figure> {
  const all: { readonly ours: number[]; readonly limit: number[] } = { ours: [], limit: [] };
  const ratios: number[] = [];
  for (let round = 0; round < PAIRS; round++) {
    const ours = await paced(orders, PACE);
    const limit: number[] = [];
    for (let i = 0; i < WALKS; i++) limit.push(await walk());
    all.ours.push(...ours);
    all.limit.push(...limit);
    ratios.push(percentile(limit, 0.5) / percentile(ours, 0.5));
  }
  const [ours, limit] = [all.ours, all.limit].map((values) => percentile(values, 0.5).toFixed(1));
  return {
    value: percentile(all.ours, 0.99),
    unit: `ms, p99 at ${PACE} orders/s, p50 ${ours} of ${limit} (${DEVELOPMENT_STORE})`,
    limit: percentile(all.limit, 0.99),
    ratio: median(ratios),
  };
}

/**
 * How many appends one after the other led to the end of an operation. Each was caused by an event, or
 * came from a node, which was told what to do by what its stream had last.
 */
async function hopsOf(store: EventStore, stream: string): Promise<number> {
  const events = new Map<string, StoredEvent>();
  /** The event before each in its stream, of another append. */
  const before = new Map<string, StoredEvent>();
  const ends = new Map<string, StoredEvent>();
  for (let after: string | undefined; ;) {
    const page = await store.readAll({ limit: 1000, ...(after !== undefined && { after }) });
    for (const event of page.events) {
      events.set(event.id, event);
      const last = ends.get(event.stream);
      const earlier = last?.commandkey === event.commandkey ? before.get(last.id) : last;
      if (earlier !== undefined) before.set(event.id, earlier);
      ends.set(event.stream, event);
    }
    after = page.events.at(-1)?.position;
    if (page.end || after === undefined) break;
  }
  let hops = 0;
  for (let event = ends.get(stream); event !== undefined; hops++) {
    event = events.get(event.causationid) ?? before.get(event.id);
  }
  return hops;
}
