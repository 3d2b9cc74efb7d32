/**
 * What counters have risen by lately, as the process itself counts: for who looks once and has no earlier
 * scrape to compare with (`bivouac status`). Only those that alerts judge over a window, over that window.
 */
import type { LabelsOf, MetricName } from './list.ts';
import { thresholds } from './thresholds.ts';

/** Milliseconds of a slot: what is told is of the alert's window and at most one slot more. */
const SLOT = 15_000;

/** The event loop's delays by their two series: all that were measured, and those beyond the alert's limit. */
export const RECENT_DELAYS = { all: 'measured', beyond: 'beyond the limit' } as const;

const { BusGaps, CacheAway, Contention, EventLoopDelay, NotMeasured, UnknownOutcomes } = thresholds;

/** Seconds of the window of each counter. */
const windows: ReadonlyMap<string, number> = new Map<MetricName, number>([
  ['unknown_outcomes_total', UnknownOutcomes.within],
  ['gaps_repaired_total', BusGaps.within],
  ['contention_total', Contention.within],
  // What contention is a share of.
  ['appends_total', Contention.within],
  ['looks_failed_total', NotMeasured.within],
  ['cache_outages_total', CacheAway.within],
]);

export class Recent {
  readonly #stopwatch: () => number;
  readonly #series = new Map<
    string,
    { readonly labels: LabelsOf<'recent'>; readonly rise: Rise }
  >();

  /** @param stopwatch milliseconds of a clock that never jumps */
  constructor(stopwatch: () => number) {
    this.#stopwatch = stopwatch;
  }

  /** Takes what one series of a counter rises by; undefined where nobody asks for it. */
  counter(name: string, series: string): ((by: number) => void) | undefined {
    const within = windows.get(name);
    return within === undefined ? undefined : this.#rise(name, series, within);
  }

  /** Takes delays of the event loop, in seconds; undefined for any other histogram. */
  delays(name: string): ((seconds: number) => void) | undefined {
    if (name !== ('eventloop_delay_seconds' satisfies MetricName)) return undefined;
    const all = this.#rise(name, RECENT_DELAYS.all, EventLoopDelay.within);
    const beyond = this.#rise(name, RECENT_DELAYS.beyond, EventLoopDelay.within);
    return (seconds) => {
      all(1);
      if (seconds > EventLoopDelay.most) beyond(1);
    };
  }

  /** Every series and what it has risen by. */
  *series(): Iterable<readonly [LabelsOf<'recent'>, number]> {
    const now = this.#stopwatch();
    for (const { labels, rise } of this.#series.values()) yield [labels, rise.until(now)];
  }

  #rise(counter: string, series: string, within: number): (by: number) => void {
    const key = `${counter} ${series}`;
    const known = this.#series.get(key);
    const rise = known?.rise ?? new Rise(within);
    if (known === undefined) this.#series.set(key, { labels: { counter, series }, rise });
    return (by) => {
      rise.add(by, this.#stopwatch());
    };
  }
}

/** Sums by slot, in a ring that is as long as the window and the slot that is not over. */
class Rise {
  readonly #slots: number[];
  /** Number of the slot that was written last. */
  #last = 0;

  constructor(within: number) {
    this.#slots = new Array<number>(Math.ceil((within * 1000) / SLOT) + 1).fill(0);
  }

  add(by: number, now: number): void {
    const at = this.#come(now);
    this.#slots[at] = (this.#slots[at] ?? 0) + by;
  }

  until(now: number): number {
    this.#come(now);
    return this.#slots.reduce((sum, one) => sum + one, 0);
  }

  /** Empties the slots that have passed since; answers where the present one is. */
  #come(now: number): number {
    const slot = Math.floor(now / SLOT);
    const { length } = this.#slots;
    for (let one = Math.max(this.#last + 1, slot - length + 1); one <= slot; one++) {
      this.#slots[one % length] = 0;
    }
    this.#last = Math.max(this.#last, slot);
    return this.#last % length;
  }
}
