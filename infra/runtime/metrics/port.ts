/**
 * What measures: counted where things happen, or looked up when somebody scrapes. Whoever is not given
 * one measures nothing ({@link noMetrics}).
 */
import type { LabelsOf, NameOf } from './list.ts';

/** One series that only rises. */
export interface Counter {
  add(by?: number): void;
  /** For what counts by itself since it was made: rises to its total; a lower one changes nothing. */
  reach(total: number): void;
}

/** One series that rises and falls. */
export interface Gauge {
  set(value: number): void;
}

/** One series of measured values. */
export interface Histogram {
  observe(value: number): void;
  /** Begins to measure; what it answers observes the seconds since, by the machine's clock. */
  start(): () => void;
}

/**
 * The metrics of a process. A handle is cheap to use and is kept by who uses it; the same name and labels
 * are the same series.
 */
export interface Metrics {
  counter<N extends NameOf<'counter'>>(name: N, labels: LabelsOf<N>): Counter;
  gauge<N extends NameOf<'gauge'>>(name: N, labels: LabelsOf<N>): Gauge;
  histogram<N extends NameOf<'histogram'>>(name: N, labels: LabelsOf<N>): Histogram;
  /** All series of a gauge at once: those that are not named any more are gone. */
  replace<N extends NameOf<'gauge'>>(
    name: N,
    series: Iterable<readonly [labels: LabelsOf<N>, value: number]>,
  ): void;
  /**
   * Runs at each scrape, before it is answered, for at most two seconds: for what is looked up rather than
   * counted. One that fails or takes longer is counted, and the scrape goes on without it.
   *
   * @param name names it in `looks_failed_total`.
   * @returns how to end it
   */
  onScrape(name: string, look: () => void | Promise<void>): () => void;
}

const nothing = (): void => undefined;
const counter: Counter = { add: nothing, reach: nothing };
const gauge: Gauge = { set: nothing };
const histogram: Histogram = { observe: nothing, start: () => nothing };

/** Measures nothing. */
export const noMetrics: Metrics = {
  counter: () => counter,
  gauge: () => gauge,
  histogram: () => histogram,
  replace: nothing,
  onScrape: () => nothing,
};
