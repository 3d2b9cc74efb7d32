// News that one process hears and tells the others: nothing is left out without being said, whatever
// becomes of the cache or of who tells.
import { expect, test } from '@jest/globals';
import { formatPosition, type Position, type StoredEvent } from '@bivouac/events/language';

import type { Bus, ConsumerOptions } from '../bus/port.ts';
import { type Cache, memoryCache } from '../cache/index.ts';
import { sampleEvent } from '../event-store/contract/samples.ts';
import { ManualClock } from '../runtime/index.ts';
import { listenTogether, type SharedNews } from './shared-news.ts';

const at = (n: number): Position => formatPosition(BigInt(n));

/** A bus that many groups may listen to, each given what happens from then on. */
class Wire {
  readonly groups = new Set<ConsumerOptions>();
  last = 0;

  readonly bus: Bus = {
    consume: async (options) => {
      this.groups.add(options);
      return {
        ask: () => undefined,
        stop: async () => {
          this.groups.delete(options);
        },
      };
    },
    close: () => Promise.resolve(),
  };

  async happen(): Promise<Position> {
    const n = ++this.last;
    const event: StoredEvent = {
      ...sampleEvent(`event ${n}`),
      ...{ stream: `thing-${n}`, revision: 0n, position: at(n), epoch: 'one' },
    };
    const prev = n === 1 ? null : at(n - 1);
    for (const group of this.groups) await group.deliver(0, [{ kind: 'event', event, prev }]);
    return event.position;
  }

  async mark(): Promise<void> {
    const head = this.last === 0 ? null : at(this.last);
    for (const group of this.groups) await group.deliver(0, [{ kind: 'marker', prev: head, head }]);
  }
}

function setUp() {
  const network = new ManualClock(1_000_000);
  const engine = memoryCache({ clock: network });
  const wire = new Wire();
  let away = false;
  let losing = false;
  const gone = (): Promise<never> => Promise.reject(new Error('ECONNREFUSED'));
  const cache: Pick<Cache, 'lease' | 'release' | 'publish' | 'subscribe'> = {
    lease: (...args) => (away ? gone() : engine.lease(...args)),
    release: (...args) => (away ? gone() : engine.release(...args)),
    subscribe: (...args) => (away ? gone() : engine.subscribe(...args)),
    publish: (...args) => (away || losing ? gone() : engine.publish(...args)),
  };
  const failures: unknown[] = [];
  const start = async () => {
    const told = new Set<Position>();
    const missed: (Position | undefined)[] = [];
    const news = await listenTogether({
      ...{ bus: wire.bus, cache, name: 'test', network },
      head: async () => (wire.last === 0 ? null : at(wire.last)),
      onEvents: (events) => {
        for (const { position } of events) told.add(position);
      },
      onMissed: (upTo) => missed.push(upTo),
      onFailure: (error) => failures.push(error),
      logger: { info: () => undefined, warn: () => undefined },
    });
    return { news, told, missed };
  };
  const pass = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds * 10; i++) {
      network.advance(100);
      if (i % 10 === 0) await wire.mark();
      for (let turn = 0; turn < 30; turn++) await Promise.resolve();
    }
  };
  return {
    ...{ engine, wire, failures, start, pass },
    setAway: (to: boolean) => {
      away = to;
    },
    setLosing: (to: boolean) => {
      losing = to;
    },
  };
}

async function stopAll(...all: readonly { readonly news: SharedNews }[]): Promise<void> {
  for (const { news } of all) await news.stop();
}

test('of three processes one listens to the bus, and all are told', async () => {
  const { wire, start, pass, failures } = setUp();
  const all = [await start(), await start(), await start()];
  expect(wire.groups.size).toBe(3);
  await pass(5);
  expect([wire.groups.size, all.filter(({ news }) => news.tells).length]).toEqual([1, 1]);
  const happened = [await wire.happen(), await wire.happen()];
  await pass(0.1);
  for (const { told } of all) expect([...told]).toEqual(happened);
  await stopAll(...all);
  expect([wire.groups.size, failures]).toEqual([0, []]);
});

test('when who tells stops, nobody misses anything without being told, and another one tells', async () => {
  const { wire, start, pass } = setUp();
  const all = [await start(), await start(), await start()];
  await pass(5);
  const teller = all.find(({ news }) => news.tells);
  const others = all.filter((one) => one !== teller);
  for (const { missed } of others) missed.length = 0;
  await teller?.news.stop();
  const lost = await wire.happen();
  await pass(3);
  for (const { told, missed } of others) {
    expect(told.has(lost)).toBe(false);
    expect(missed).toContain(undefined);
  }
  await pass(20);
  expect(wire.groups.size).toBe(1);
  const next = await wire.happen();
  await pass(0.1);
  for (const { told } of others) expect(told.has(next)).toBe(true);
  await stopAll(...others);
});

test('while the cache is away each listens to the bus', async () => {
  const { wire, start, pass, setAway } = setUp();
  const all = [await start(), await start()];
  await pass(5);
  expect(wire.groups.size).toBe(1);
  setAway(true);
  await pass(3);
  expect(wire.groups.size).toBe(2);
  const happened = await wire.happen();
  for (const { told } of all) expect(told.has(happened)).toBe(true);
  setAway(false);
  await pass(20);
  expect(wire.groups.size).toBe(1);
  await stopAll(...all);
});

test('processes that start while the cache is away hear everything from the bus', async () => {
  const { wire, start, pass, setAway } = setUp();
  setAway(true);
  const all = [await start(), await start()];
  await pass(5);
  const happened = await wire.happen();
  for (const { told } of all) expect(told.has(happened)).toBe(true);
  expect(wire.groups.size).toBe(2);
  setAway(false);
  await pass(20);
  expect(wire.groups.size).toBe(1);
  await stopAll(...all);
});

test('a message that is lost on the way is said to be missed', async () => {
  const { wire, start, pass, setLosing } = setUp();
  const all = [await start(), await start()];
  await pass(5);
  const other = all.find(({ news }) => !news.tells);
  if (other === undefined) throw new Error('both tell');
  other.missed.length = 0;
  setLosing(true);
  const lost = await wire.happen();
  await pass(0.1);
  setLosing(false);
  expect([other.told.has(lost), other.missed]).toEqual([false, []]);
  await pass(1);
  expect(other.missed).toContain(undefined);
  expect(wire.groups.size).toBe(1);
  await stopAll(...all);
});

test('what the bus has lost is said to all, and what is no news of ours is left out', async () => {
  const { wire, engine, start, pass } = setUp();
  const all = [await start(), await start()];
  await pass(5);
  for (const { missed } of all) missed.length = 0;
  wire.last = 10;
  await wire.happen();
  await pass(0.1);
  for (const { missed } of all) expect(missed).toEqual([at(10)]);
  for (const text of ['', '{}', '[1]', '{"from":"x","n":-1,"told":[]}']) {
    await engine.publish('news of test', text);
  }
  await pass(0.1);
  for (const { missed } of all) expect(missed).toEqual([at(10)]);
  await stopAll(...all);
});
