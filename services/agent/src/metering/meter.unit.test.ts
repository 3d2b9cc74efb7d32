/** Whatever restarts, is lost or comes twice: sums are what was counted, never less than nothing. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { Counter, UsageReading } from '../driver.ts';
import { emptyMeter, finalHours, type HourUse, type MeterState, takeSample } from './meter.ts';
import { restoredState, storedState } from './state.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const START = Date.parse('2026-04-10T09:00:00.000Z');
const SPACING = 5 * MINUTE;

/** A container whose counters tell what it did since its last start; `truth` is all it ever did. */
class Container {
  readonly id: string;
  boot = 0;
  /** This run was read at least once. */
  seen = false;
  running = false;
  count = 0n;
  /** Counted in this run and not read yet, and for how long it ran since it was read. */
  unread = 0n;
  unreadMs = 0;
  truth = 0n;
  lost = 0n;
  /** Lost, and a later sample could tell. */
  lostMs = 0;
  missedMs = 0;
  /** What it had used when anything was sampled first. */
  before = 0n;

  constructor(id: string) {
    this.id = id;
  }

  run(ms: number, perMs: number): void {
    if (!this.running) return;
    const used = BigInt(ms * perMs);
    this.count += used;
    this.truth += used;
    this.unread += used;
    this.unreadMs += ms;
  }

  stop(): void {
    if (!this.running) return;
    this.running = false;
    this.lost += this.unread;
    // A run that nobody has seen the beginning nor the middle of leaves no trace.
    if (this.seen) this.missedMs += this.unreadMs;
    this.seen = false;
    this.unread = 0n;
    this.unreadMs = 0;
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    this.boot += 1;
    this.count = 0n;
  }

  read(): void {
    this.unread = 0n;
    this.unreadMs = 0;
    this.lostMs += this.missedMs;
    this.missedMs = 0;
    this.seen = this.running;
  }

  reading(): UsageReading {
    const counter: Counter | null = this.running
      ? { epoch: String(this.boot), value: this.count }
      : null;
    return {
      containerId: this.id,
      generation: 1,
      cpuNanos: counter,
      receivedBytes: counter,
      sentBytes: null,
      memoryBytes: 1n,
      memoryPeakBytes: 1n,
      diskBytes: 5n,
      processes: 1,
    };
  }
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ pass: fc.integer({ min: 1, max: 40 * MINUTE }), perMs: fc.nat(9) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ pass: fc.integer({ min: 1, max: 30 * HOUR }), perMs: fc.nat(9) }),
  },
  { weight: 8, arbitrary: fc.constant('sample' as const) },
  { weight: 2, arbitrary: fc.constant('twice' as const) },
  { weight: 1, arbitrary: fc.constant('clock set back' as const) },
  { weight: 2, arbitrary: fc.constant('agent restarts' as const) },
  {
    weight: 5,
    arbitrary: fc.record({
      container: fc.nat(2),
      does: fc.constantFrom('start', 'stop', 'restart', 'sample') satisfies fc.Arbitrary<string>,
    }),
  },
);

test('the hours’ sums are what was counted, gaps cover what was not, and a final hour stays', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const containers = ['a', 'b', 'c'].map((name) => new Container(name));
      let state = emptyMeter();
      let now = START;
      let sampled = false;
      let last: Parameters<typeof takeSample>[1] | undefined;
      const final = new Map<number, string>();
      const sample = (asked: readonly Container[] | null, at = now): void => {
        const of = asked ?? containers;
        last = {
          at,
          spacingMs: SPACING,
          asked: asked === null ? null : asked.map((one) => one.id),
          readings: of.map((one) => one.reading()),
        };
        const taken = state.wholeAt === null || at > state.wholeAt;
        takeSample(state, last);
        if (!taken) return;
        if (!sampled) {
          for (const one of containers) {
            one.before = one.truth;
            one.lost = 0n;
            one.missedMs = 0;
          }
        }
        sampled = true;
        for (const one of of) one.read();
      };
      for (const what of steps) {
        if (what === 'sample') sample(null);
        else if (what === 'twice') {
          if (last !== undefined) takeSample(state, last);
        } else if (what === 'clock set back') {
          if (state.wholeAt !== null) sample(null, state.wholeAt - 1);
        } else if (what === 'agent restarts') state = restoredState(storedState(state));
        else if ('pass' in what) {
          now += what.pass;
          for (const one of containers) one.run(what.pass, what.perMs);
        } else {
          const one = containers[what.container];
          if (one === undefined) continue;
          // An agent samples everything before it samples one.
          if (what.does === 'sample' && sampled) sample([one]);
          if (what.does !== 'start' && what.does !== 'sample') one.stop();
          if (what.does !== 'stop' && what.does !== 'sample') one.start();
        }
        for (const hour of finalHours(state)) {
          const said = textOf(state, hour);
          expect(final.get(hour) ?? said).toBe(said);
          final.set(hour, said);
        }
      }
      for (const one of containers) {
        const uses = usesOf(state, one.id);
        for (const { cpuNanos, receivedBytes, sentBytes, gapMs } of uses) {
          expect(cpuNanos.used >= 0n && gapMs >= 0).toBe(true);
          expect(receivedBytes.used).toBe(cpuNanos.used);
          expect(sentBytes.used).toBe(0n);
        }
        if (!sampled) continue;
        const sum = uses.reduce((total, { cpuNanos }) => total + cpuNanos.used, 0n);
        expect(sum).toBe(one.truth - one.before - one.lost - one.unread);
        const gaps = uses.reduce((total, { gapMs }) => total + gapMs, 0);
        expect(gaps).toBeGreaterThanOrEqual(one.lostMs);
      }
    }),
    { numRuns: 400 },
  );
});

