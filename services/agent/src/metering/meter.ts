/**
 * From samples to hours. A counter only ever adds: where it began again (another epoch, or less than
 * before) it is taken from zero, so no sum is ever negative, and what was counted between the last
 * sample and the restart is lost and said to be a gap. Pure: the same samples give the same hours.
 */
import { createHash } from 'node:crypto';

import { canonicalText } from '@bivouac/events/language';

import type { Counter, UsageReading } from '../driver.ts';
import { encodeSample, type Sample } from './sample.ts';

const HOUR = 3_600_000;
/** An interval up to here is divided among its hours; of a longer one nobody knows which hour it was. */
const DIVIDED = 2 * HOUR;
/** A container not seen for so long is forgotten. */
const FORGOTTEN = 7 * 24 * HOUR;

/** The digest of an hour without samples: use reaches into it from both sides. */
export const NO_SAMPLES = createHash('sha256').digest('hex');

const counters = ['cpuNanos', 'receivedBytes', 'sentBytes'] as const;
type CounterName = (typeof counters)[number];

export interface Counted {
  used: bigint;
  first: bigint;
  last: bigint;
  restarts: number;
}

/** One container in one hour. */
export interface HourUse extends Record<CounterName, Counted> {
  from: number;
  to: number;
  gapMs: number;
  memoryPeakBytes: bigint;
  processesPeak: number;
  diskBytes: bigint | null;
}

export interface Hour {
  samples: number;
  digest: string;
  readonly uses: Map<string, HourUse>;
}

export interface LastRead {
  readonly at: number;
  readonly reading: UsageReading;
  /** It was not there any more when it was looked for. */
  readonly gone: boolean;
}

export interface MeterState {
  /** When everything was sampled last; null before. */
  wholeAt: number | null;
  /** By container: what was read last. */
  readonly last: Map<string, LastRead>;
  /** By the hour's beginning. */
  readonly hours: Map<number, Hour>;
}

export function emptyMeter(): MeterState {
  return { wholeAt: null, last: new Map(), hours: new Map() };
}

/** The beginning of the hour that an instant closes or lies in: an hour ends with its last instant. */
export function hourOf(at: number): number {
  return Math.ceil(at / HOUR) * HOUR - HOUR;
}

/** Whether a sample says anything new: not one that was taken before, nor one of a clock set back. */
export function isNews(state: MeterState, { at }: Pick<Sample, 'at'>): boolean {
  return state.wholeAt === null || at > state.wholeAt;
}

/** Takes a sample in, changing the state. */
export function takeSample(state: MeterState, sample: Sample): void {
  if (!isNews(state, sample)) return;
  const { at, spacingMs, asked, readings } = sample;
  const hour = hourAt(state, hourOf(at));
  hour.samples += 1;
  hour.digest = createHash('sha256')
    .update(hour.digest)
    .update(canonicalText(encodeSample(sample)))
    .digest('hex');
  const seen = new Set<string>();
  for (const reading of readings) {
    seen.add(reading.containerId);
    const before = state.last.get(reading.containerId);
    if (before !== undefined && before.at >= at) continue;
    state.last.set(reading.containerId, { at, reading, gone: false });
    add(state, before, { at, reading }, spacingMs);
  }
  for (const containerId of asked ?? [...state.last.keys()]) {
    const before = state.last.get(containerId);
    if (before === undefined || seen.has(containerId) || before.at >= at) continue;
    // It may only not have been read, so it is remembered for a while.
    if (!before.gone) vanished(state, before, at);
    if (before.at + FORGOTTEN < at) state.last.delete(containerId);
    else state.last.set(containerId, { ...before, gone: true });
  }
  if (asked === null) state.wholeAt = at;
}

/** Hours to be reported, oldest first: nothing can be added to them any more. */
export function finalHours(state: MeterState): readonly number[] {
  const { wholeAt } = state;
  if (wholeAt === null) return [];
  return [...state.hours.keys()].filter((hour) => hour + HOUR <= wholeAt).sort((a, b) => a - b);
}

interface Read {
  readonly at: number;
  readonly reading: UsageReading;
}

