/**
 * The event store as a process of the simulation reaches it: each call takes its time, an append may be
 * done and not confirmed, not be done, or be done late, after whoever sent it was told that nobody knows.
 */
import type { Position, StoredEvent } from '@bivouac/events/language';
import {
  type AppendResult,
  type EventStore,
  EventStoreError,
  type LogHead,
  type LogPage,
  type StreamPage,
  type SubscribeOptions,
  type SubscriptionMessage,
} from '@bivouac/infra/event-store';

import { CommitBell, follow } from '../../../infra/event-store/follow.ts';
import { type Fate, type SimulatedProcess } from './process.ts';

/** How often calls go wrong. */
export interface StoreFaults {
  /** An append is done, or is not, and nobody knows. */
  readonly unknown: number;
  /** The store cannot be reached; nothing was done. */
  readonly unavailable: number;
}

/** The one log of a run, which outlives all processes. */
export class SimulatedLog {
  readonly store: EventStore;
  readonly #followers = new Set<(events: readonly StoredEvent[]) => void>();
  #last: Position | null = null;

  constructor(store: EventStore) {
    this.store = store;
  }

  get last(): Position | null {
    return this.#last;
  }

  async append(...of: Parameters<EventStore['append']>): Promise<AppendResult> {
    const result = await this.store.append(...of);
    const { last } = this;
    const { events } = await this.store.readAll(last === null ? {} : { after: last });
    this.#last = events.at(-1)?.position ?? last;
    // One that was sent again has brought nothing new.
    if (events.length > 0) for (const heard of [...this.#followers]) heard(events);
    return result;
  }

  /** Calls back with what is new; answers how to end it. */
  onAppended(heard: (events: readonly StoredEvent[]) => void): () => void {
    this.#followers.add(heard);
    return () => void this.#followers.delete(heard);
  }
}

/** The log as one process has it. */
export function storeOf(
  log: SimulatedLog,
  process: SimulatedProcess,
  faults: () => StoreFaults,
): EventStore {
  return new ProcessStore(log, process, faults);
}

class ProcessStore implements EventStore {
  readonly bell: CommitBell;
  readonly #log: SimulatedLog;
  readonly #process: SimulatedProcess;
  readonly #faults: () => StoreFaults;

  constructor(log: SimulatedLog, process: SimulatedProcess, faults: () => StoreFaults) {
    this.#log = log;
    this.#process = process;
    this.#faults = faults;
    this.bell = new CommitBell(log.last);
    let rung = log.last;
    let ringing = false;
    const forget = log.onAppended(() => {
      rung = log.last;
      if (ringing || process.over) return;
      // What comes until it rings is heard with it.
      ringing = true;
      process.surroundings.scheduler.after(process.latency(), process, 'hears of the log', () => {
        ringing = false;
        if (rung !== null) this.bell.ring(rung);
      });
    });
    process.onEnd(forget);
  }

  append(...of: Parameters<EventStore['append']>): Promise<AppendResult> {
    const [stream] = of;
    return this.#process.call(`append to ${stream}`, () => this.#log.append(...of), this.#fate());
  }

  readStream(...of: Parameters<EventStore['readStream']>): Promise<StreamPage> {
    const act = (): Promise<StreamPage> => this.#log.store.readStream(...of);
    return this.#process.call(`read ${of[0]}`, act, this.#away());
  }

  readAll(...of: Parameters<EventStore['readAll']>): Promise<LogPage> {
    return this.#process.call('read the log', () => this.#log.store.readAll(...of), this.#away());
  }

  readHome(...of: Parameters<EventStore['readHome']>): Promise<LogPage> {
    return this.#process.call(`read ${of[0]}`, () => this.#log.store.readHome(...of), this.#away());
  }

  head(): Promise<LogHead> {
    return this.#process.call('ask for the head', () => this.#log.store.head(), this.#away());
  }

  subscribe(options?: SubscribeOptions): AsyncIterable<SubscriptionMessage> {
    return follow(this, options);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #fate(): Fate {
    const { draws } = this.#process.surroundings;
    const { unknown } = this.#faults();
    if (!draws.chance(unknown)) return this.#away();
    const error = new EventStoreError('outcome-unknown', 'the answer was lost');
    const kind = draws.weighted({ done: 3, 'not done': 2, late: 1 });
    if (kind === 'done') return { done: true, error };
    return { done: false, error, ...(kind === 'late' && { later: draws.between(1, 4000) }) };
  }

  #away(): Fate {
    const { draws } = this.#process.surroundings;
    if (!draws.chance(this.#faults().unavailable)) return 'answered';
    return {
      done: false,
      error: new EventStoreError('unavailable', 'the store cannot be reached'),
    };
  }
}
