/** The metrics of a process as Prometheus scrapes them: every metric of the list, and those of Node. */
import {
  collectDefaultMetrics,
  Counter as PromCounter,
  Gauge as PromGauge,
  Histogram as PromHistogram,
  Registry,
} from 'prom-client';

import { type Clock, systemClock } from '../clock.ts';
import { RuntimeError } from '../errors.ts';
import { METRIC_PREFIX, type MetricDeclaration, metricList } from './list.ts';
import type { Counter, Gauge, Histogram, Metrics } from './port.ts';
import { Recent } from './recent.ts';

export interface ProcessMetrics extends Metrics {
  /** The answer to a scrape. Two at once share the looking up. */
  scrape(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface ProcessMetricsOptions {
  /** What could not be looked up is told here, the first time. */
  readonly logger?: { warn(fields: object, message: string): void };
  /** Also those of Node and the process (`nodejs_…`, `process_…`); they are. */
  readonly ofNode?: boolean;
  /** How long a look may take: the network's time. */
  readonly network?: Clock;
  /** Milliseconds of a clock that never jumps. */
  readonly stopwatch?: () => number;
}

/** Milliseconds that one look has at a scrape. */
const LOOK_DEADLINE = 2000;

/** Makes the metrics of a process, or of what stands for one. */
export function processMetrics(options: ProcessMetricsOptions = {}): ProcessMetrics {
  return new PrometheusMetrics(options);
}

type Series = Readonly<Record<string, string>>;

class PrometheusMetrics implements ProcessMetrics {
  readonly #options: ProcessMetricsOptions;
  readonly #registry = new Registry();
  readonly #counters = new Map<string, PromCounter>();
  readonly #gauges = new Map<string, PromGauge>();
  readonly #histograms = new Map<string, PromHistogram>();
  readonly #handles = new Map<string, Counter>();
  /** Series of histograms that are there. */
  readonly #begun = new Set<string>();
  readonly #looks = new Map<object, { readonly name: string; readonly look: Look }>();
  /** Looks that did not come back in time, and are not begun again until they do. */
  readonly #hanging = new Set<object>();
  readonly #told = new Set<string>();
  readonly #stopwatch: () => number;
  readonly #recent: Recent;
  #scraping: Promise<string> | undefined;

  constructor(options: ProcessMetricsOptions) {
    this.#options = options;
    this.#stopwatch = options.stopwatch ?? (() => performance.now());
    this.#recent = new Recent(this.#stopwatch);
    for (const [name, declared] of Object.entries<MetricDeclaration>(metricList)) {
      const common = {
        name: METRIC_PREFIX + name,
        help: declared.help,
        labelNames: [...declared.labels],
        registers: [this.#registry],
      };
      switch (declared.kind) {
        case 'counter':
          this.#counters.set(name, new PromCounter(common));
          break;
        case 'gauge': {
          const gauge = new PromGauge(common);
          // Without labels it would say 0 before anybody has set it.
          if (declared.labels.length === 0) gauge.remove();
          this.#gauges.set(name, gauge);
          break;
        }
        case 'histogram':
          this.#histograms.set(
            name,
            new PromHistogram({ ...common, buckets: [...declared.buckets] }),
          );
      }
    }
    if (options.ofNode !== false) collectDefaultMetrics({ register: this.#registry });
  }

  counter(name: string, labels: Series): Counter {
    // One for each series: what it has reached is of the series, not of who holds it.
    const key = keyOf(name, labels);
    const known = this.#handles.get(key);
    if (known !== undefined) return known;
    const counter = found(this.#counters, name);
    // It is there from now on, so that its first rise can be seen as one.
    counter.inc(labels, 0);
    const lately = this.#recent.counter(name, Object.values(labels).join(' '));
    let reached = 0;
    const add = (by = 1): void => {
      counter.inc(labels, by);
      lately?.(by);
    };
    const handle: Counter = {
      add,
      reach: (total) => {
        if (total <= reached) return;
        add(total - reached);
        reached = total;
      },
    };
    this.#handles.set(key, handle);
    return handle;
  }

  gauge(name: string, labels: Series): Gauge {
    const gauge = found(this.#gauges, name);
    return {
      set: (value) => {
        gauge.set(labels, value);
      },
    };
  }

  histogram(name: string, labels: Series): Histogram {
    const histogram = found(this.#histograms, name);
    const key = keyOf(name, labels);
    // Again it would take away what whoever was given the same series has observed.
    if (!this.#begun.has(key)) histogram.zero(labels);
    this.#begun.add(key);
    const lately = this.#recent.delays(name);
    const observe = (value: number): void => {
      histogram.observe(labels, value);
      lately?.(value);
    };
    return {
      observe,
      start: () => {
        const begun = this.#stopwatch();
        return () => {
          observe((this.#stopwatch() - begun) / 1000);
        };
      },
    };
  }

  replace(name: string, series: Iterable<readonly [Series, number]>): void {
    const gauge = found(this.#gauges, name);
    gauge.reset();
    for (const [labels, value] of series) gauge.set(labels, value);
  }

  onScrape(name: string, look: Look): () => void {
    const key = {};
    this.#looks.set(key, { name, look });
    return () => {
      this.#looks.delete(key);
    };
  }

  async scrape(): Promise<{ readonly contentType: string; readonly text: string }> {
    this.#scraping ??= this.#lookAndWrite().finally(() => {
      this.#scraping = undefined;
    });
    return { contentType: this.#registry.contentType, text: await this.#scraping };
  }

  async #lookAndWrite(): Promise<string> {
    await Promise.all([...this.#looks].map(([key, { name, look }]) => this.#look(key, name, look)));
    this.replace('recent', this.#recent.series());
    return this.#registry.metrics();
  }

  async #look(key: object, name: string, look: Look): Promise<void> {
    const failed = this.counter('looks_failed_total', { look: name });
    if (this.#hanging.has(key)) {
      failed.add();
      return;
    }
    const { network = systemClock } = this.#options;
    const over = new AbortController();
    const looking = (async () => {
      await look();
      return 'looked' as const;
    })();
    const late = network.sleep(LOOK_DEADLINE, over.signal).then(() => 'late' as const);
    try {
      if ((await Promise.race([looking, late])) === 'looked') return;
      this.#hanging.add(key);
      looking
        .catch(() => undefined)
        .finally(() => {
          this.#hanging.delete(key);
        });
      this.#tell(name, new RuntimeError('unavailable', `no answer in ${LOOK_DEADLINE} ms`));
    } catch (error) {
      this.#tell(name, error);
    } finally {
      over.abort();
    }
    failed.add();
  }

  /** Once each: a store that is away for an hour must not fill the disk with words. */
  #tell(name: string, err: unknown): void {
    if (this.#told.has(name)) return;
    this.#told.add(name);
    this.#options.logger?.warn({ err, look: name }, 'what is measured cannot be looked up');
  }
}

function keyOf(name: string, labels: Series): string {
  return JSON.stringify([name, Object.entries(labels).sort()]);
}

type Look = () => void | Promise<void>;

function found<M>(metrics: ReadonlyMap<string, M>, name: string): M {
  const metric = metrics.get(name);
  if (metric !== undefined) return metric;
  throw new RuntimeError('defect', `${name} is not in the list of metrics, or of another kind`);
}
