/**
 * One life of the client's consumer: joined to the group until it dies. It never restarts by itself,
 * because a client that does can go on failing for ever, alive and idle, and nobody is told.
 */
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';

import type { Clock } from '../../runtime/clock.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { isElecting, patiently } from './patience.ts';

/** Milliseconds without a sign of life until the group gives a member's partitions to others. */
const SESSION_TIMEOUT = 10_000;
const HEARTBEAT_INTERVAL = 2000;
/** Milliseconds that members have to come together again; nothing here holds a member up. */
const REBALANCE_TIMEOUT = 20_000;
/** Milliseconds a fetch waits for something new. */
const FETCH_WAIT = 500;
/** Bytes of one fetch: in all, and of a partition. */
const FETCH_BYTES = 4 * 1024 * 1024;
const PARTITION_BYTES = 256 * 1024;
/** Milliseconds without a fetch after which the client counts as stalled. */
const STALLED = 60_000;

export interface SessionOptions {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly groupId: string;
  readonly network: Clock;
  /** These partitions are the member's now: all of them, after each coming together. */
  readonly joined: (session: Session, partitions: readonly number[], memberId: string) => void;
  /** Messages of one partition. Returns at once: a fetch waits for it, and heartbeats for a fetch. */
  readonly batch: (payload: EachBatchPayload) => void;
}

export class Session {
  /** Resolves, with the cause, when it has died. */
  readonly died: Promise<unknown>;
  readonly #options: SessionOptions;
  readonly #consumer: Consumer;
  readonly #die: (error: unknown) => void;
  #dead: { readonly error: unknown } | undefined;
  #fetched: number;
  #closing: Promise<void> | undefined;

  private constructor(options: SessionOptions) {
    this.#options = options;
    this.#fetched = options.network.now();
    let resolve: (error: unknown) => void = () => undefined;
    this.died = new Promise((settle) => (resolve = settle));
    this.#die = (error) => {
      this.#dead ??= { error };
      resolve(error);
    };
    this.#consumer = options.kafka.consumer({
      groupId: options.groupId,
      allowAutoTopicCreation: false,
      sessionTimeout: SESSION_TIMEOUT,
      heartbeatInterval: HEARTBEAT_INTERVAL,
      rebalanceTimeout: REBALANCE_TIMEOUT,
      maxWaitTimeInMs: FETCH_WAIT,
      maxBytes: FETCH_BYTES,
      maxBytesPerPartition: PARTITION_BYTES,
      // Given whole: the client's defaults would be taken for what is left out.
      retry: {
        retries: 3,
        initialRetryTime: 100,
        maxRetryTime: 1000,
        restartOnFailure: () => Promise.resolve(false),
      },
    });
  }

  /** Joins the group. Throws what keeps it from it. */
  static async start(options: SessionOptions): Promise<Session> {
    const start = async (): Promise<Session> => {
      const session = new Session(options);
      try {
        await session.#join();
        return session;
      } catch (error) {
        void session.close();
        throw error;
      }
    };
    return patiently(options.network, start, isElecting);
  }

  async #join(): Promise<void> {
    const { topic, joined, batch, network } = this.#options;
    const consumer = this.#consumer;
    const { GROUP_JOIN, CRASH, FETCH } = consumer.events;
    consumer.on(GROUP_JOIN, ({ payload }) => {
      if (!this.#over) joined(this, payload.memberAssignment[topic] ?? [], payload.memberId);
    });
    consumer.on(FETCH, () => (this.#fetched = network.now()));
    consumer.on(CRASH, ({ payload }) => this.#die(payload.error));
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (payload) => {
        try {
          // One that was given up may fetch on for a moment; its partitions are another's by then.
          if (!this.#over) batch(payload);
        } catch (error) {
          this.#die(error);
        }
        return Promise.resolve();
      },
    });
    // What hinders the joining is told by the event of a crash alone.
    if (this.#dead !== undefined) throw this.#dead.error;
  }

  /** Ends it: what it was needed for cannot be done. */
  fail(error: unknown): void {
    this.#die(error);
  }

  /** Dies where the client has stopped fetching without a word. */
  watch(): void {
    if (this.#options.network.now() - this.#fetched < STALLED) return;
    this.#die(
      new RuntimeError('unavailable', `the Kafka client has not fetched for ${STALLED} ms`),
    );
  }

  pause(partitions: readonly number[]): void {
    if (this.#over || partitions.length === 0) return;
    this.#consumer.pause([{ topic: this.#options.topic, partitions: [...partitions] }]);
  }

  resume(partitions: readonly number[]): void {
    if (this.#over || partitions.length === 0) return;
    this.#consumer.resume([{ topic: this.#options.topic, partitions: [...partitions] }]);
  }

  /** The next message read of a partition. */
  seek(partition: number, offset: string): void {
    if (!this.#over) this.#consumer.seek({ topic: this.#options.topic, partition, offset });
  }

  /** Commits offsets; throws where they were not. */
  async commit(
    offsets: readonly {
      readonly partition: number;
      readonly offset: string;
      readonly metadata: string;
    }[],
  ): Promise<void> {
    const { topic } = this.#options;
    if (this.#over) throw new RuntimeError('unavailable', 'the consumer is not in its group');
    await this.#consumer.commitOffsets(offsets.map((each) => ({ topic, ...each })));
  }

  /** Leaves the group. Safe to call twice; never throws. */
  close(): Promise<void> {
    this.#closing ??= this.#consumer.disconnect().catch(() => undefined);
    return this.#closing;
  }

  /** The client forgets its group when it has died or left, and refuses these calls. */
  get #over(): boolean {
    return this.#dead !== undefined || this.#closing !== undefined;
  }
}
