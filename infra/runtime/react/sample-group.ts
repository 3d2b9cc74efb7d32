/**
 * Several processes of the sample service for tests: a group whose partitions the test gives and takes,
 * and processes that can stand still and wake up again without knowing what has become of them.
 */
import { isPublished, partitionOf } from '../../bus/partition.ts';
import type { Bus, BusMessage, Consumer, ConsumerOptions } from '../../bus/port.ts';
import { type EventStore, EventStoreError } from '../../event-store/port.ts';
import type { ManualClock } from '../clock.ts';
import type { Reaction } from './reaction.ts';
import { Process, turn } from './sample-service.ts';

/** Milliseconds of the clock between two looks at the log. */
const LOOK = 250;

/** What a process passes before everything that has an effect: closed, it stands still there. */
class Gate {
  #closed: Promise<void> | undefined;
  #open: () => void = () => undefined;

  close(): void {
    this.#closed ??= new Promise((resolve) => (this.#open = resolve));
  }

  open(): void {
    this.#closed = undefined;
    this.#open();
  }

  async pass(): Promise<void> {
    while (this.#closed !== undefined) await this.#closed;
  }
}

/** How calls of the store go, one after the other, over and over: turns they take, answers lost. */
export interface Weather {
  readonly turns: readonly number[];
  /** Appends whose answer is lost after they were done, by number. */
  readonly lost: readonly number[];
}

export interface MemberOptions {
  readonly store: EventStore;
  readonly clock: ManualClock;
  readonly reactions: readonly Reaction[];
  readonly weather?: Weather;
  readonly seed?: number;
}

interface Tenure {
  over: boolean;
}

/** One process and its place in the group. */
export class Member {
  readonly #options: MemberOptions;
  readonly #gate = new Gate();
  readonly #stop = new AbortController();
  readonly #tenures = new Map<number, Tenure>();
  readonly #changes = new Map<number, Promise<void>>();
  #consume: ConsumerOptions | undefined;
  #process: Process | undefined;

  private constructor(options: MemberOptions) {
    this.#options = options;
  }

  /** Starts a process that has no partition yet. */
  static async start(options: MemberOptions): Promise<Member> {
    const member = new Member(options);
    const { clock, seed } = options;
    member.#process = await Process.start({
      store: member.#store(),
      clock,
      ...(seed === undefined ? {} : { seed }),
      bus: () => member.#bus(),
      reactions: options.reactions.map((reaction) => ({
        ...reaction,
        react: async (event) => {
          await member.#gate.pass();
          await reaction.react(event);
          await member.#gate.pass();
        },
      })),
    });
    return member;
  }

  get process(): Process {
    if (this.#process === undefined) throw new Error('it was not started');
    return this.#process;
  }

  /** Partitions it believes to have. */
  get believes(): readonly number[] {
    return [...this.#tenures.keys()];
  }

  /** It stands still between two steps, whatever it is at. */
  pause(): void {
    this.#gate.close();
  }

  wake(): void {
    this.#gate.open();
  }

  give(partition: number): void {
    if (this.#tenures.has(partition)) return;
    const tenure: Tenure = { over: false };
    this.#tenures.set(partition, tenure);
    const before = this.#changes.get(partition) ?? Promise.resolve();
    const after = before.then(() => this.#run(partition, tenure));
    this.#changes.set(partition, after);
    after.catch((error: unknown) => this.#consume?.failed(error));
  }

  take(partition: number): void {
    const tenure = this.#tenures.get(partition);
    if (tenure === undefined) return;
    tenure.over = true;
    this.#tenures.delete(partition);
    this.#consume?.revoked?.(partition);
  }

  async kill(): Promise<void> {
    this.#stop.abort();
    await this.process.kill();
  }

  async #run(partition: number, tenure: Tenure): Promise<void> {
    const { store, clock } = this.#options;
    const { signal } = this.#stop;
    const consume = this.#consume;
    const over = (): boolean => tenure.over || signal.aborted;
    if (consume === undefined || over()) return;
    let after = await consume.from(partition);
    if (over()) {
      consume.revoked?.(partition);
      return;
    }
    while (!over()) {
      await this.#gate.pass();
      const messages: BusMessage[] = [];
      let prev: string | null = null;
      for (const event of (await store.readAll({ limit: 10_000 })).events) {
        if (partitionOf(event.homeid) !== partition || !isPublished(event.stream)) continue;
        const { position } = event;
        if (after === null || position > after) messages.push({ kind: 'event', event, prev });
        prev = position;
      }
      after = prev ?? after;
      if (over()) return;
      await consume.deliver(partition, [...messages, { kind: 'marker', prev, head: prev }]);
      await clock.sleep(LOOK, signal);
    }
  }

  #bus(): Bus {
    const consumer: Consumer = {
      ask: () => undefined,
      stop: async () => {
        this.#stop.abort();
        await this.#consume?.leaving?.();
      },
    };
    return {
      consume: (options) => {
        this.#consume = options;
        return Promise.resolve(consumer);
      },
      close: () => Promise.resolve(),
    };
  }

  #store(): EventStore {
    const { store, weather } = this.#options;
    let calls = 0;
    let appends = 0;
    const pass = async (): Promise<void> => {
      const turns = weather?.turns[calls++ % weather.turns.length] ?? 0;
      for (let n = turns; n > 0; n--) await turn();
      await this.#gate.pass();
    };
    const slow = async <T>(call: () => Promise<T>): Promise<T> => {
      await pass();
      const result = await call();
      await pass();
      return result;
    };
    return {
      append: (...args) =>
        slow(async () => {
          const result = await store.append(...args);
          if (weather?.lost.includes(appends++) !== true) return result;
          throw new EventStoreError('outcome-unknown', 'the answer was lost');
        }),
      readStream: (...args) => slow(() => store.readStream(...args)),
      readAll: (...args) => slow(() => store.readAll(...args)),
      readHome: (...args) => slow(() => store.readHome(...args)),
      subscribe: (...args) => store.subscribe(...args),
      head: () => slow(() => store.head()),
      close: () => store.close(),
    };
  }
}
