/** What is measured of commands: how each ended, and what the streams they are decided on went through. */
import type { CommandReply } from '@bivouac/events/language';

import type { Counter, Gauge, Metrics } from '../metrics/port.ts';

/** How a command ended, as it is counted. */
type Outcome =
  'done' | 'repeated' | 'refused' | 'contention' | 'unknown' | 'unavailable' | 'defect';

/** Counts commands by contract and outcome. */
export class CommandMeasures {
  readonly #metrics: Metrics;
  readonly #contracts: ReadonlySet<string>;
  readonly #counters = new Map<string, Counter>();

  /** @param contracts the names that may be a label: a caller can ask for any. */
  constructor(metrics: Metrics, contracts: Iterable<string>) {
    this.#metrics = metrics;
    this.#contracts = new Set(contracts);
  }

  /** @param reply undefined: it has thrown. */
  ended(contract: string, reply: CommandReply<unknown> | undefined): void {
    if (!this.#contracts.has(contract)) return;
    const outcome = outcomeOf(reply);
    const key = `${contract} ${outcome}`;
    let counter = this.#counters.get(key);
    if (counter === undefined) {
      counter = this.#metrics.counter('commands_total', { contract, outcome });
      this.#counters.set(key, counter);
    }
    counter.add();
  }
}

function outcomeOf(reply: CommandReply<unknown> | undefined): Outcome {
  if (reply === undefined) return 'defect';
  if (reply.ok) return reply.repeated ? 'repeated' : 'done';
  switch (reply.refusal.code) {
    case 'CONTENTION':
      return 'contention';
    case 'OUTCOME_UNKNOWN':
      return 'unknown';
    case 'UNAVAILABLE':
    case 'SHUTTING_DOWN':
      return 'unavailable';
    default:
      return 'refused';
  }
}

/** What is measured of the streams of one category. */
export interface StreamMeasures {
  readonly conflicts: Counter;
  readonly contention: Counter;
  readonly unknown: Counter;
  /** A stream's commands wait because nobody knows what became of an append; answers when they go on. */
  readonly freeze: () => () => void;
}

/** The measures of streams by category. */
export function streamMeasures(metrics: Metrics): (category: string) => StreamMeasures {
  const byCategory = new Map<string, StreamMeasures>();
  const frozen: Gauge = metrics.gauge('frozen_streams', {});
  let count = 0;
  frozen.set(count);
  const freeze = (): (() => void) => {
    frozen.set(++count);
    return () => {
      frozen.set(--count);
    };
  };
  return (category) => {
    const known = byCategory.get(category);
    if (known !== undefined) return known;
    const measures = {
      conflicts: metrics.counter('conflicts_total', { category }),
      contention: metrics.counter('contention_total', { category }),
      unknown: metrics.counter('unknown_outcomes_total', { category }),
      freeze,
    };
    byCategory.set(category, measures);
    return measures;
  };
}