function add(state: MeterState, before: Read | undefined, now: Read, spacing: number): void {
  const since = before?.at ?? state.wholeAt;
  if (since === null) {
    // The first sample of all: what was used before it is not ours to say.
    slice(state, hourOf(now.at), now.at, now.at, undefined, now);
    return;
  }
  const used = new Map<CounterName, { amount: bigint; lost: boolean; restarted: boolean }>();
  for (const name of counters)
    used.set(name, usedBetween(before?.reading[name] ?? null, now.reading[name]));
  const length = now.at - since;
  const gap = length > 2 * spacing || [...used.values()].some(({ lost }) => lost);
  const slices = slicesOf(state, since, now.at);
  const start = slices[0]?.from ?? since;
  const divided = now.at - start;
  for (const { hour, from, to } of slices) {
    // What began in an hour reported already belongs to the first that is not.
    const reaching = from === start ? since : from;
    const use = slice(state, hour, reaching, to, before, now);
    if (gap) use.gapMs += to - reaching;
    for (const [name, { amount, restarted }] of used) {
      // Shares of a sum by their ends, so that they add up to it exactly.
      const upTo = (instant: number): bigint =>
        divided === 0 ? amount : (amount * BigInt(instant - start)) / BigInt(divided);
      use[name].used += upTo(to) - (from === start ? 0n : upTo(from));
      if (restarted && to === now.at) use[name].restarts += 1;
    }
  }
}

/** It was there and is not: what it used since its last reading is not known. */
function vanished(state: MeterState, before: Read, at: number): void {
  for (const { hour, from, to } of slicesOf(state, before.at, at)) {
    const use = slice(state, hour, from, to, before, before);
    use.gapMs += to - from;
  }
}

/** `lost`: something was counted that nobody has read. */
function usedBetween(
  before: Counter | null,
  now: Counter | null,
): { amount: bigint; lost: boolean; restarted: boolean } {
  if (now === null) return { amount: 0n, lost: before !== null, restarted: false };
  if (before === null) return { amount: now.value, lost: false, restarted: false };
  if (before.epoch === now.epoch && now.value >= before.value)
    return { amount: now.value - before.value, lost: false, restarted: false };
  return { amount: now.value, lost: true, restarted: true };
}

interface Slice {
  readonly hour: number;
  readonly from: number;
  readonly to: number;
}

/** The hours of an interval that are not final, in order; the last one alone where it is too long. */
function slicesOf(state: MeterState, since: number, at: number): readonly Slice[] {
  // What was reported stays: it belongs to the first hour that is still open.
  const open =
    state.wholeAt === null ? since : Math.max(since, Math.floor(state.wholeAt / HOUR) * HOUR);
  if (at - since > DIVIDED) return [{ hour: hourOf(at), from: since, to: at }];
  const slices: Slice[] = [];
  for (let from = Math.min(open, at); from < at;) {
    const end = Math.floor(from / HOUR) * HOUR + HOUR;
    const to = Math.min(end, at);
    slices.push({ hour: end - HOUR, from, to });
    from = to;
  }
  return slices;
}

/** The use of a container in an hour, reaching over these instants. */
function slice(
  state: MeterState,
  hour: number,
  from: number,
  to: number,
  before: Read | undefined,
  { at, reading }: Read,
): HourUse {
  const { uses } = hourAt(state, hour);
  const value = (of: Read | undefined, name: CounterName): bigint => of?.reading[name]?.value ?? 0n;
  const now = { at, reading };
  let use = uses.get(reading.containerId);
  if (use === undefined) {
    const counted = (name: CounterName): Counted => ({
      used: 0n,
      first: before === undefined ? value(now, name) : value(before, name),
      last: 0n,
      restarts: 0,
    });
    use = {
      from,
      to,
      gapMs: 0,
      memoryPeakBytes: 0n,
      processesPeak: 0,
      diskBytes: null,
      cpuNanos: counted('cpuNanos'),
      receivedBytes: counted('receivedBytes'),
      sentBytes: counted('sentBytes'),
    };
    uses.set(reading.containerId, use);
  }
  use.from = Math.min(use.from, from);
  use.to = Math.max(use.to, to);
  for (const name of counters) use[name].last = value(now, name);
  // What is measured at an instant is of the hour of that instant.
  if (hourOf(at) === hour) {
    if (reading.memoryBytes > use.memoryPeakBytes) use.memoryPeakBytes = reading.memoryBytes;
    use.processesPeak = Math.max(use.processesPeak, reading.processes);
    use.diskBytes = reading.diskBytes ?? use.diskBytes;
  }
  return use;
}

function hourAt(state: MeterState, hour: number): Hour {
  let found = state.hours.get(hour);
  if (found === undefined) {
    found = { samples: 0, digest: NO_SAMPLES, uses: new Map() };
    state.hours.set(hour, found);
  }
  return found;
}
