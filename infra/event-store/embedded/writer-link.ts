/**
 * The main thread's end of the writer: queues appends, hands those of one turn over at once, and
 * settles each when the writer has answered. Answers come in the order of the appends.
 */
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { NewEvent } from '@bivouac/events/language';
import { type AppendResult, EventStoreError, type ExpectedRevision } from '../port.ts';
import { conflict, overlap } from '../resend.ts';
import { positionOf } from './decode.ts';
import { AppendBatch } from './encode.ts';
import type { FromWriter, ToWriter, WriterData } from './messages.ts';
import type { Committed } from './recent.ts';

/**
 * Appends handed over before the turn has ended: the writer begins with these while the main thread
 * still makes the others, so that both threads work.
 */
const HANDED_OVER = 16;

/** What the link tells its store. */
export interface WriterEvents {
  /** Everything up to this position is durable; `committed` is what of it was appended just now. */
  readonly onHead: (position: number, committed: readonly Committed[]) => void;
  /** The writer is done for; every append from now on is refused with this error. */
  readonly onFailure: (error: EventStoreError) => void;
}

interface Waiting {
  readonly stream: string;
  readonly events: readonly NewEvent[];
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: EventStoreError) => void;
}

/** What the writer says once it has opened the log. */
export type Opened = Extract<FromWriter, { kind: 'ready' }>;

/** A running writer. */
export class WriterLink {
  readonly opened: Promise<Opened>;
  readonly #worker: Worker;
  readonly #events: WriterEvents;
  readonly #batch = new AppendBatch();
  readonly #handedOver: Int32Array<SharedArrayBuffer>;
  /** Appends not yet answered, oldest first; those before `#answered` are. */
  #waiting: Waiting[] = [];
  #answered = 0;
  /** Position of the last event the writer has told of. */
  #head = 0;
  #failure: EventStoreError | undefined;
  readonly #ended: Promise<void>;
  readonly #flushNow = (): void => {
    this.#flush();
  };

  constructor(data: Omit<WriterData, 'handedOver'>, events: WriterEvents) {
    this.#events = events;
    this.#handedOver = new Int32Array(new SharedArrayBuffer(4));
    // Plain JavaScript: a worker does not inherit the loaders that let the rest run unbuilt.
    this.#worker = new Worker(fileURLToPath(new URL('./writer-worker.js', import.meta.url)), {
      workerData: { ...data, handedOver: this.#handedOver } satisfies WriterData,
      execArgv: [],
      stdout: false,
    });
    this.opened = new Promise((resolve, reject) => {
      this.#worker.on('message', (message: FromWriter) => {
        if (message.kind === 'ready') {
          this.#head = message.position;
          resolve(message);
        } else if (message.kind === 'refused') {
          reject(new EventStoreError(message.code, message.message));
        } else this.#receive(message);
      });
      this.#worker.on('error', (error) => {
        reject(
          new EventStoreError('unavailable', 'the log writer did not start', { cause: error }),
        );
        this.#fail(`the log writer died: ${error.message}`, 'unavailable', Infinity);
      });
    });
    this.#ended = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#fail('the log writer ended', 'unavailable', Infinity);
        resolve();
      });
    });
  }

  /** Hands an append that has passed `checkAppend` to the writer, with the others of this turn. */
  append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    // After all that this turn still appends, and before anything that waits for the outside.
    if (this.#batch.size === 0) process.nextTick(this.#flushNow);
    this.#batch.add(stream, expected, events);
    if (this.#batch.size >= HANDED_OVER) this.#flush();
    // The caller may use its buffers again; the log's followers get these.
    const kept = events.map((event) => ({ ...event, data: Buffer.from(event.data) }));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ stream, events: kept, resolve, reject });
    });
  }

  /** Asks the writer to finish and waits until it did. It is never terminated: that aborts. */
  async close(): Promise<void> {
    this.#flush();
    this.#post({ kind: 'close' });
    await this.#ended;
  }

  #flush(): void {
    if (this.#batch.size === 0 || this.#failure !== undefined) return;
    const message = this.#batch.take();
    this.#post(message, [message.frames]);
  }

  #post(message: ToWriter, transferred: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transferred);
    Atomics.add(this.#handedOver, 0, 1);
  }

  #receive(message: FromWriter): void {
    if (message.kind === 'outcomes') {
      this.#settle(message.outcomes, message.head);
    } else if (message.kind === 'failed') {
      this.#fail(message.message, message.code, message.unknown);
    }
  }

  #settle(outcomes: readonly number[], head: number): void {
    const committed: Committed[] = [];
    for (let i = 0; i + 2 < outcomes.length; i += 3) {
      const waiting = this.#next();
      const revision = outcomes[i + 1] ?? -1;
      if (outcomes[i] === 0) {
        const last = outcomes[i + 2] ?? 0;
        // What lies behind the head was written before: this was a re-send.
        if (waiting !== undefined && last > this.#head) {
          const { stream, events } = waiting;
          const before = events.length - 1;
          committed.push({ stream, revision: revision - before, position: last - before, events });
          this.#head = last;
        }
        waiting?.resolve({ revision: BigInt(revision), position: positionOf(last) });
      } else if (outcomes[i] === 1) {
        waiting?.reject(conflict(revision < 0 ? 'no-stream' : BigInt(revision)));
      } else {
        waiting?.reject(overlap());
      }
    }
    this.#head = head;
    this.#events.onHead(head, committed);
  }

  #next(): Waiting | undefined {
    const waiting = this.#waiting[this.#answered];
    this.#answered += 1;
    if (this.#answered > 1024 || this.#answered === this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#answered);
      this.#answered = 0;
    }
    return waiting;
  }

  /** Nothing is acknowledged any more: what was under way may be written, what comes is not. */
  #fail(message: string, code: EventStoreError['code'], unknown: number): void {
    if (this.#failure !== undefined) return;
    const failure = new EventStoreError(code, message);
    this.#failure = failure;
    const waiting = this.#waiting.slice(this.#answered);
    this.#waiting = [];
    for (const [i, { reject }] of waiting.entries()) {
      reject(
        i >= unknown
          ? failure
          : new EventStoreError(
              'outcome-unknown',
              `${message}. This append may have been written: send it again after a restart`,
              { cause: failure },
            ),
      );
    }
    this.#events.onFailure(failure);
  }
}
