/**
 * Following a log: the one subscription of every adapter that can read pages and ring a bell when
 * something was committed. Pull-based: a slow follower holds one page, never a queue.
 */
import { formatPosition, type Position, type StoredEvent } from '@bivouac/events/language';
import { checkLimit, checkPosition } from './refusals.ts';
import {
  type Checkpoint,
  EventStoreError,
  type EventStore,
  type LogPage,
  type SubscribeOptions,
  type SubscriptionMessage,
} from './port.ts';

/** What following needs of an adapter. */
export interface FollowedLog extends Pick<EventStore, 'readAll' | 'head'> {
  readonly bell: CommitBell;
  /**
   * The page after a position where the adapter has it in memory: the same events that `readAll`
   * would give, and never an empty page. Absent, or undefined: it is read.
   */
  recent?(after: Position | null, limit: number): LogPage | undefined;
  /**
   * The event at exactly this position, if one stands there. Absent: positions are without gaps, and
   * it is the one that follows the position before.
   */
  at?(position: Position): Promise<Pick<StoredEvent, 'id'> | undefined>;
}

/** Wakes followers when the log has grown, and ends them when it closes. */
export class CommitBell {
  #last: Position | null;
  #ended: EventStoreError | undefined;
  #waiting: (() => void)[] = [];

  constructor(last: Position | null) {
    this.#last = last;
  }

  /** The log now reaches this position. */
  ring(position: Position): void {
    this.#last = position;
    this.#wake();
  }

  /** Followers end with this error, also those that come later. */
  end(error: EventStoreError): void {
    this.#ended ??= error;
    this.#wake();
  }

  /** Why nothing can be followed any more. */
  get ended(): EventStoreError | undefined {
    return this.#ended;
  }

  /** Resolves when the log reaches beyond the position, when it ended, or on the signal. */
  async beyond(position: Position | null, signal: AbortSignal | undefined): Promise<void> {
    while (!this.#ended && !isAborted(signal) && !isBeyond(this.#last, position)) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        signal?.addEventListener('abort', wake, { once: true });
        this.#waiting.push(wake);
      });
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

/** Follows the log as {@link EventStore.subscribe} promises. */
export async function* follow(
  log: FollowedLog,
  options: SubscribeOptions = {},
): AsyncGenerator<SubscriptionMessage, void, undefined> {
  const { after, signal } = options;
  const limit = checkLimit(options.batch, 500);
  if (after !== undefined) await checkCheckpoint(log, after);
  let position = after?.position ?? null;
  for (;;) {
    if (isAborted(signal)) return;
    if (log.bell.ended) throw log.bell.ended;
    const page =
      log.recent?.(position, limit) ??
      (await log.readAll(position === null ? { limit } : { after: position, limit }));
    const last = page.events.at(-1);
    // An abort while the page was read wins: what was not delivered comes again after a resume.
    if (isAborted(signal)) return;
    if (last !== undefined) {
      position = last.position;
      yield { kind: 'events', events: page.events };
    }
    if (!page.end) continue;
    yield { kind: 'caught-up', head: position };
    await log.bell.beyond(position, signal);
  }
}

/** Law "nobody skips": the event at the checkpoint must be the one the follower saw there. */
async function checkCheckpoint(log: FollowedLog, checkpoint: Checkpoint): Promise<void> {
  const { epoch } = await log.head();
  if (epoch !== checkpoint.epoch) {
    throw mismatch(checkpoint, `the log is of epoch ${epoch}, the checkpoint of another`);
  }
  const found = await (log.at?.(checkpoint.position) ?? eventAt(log, checkpoint.position));
  if (found === undefined) throw mismatch(checkpoint, 'no event of the log stands there');
  if (found.id !== checkpoint.eventId) throw mismatch(checkpoint, `event ${found.id} stands there`);
}

async function eventAt(
  log: FollowedLog,
  position: Position,
): Promise<Pick<StoredEvent, 'id'> | undefined> {
  const n = checkPosition(position, 0);
  if (n === 0) return undefined;
  const before = n > 1 ? { after: formatPosition(BigInt(n - 1)) } : {};
  const { events } = await log.readAll({ ...before, limit: 1 });
  return events.find((event) => event.position === position);
}

function mismatch(checkpoint: Checkpoint, why: string): EventStoreError {
  return new EventStoreError(
    'checkpoint-mismatch',
    `cannot resume after event ${checkpoint.eventId} at ${checkpoint.position} of epoch ` +
      `${checkpoint.epoch}: ${why}. This is not the log that was followed: rebuild from its start`,
  );
}

/** A call, because the compiler takes a property it has seen false to stay false. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function isBeyond(last: Position | null, position: Position | null): boolean {
  return last !== null && (position === null || last > position);
}