describe('an hour', () => {
  const one = new Container('a');
  const reading = (value: bigint, epoch = '1'): UsageReading => ({
    ...one.reading(),
    cpuNanos: { epoch, value },
  });
  const meter = (...samples: readonly (readonly [number, bigint, string?])[]): MeterState => {
    const state = emptyMeter();
    for (const [minutes, value, epoch] of samples)
      takeSample(state, {
        at: START + minutes * MINUTE,
        spacingMs: SPACING,
        asked: null,
        readings: [reading(value, epoch)],
      });
    return state;
  };
  const cpu = (state: MeterState): readonly (readonly [number, bigint | undefined])[] =>
    [...state.hours]
      .sort(([a], [b]) => a - b)
      .map(([hour, { uses }]) => [(hour - START) / HOUR, uses.get('a')?.cpuNanos.used] as const);

  test('ends with its last instant: a sample then belongs to it, and makes it final', () => {
    const state = meter([0, 0n], [30, 50n], [60, 100n]);
    expect(finalHours(state)).toEqual([START - HOUR, START]);
    expect(cpu(state)).toEqual([
      [-1, 0n],
      [0, 100n],
    ]);
  });

  test('shares an interval across its end by time, and the shares add up exactly', () => {
    const state = meter([58, 0n], [61, 100n]);
    expect(cpu(state)).toEqual([
      [0, 66n],
      [1, 34n],
    ]);
    expect(usesOf(state, 'a').every(({ gapMs }) => gapMs === 0)).toBe(true);
  });

  test('takes a counter that began again from zero, and says so', () => {
    for (const [value, epoch] of [
      [30n, '2'],
      [30n, '1'],
    ] as const) {
      const [use] = usesOf(meter([1, 100n], [6, 120n], [11, value, epoch]), 'a');
      expect(use).toMatchObject({
        cpuNanos: { used: 50n, first: 100n, last: 30n, restarts: 1 },
        gapMs: 5 * MINUTE,
      });
    }
  });

  test('knows of an agent that was away for long the sum alone: it is the last hour’s, with the gap', () => {
    const state = meter([1, 0n], [6, 10n], [600, 1_000n]);
    expect(cpu(state)).toEqual([
      [0, 10n],
      [9, 990n],
    ]);
    expect(usesOf(state, 'a').at(-1)?.gapMs).toBe(594 * MINUTE);
  });

  test('has the same digest for the same samples, and another for any other', () => {
    const digest = (...samples: readonly (readonly [number, bigint])[]): string =>
      meter(...samples).hours.get(START)?.digest ?? '';
    expect(digest([1, 5n], [6, 7n])).toBe(digest([1, 5n], [6, 7n]));
    expect(digest([1, 5n], [6, 7n])).not.toBe(digest([1, 5n], [6, 8n]));
  });

  test('counts what appeared since the last sample from its beginning, what is gone as a gap', () => {
    const state = meter([1, 5n]);
    const other = { ...reading(70n), containerId: 'b' };
    takeSample(state, {
      at: START + 6 * MINUTE,
      spacingMs: SPACING,
      asked: null,
      readings: [other],
    });
    expect(usesOf(state, 'b')[0]?.cpuNanos.used).toBe(70n);
    expect(usesOf(state, 'a')[0]).toMatchObject({ gapMs: 5 * MINUTE, cpuNanos: { used: 0n } });
    // It had only not been read.
    takeSample(state, {
      at: START + 11 * MINUTE,
      spacingMs: SPACING,
      asked: null,
      readings: [reading(9n), other],
    });
    expect(usesOf(state, 'a')[0]?.cpuNanos.used).toBe(4n);
  });
});

function usesOf({ hours }: MeterState, containerId: string): readonly HourUse[] {
  return [...hours]
    .sort(([a], [b]) => a - b)
    .flatMap(([, { uses }]) => {
      const use = uses.get(containerId);
      return use === undefined ? [] : [use];
    });
}

function textOf(state: MeterState, hour: number): string {
  return JSON.stringify([...(state.hours.get(hour)?.uses ?? [])], (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}
