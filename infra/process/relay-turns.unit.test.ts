// Relays that take turns by a cache which may vanish: whatever dies and whatever is away, what is in the log
// is published while one of them lives, in order, and none publishes beside another for long.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { StoredEvent } from '@bivouac/events/language';

import { RelayCheckpoint } from '../bus/kafka/relay-checkpoint.ts';
import { RelayWatch, STALLED } from '../bus/kafka/relay-watch.ts';
import { Relay } from '../bus/kafka/relay.ts';
import { topicOf } from '../bus/kafka/topic.ts';
import { type Cache, memoryCache } from '../cache/index.ts';
import { readWholeLog, sampleEvent } from '../event-store/contract/samples.ts';
import { memoryEventStore } from '../event-store/memory.ts';
import { ManualClock } from '../runtime/index.ts';
import { Turns } from './turns.ts';

const TENANT = 'ten_01jr8g5x7qe9z8r4m2n6t0v3w5';
const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A log, a cache and a topic; processes come and go. */
class Installation {
  readonly clock = new ManualClock(1_000_000);
  readonly log = memoryEventStore();
  /** Ids that the topic has acknowledged, as they came. */
  readonly topic: string[] = [];
  cache: Cache = memoryCache({ clock: this.clock });
  cacheAway = false;
  busAway = false;
  readonly alive: Process[] = [];
  written = 0;

  async write(): Promise<void> {
    const stream = `pool-${this.written % 3}`;
    const page = await this.log.readStream(stream, { direction: 'backwards', limit: 1 });
    const expected = page.exists ? page.head : 'no-stream';
    await this.log.append(stream, expected, [sampleEvent(`written ${this.written}`)]);
    this.written += 1;
  }

  async start(): Promise<void> {
    const process = new Process(this);
    this.alive.push(process);
    await process.start();
  }

  /** Without a word: nothing of it happens any more. */
  kill(n: number): void {
    this.alive.splice(n % Math.max(1, this.alive.length), 1)[0]?.die();
  }

  /** Lets time pass, each tenth of a second with all that follows from it. */
  async pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds * 10; i++) {
      this.clock.advance(100);
      for (let turn = 0; turn < 60; turn++) await Promise.resolve();
    }
  }

  /** What should be on the topic. */
  async published(): Promise<StoredEvent[]> {
    return (await readWholeLog(this.log)).filter((e) => e.stream.startsWith('pool-'));
  }
}

class Process {
  readonly #at: Installation;
  #dead = false;
  #turns: Turns | undefined;

  constructor(at: Installation) {
    this.#at = at;
  }

  get active(): boolean {
    return this.#turns?.active === true;
  }

  die(): void {
    this.#dead = true;
  }

