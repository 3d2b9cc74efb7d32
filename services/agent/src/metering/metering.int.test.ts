/** An agent reads counters in time and around what ends them, and reports until it was heard. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type AgentMessage, AgentMessageSchema, type UsageMessage } from '@bivouac/events/node';
import { deriveId } from '@bivouac/events/values';

import type { Driver, UsageReading } from '../driver.ts';
import { type Metering, startMetering } from './metering.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-04-10T09:00:00.000Z');
const containerId = deriveId('container', 'web');
const meterId = '00000000-0000-4000-8000-000000000001';

let folder = '';
let metering: Metering | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bivouac-metering-'));
});
afterEach(async () => {
  await metering?.stop();
  metering = undefined;
  await rm(folder, { recursive: true, force: true });
});

/** A node whose one container has used a nanosecond for each millisecond; and its clock. */
class Bench {
  at = START;
  down = false;
  /** How many were asked for, each time. */
  readonly asked: (number | 'all')[] = [];
  readonly said: string[] = [];
  readonly heard: UsageMessage[] = [];
  #sleeper: { readonly ms: number; readonly wake: () => void } | undefined;
  #waiting: (() => void)[] = [];

  readonly driver: Pick<Driver, 'usage'> = {
    usage: (containerIds) => {
      this.asked.push(containerIds?.length ?? 'all');
      this.#wake();
      if (this.down) return Promise.reject(new Error('the engine is away'));
      const counter = { epoch: '1', value: BigInt(this.at - START) };
      const reading: UsageReading = {
        ...{ containerId, generation: 1, cpuNanos: counter, receivedBytes: counter },
        ...{ sentBytes: counter, memoryBytes: 5n, memoryPeakBytes: 5n, diskBytes: 5n },
        processes: 3,
      };
      return Promise.resolve([reading]);
    },
  };

  async start(): Promise<Metering> {
    metering = await startMetering({
      driver: this.driver,
      folder,
      clock: {
        now: () => this.at,
        sleep: (ms, signal) =>
          new Promise((resolve) => {
            const wake = (): void => {
              signal?.removeEventListener('abort', wake);
              resolve();
            };
            signal?.addEventListener('abort', wake);
            this.#sleeper = { ms, wake };
            this.#wake();
          }),
      },
      everyMs: 5 * MINUTE,
      newId: () => meterId,
      log: (level, _facts, message) => {
        this.said.push(`${level} ${message}`);
      },
    });
    return metering;
  }

  /** Lets the clock go to the next sample and waits until that was taken. */
  async next(): Promise<void> {
    await this.until(() => this.#sleeper !== undefined);
    const sleeper = this.#sleeper;
    if (sleeper === undefined) return;
    this.#sleeper = undefined;
    this.at += sleeper.ms;
    sleeper.wake();
    // It sleeps again when it has taken it.
    await this.until(() => this.#sleeper !== undefined);
  }

  readonly send = (message: AgentMessage): void => {
    const parsed = AgentMessageSchema.parse(message);
    if (parsed.type === 'usage') this.heard.push(parsed);
  };

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

test('each hour is reported once it is over, on each connection until it was noted', async () => {
  const bench = new Bench();
  bench.at = START + 2 * MINUTE;
  const running = await bench.start();
  running.connected(bench.send);
  // 9:05, …, 9:55.
  for (let n = 0; n < 11; n++) await bench.next();
  expect(bench.heard).toEqual([]);
  await bench.next();
  expect(bench.heard).toHaveLength(1);
  const [report] = bench.heard;
  expect(report).toMatchObject({ meterId, hour: '2026-04-10T09:00:00.000Z', part: 0, parts: 1 });
  expect(report).toMatchObject({ samples: 13 });
  expect(report?.usage).toEqual([
    {
      containerId,
      from: '2026-04-10T09:02:00.000Z',
      to: '2026-04-10T10:00:00.000Z',
      // What was used before the first sample of all is nobody's.
      cpuNanos: { used: '3480000', first: '120000', last: '3600000', restarts: 0 },
      receivedBytes: { used: '3480000', first: '120000', last: '3600000', restarts: 0 },
      sentBytes: { used: '3480000', first: '120000', last: '3600000', restarts: 0 },
      ...{ gapSeconds: 0, memoryPeakBytes: '5', processesPeak: 3, diskBytes: '5' },
    },
  ]);

  running.disconnected();
  await bench.next();
  running.connected(bench.send);
  expect(bench.heard).toEqual([report, report]);
  // What another count of this node was noted for is not this one's.
  running.noted({ meterId: meterId.replace('1', '2'), hour: report?.hour ?? '', part: 0 });
  running.noted({ meterId, hour: report?.hour ?? '', part: 0 });
  await bench.next();
  running.connected(bench.send);
  expect(bench.heard).toHaveLength(2);
});

test('a report that was not noted comes again after a kill, the same to the byte', async () => {
  const bench = new Bench();
  const first = await bench.start();
  first.connected(bench.send);
  for (let n = 0; n < 12; n++) await bench.next();
  await first.stop();
  const second = await bench.start();
  second.connected(bench.send);
  const hours = bench.heard.map(({ hour }) => hour);
  expect(new Set(hours).size).toBe(hours.length / 2);
  const [half, other] = [
    bench.heard.slice(0, hours.length / 2),
    bench.heard.slice(hours.length / 2),
  ];
  expect(JSON.stringify(other)).toBe(JSON.stringify(half));
});

test('an engine that is away is a gap and keeps nobody', async () => {
  const bench = new Bench();
  const running = await bench.start();
  running.connected(bench.send);
  await bench.next();
  bench.down = true;
  for (let n = 0; n < 6; n++) await bench.next();
  await running.sample([containerId]);
  bench.down = false;
  for (let n = 0; n < 5; n++) await bench.next();
  const [usage] = bench.heard.at(-1)?.usage ?? [];
  expect(usage?.cpuNanos.used).toBe('3600000');
  expect(usage?.gapSeconds).toBe(35 * 60);
  expect(bench.said.filter((line) => line.startsWith('warn'))).toHaveLength(7);
});

test('damaged samples are set aside with a word, and counting begins anew', async () => {
  const bench = new Bench();
  await (await bench.start()).stop();
  const [name = ''] = await readdir(folder);
  await writeFile(join(folder, name), 'not ours\n');
  await bench.start();
  expect(bench.said).toEqual([expect.stringMatching(/^error .*set aside/)]);
  expect((await readdir(folder)).sort()).toEqual([name, `${name}.aside`]);
});

test('samples around many steps at once are one', async () => {
  const bench = new Bench();
  const running = await bench.start();
  const ids = Array.from({ length: 50 }, (_, n) => deriveId('container', `c${n}`));
  await Promise.all(ids.map((one) => running.sample([one])));
  expect(bench.asked).toEqual(['all', 50]);
  await running.sample([containerId]);
  expect(bench.asked).toEqual(['all', 50, 1]);
});

test('a clock that was far ahead and is set right does not stop the count: it begins anew', async () => {
  const bench = new Bench();
  bench.at = START + 10 * 365 * 24 * 60 * MINUTE;
  const running = await bench.start();
  bench.at = START;
  await running.sample();
  expect(bench.said).toEqual([expect.stringMatching(/^error .*set back/)]);
  running.connected(bench.send);
  for (let n = 0; n < 13; n++) await bench.next();
  expect(bench.heard.at(-1)).toMatchObject({ hour: '2026-04-10T09:00:00.000Z' });
});