  async start(): Promise<void> {
    const { log, clock } = this.#at;
    const { epoch } = await log.head();
    const topic = topicOf(epoch);
    const network = { now: () => clock.now(), sleep: this.#living(clock.sleep.bind(clock)) };
    const cache = (): Promise<Cache> =>
      this.#at.cacheAway
        ? Promise.reject(new Error('ECONNREFUSED'))
        : Promise.resolve(this.#at.cache);
    const watch = new RelayWatch({ store: log, topic, network });
    const onFailure = (): void => this.#restart();
    const begin = async (): Promise<Relay> => {
      if (this.#at.busAway) throw new Error('no broker');
      return Relay.start({
        ...{ store: log, epoch, network, logger: quiet, onFailure },
        publisher: {
          publish: this.#living((messages) => {
            for (const { headers } of messages) {
              if (headers['ce_streamid'] !== undefined) this.#at.topic.push(headers['ce_id'] ?? '');
            }
            return Promise.resolve(true);
          }),
          close: () => Promise.resolve(),
        },
        checkpoint: new RelayCheckpoint({
          ...{ clusterId: 'cluster', topic, store: this.#store(), clock, tenantId: TENANT },
        }),
      });
    };
    try {
      this.#turns = await Turns.start({
        name: 'relay',
        logger: quiet,
        ...{ network, begin, onFailure },
        cache: {
          lease: this.#living(async (...args) => (await cache()).lease(...args)),
          release: this.#living(async (...args) => (await cache()).release(...args)),
        },
        stalled: this.#living(() => watch.stalled()),
        random: (limit) => (limit * ((this.#at.alive.indexOf(this) * 3 + 1) % 7)) / 7,
      });
    } catch {
      this.#restart();
    }
  }

  /** The log as it is while this one lives: a dead one writes no checkpoint. */
  #store() {
    const { log } = this.#at;
    return { readStream: log.readStream.bind(log), append: this.#living(log.append.bind(log)) };
  }

  /** What never comes to pass once it is dead. */
  #living<A extends readonly unknown[], T>(
    does: (...args: A) => Promise<T>,
  ): (...args: A) => Promise<T> {
    return async (...args) => {
      if (this.#dead) return new Promise<T>(() => undefined);
      const result = await does(...args);
      return this.#dead ? new Promise<T>(() => undefined) : result;
    };
  }

  /** It ends, as a process does that has failed, and is started again after a second. */
  #restart(): void {
    if (this.#dead) return;
    this.#dead = true;
    const { alive, clock } = this.#at;
    const n = alive.indexOf(this);
    if (n >= 0) alive.splice(n, 1);
    void clock.sleep(1000).then(() => this.#at.start());
  }
}

/** Everything is on the topic, the first of each in the order of the log. */
async function expectPublished(at: Installation): Promise<void> {
  const first = [...new Set(at.topic)];
  expect(first).toEqual((await at.published()).map((e) => e.id));
}

test('a relay that waits takes over while the cache is away, when the other one has died and something waits', async () => {
  const at = new Installation();
  await at.start();
  await at.start();
  await at.write();
  await at.pass(10);
  at.cacheAway = true;
  await at.pass(60);
  // Nothing waits, and the one that publishes does it: nobody takes over.
  expect(at.alive.map(({ active }) => active)).toEqual([true, false]);
  at.kill(0);
  await at.pass(60);
  expect(at.alive.map(({ active }) => active)).toEqual([false]);
  await at.write();
  await at.pass(STALLED / 1000 + 15);
  expect(at.alive.map(({ active }) => active)).toEqual([true]);
  await expectPublished(at);
});

test('an event that died with its relay is published by the one that waited, though nothing follows it', async () => {
  const at = new Installation();
  await at.start();
  await at.start();
  await at.write();
  await at.pass(10);
  at.kill(0);
  at.cacheAway = true;
  await at.write();
  await at.pass(STALLED / 1000 + 15);
  await expectPublished(at);
});

test('while the bus is away too it waits, and takes over when it is there', async () => {
  const at = new Installation();
  await at.start();
  await at.start();
  await at.pass(5);
  at.cacheAway = true;
  at.busAway = true;
  at.kill(0);
  await at.write();
  await at.pass(90);
  expect(at.alive.map(({ active }) => active)).toEqual([false]);
  at.busAway = false;
  await at.pass(30);
  await expectPublished(at);
});

const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant('write' as const) },
  { weight: 4, arbitrary: fc.nat(20) },
  { weight: 2, arbitrary: fc.constant('start' as const) },
  { weight: 1, arbitrary: fc.constant('kill one' as const) },
  { weight: 3, arbitrary: fc.constant('kill who publishes' as const) },
  { weight: 3, arbitrary: fc.constant('cache goes' as const) },
  { weight: 1, arbitrary: fc.constant('cache comes' as const) },
  { weight: 1, arbitrary: fc.constant('cache is flushed' as const) },
);

test('law: whatever dies, while one lives everything is published in order; with a cache, by one', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.nat(), async (steps, seed) => {
      const at = new Installation();
      for (let i = 0; i < 3; i++) await at.start();
      for (const [i, does] of steps.entries()) {
        if (typeof does === 'number') await at.pass(does);
        else if (does === 'write') await at.write();
        else if (does === 'start' && at.alive.length < 4) await at.start();
        else if (does === 'kill one') at.kill(seed + i);
        else if (does === 'kill who publishes') {
          const n = at.alive.findIndex(({ active }) => active);
          // Or there would often be nobody left who had waited.
          if (n >= 0 && at.alive.length > 1) at.kill(n);
        } else if (does === 'cache goes') at.cacheAway = true;
        else if (does === 'cache comes') at.cacheAway = false;
        else if (does === 'cache is flushed') at.cache = memoryCache({ clock: at.clock });
      }
      // The rest is said of an installation where one lives; the cache is as it was left.
      if (at.alive.length === 0) await at.start();
      await at.write();
      await at.pass(60);
      await expectPublished(at);
      at.cacheAway = false;
      await at.pass(30);
      expect(at.alive.filter(({ active }) => active)).toHaveLength(1);
    }),
    { numRuns: 60 },
  );
}, 180_000);
