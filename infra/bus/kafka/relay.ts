/**
 * The relay: follows the log and publishes it, in order, each event naming the one before it on its
 * partition, with a marker to every partition each second. Its checkpoint moves only over what was
 * acknowledged; what a crash leaves between the two is published twice.
 */
import type { Position, StoredEvent } from '@bivouac/events/language';

import type { EventStore, SubscriptionMessage } from '../../event-store/port.ts';
import type { Clock } from '../../runtime/clock.ts';
import { appendOf, isTracing, type Spanned, startSpan } from '../../tracing/spans.ts';
import { isPublished, partitionOf } from '../partition.ts';
import { type Mark, PARTITIONS } from '../port.ts';
import type { KafkaLogger } from './client.ts';
import { eventMessage, markerMessage, type Outgoing, sizeOf } from './message.ts';
import type { Publisher } from './publisher.ts';
import type { RelayCheckpoint } from './relay-checkpoint.ts';

/** Milliseconds between two rounds of markers, and at least between two checkpoints. */
const MARKER_INTERVAL = 1000;
/** Milliseconds a stop waits for the batch on its way. */
const STOP_PATIENCE = 2000;
/** Events read at once. */
const PAGE = 1000;
/** Bytes of one partition in one batch, a third of what the topic takes: see {@link sizeOf}. */
const PARTITION_BYTES = 320 * 1024;
/** Bytes of one batch over all partitions: bounds memory. */
const BATCH_BYTES = 4 * 1024 * 1024;

/** An event of the log, by where it stands. */
interface At {
  readonly position: Position;
  readonly id: string;
}

export interface RelayOptions {
  readonly store: Pick<EventStore, 'subscribe'>;
  readonly publisher: Pick<Publisher, 'publish' | 'close'>;
  readonly checkpoint: RelayCheckpoint;
  readonly epoch: string;
  /** The network's time: when markers are due. */
  readonly network: Clock;
  readonly logger: KafkaLogger;
  /** Called once: the relay has stopped by itself and the process should end. */
  readonly onFailure: (error: unknown) => void;
}

export class Relay {
  /** Events acknowledged by the topic since the start. */
  published = 0;
  readonly #options: RelayOptions;
  readonly #stop = new AbortController();
  #lasts: Mark[] = new Array<Mark>(PARTITIONS).fill(null);
  /** The last event read; every published one at or below is acknowledged. */
  #head: At | undefined;
  /** The last acknowledged event. */
  #last: At | undefined;
  #moved = false;
  #failed = false;
  /** Sends come one after the other: markers must not overtake what they speak of. */
  #turn: Promise<unknown> = Promise.resolve();
  #running: Promise<unknown> = Promise.resolve();

  private constructor(options: RelayOptions) {
    this.#options = options;
  }

  /** Starts behind the checkpoint. Throws what the store throws. */
  static async start(options: RelayOptions): Promise<Relay> {
    const relay = new Relay(options);
    const published = await options.checkpoint.load();
    if (published !== undefined) {
      relay.#last = { position: published.position, id: published.eventId };
      relay.#head = relay.#last;
      published.lasts.forEach((last, p) => (relay.#lasts[p] = last));
    }
    relay.#running = Promise.all([relay.#follow(), relay.#beat()]).catch((error: unknown) => {
      relay.#fail(error);
    });
    return relay;
  }

  /** Every published event at or below is acknowledged; null: none was. */
  get head(): Position | null {
    return this.#head?.position ?? null;
  }

  /** Publishes nothing more, writes the last checkpoint. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stop.abort();
    // What is on its way is mostly there in a moment, and need not come twice then.
    const over = new AbortController();
    await Promise.race([this.#turn, this.#options.network.sleep(STOP_PATIENCE, over.signal)]);
    over.abort();
    await this.#options.publisher.close();
    await this.#running;
    if (!this.#failed) await this.#save().catch(() => undefined);
  }

  async #follow(): Promise<void> {
    const { store, epoch } = this.#options;
    const { signal } = this.#stop;
    const last = this.#last;
    const after = last && { after: { epoch, position: last.position, eventId: last.id } };
    const log = store.subscribe({ ...after, batch: PAGE, signal })[Symbol.asyncIterator]();
    let next = log.next();
    for (;;) {
      const read = await next;
      if (read.done === true) break;
      // The next page is read while this one is on its way.
      next = log.next();
      next.catch(() => undefined);
      await this.#take(read.value);
      if (signal.aborted) return;
    }
    if (!signal.aborted) throw new Error('the subscription to the log ended by itself');
  }

  async #take(message: SubscriptionMessage): Promise<void> {
    if (message.kind !== 'events') return;
    let batch = new Batch(this.#lasts);
    for (const event of message.events) {
      if (isPublished(event.stream) && !batch.add(event)) {
        if (!(await this.#publish(batch))) return;
        batch = new Batch(this.#lasts);
        batch.add(event);
      }
      batch.head = { position: event.position, id: event.id };
    }
    await this.#publish(batch);
  }

  /** False: it was stopped before all was acknowledged. */
  #publish(batch: Batch): Promise<boolean> {
    return this.#inTurn(async () => {
      const { messages, last } = batch;
      if (messages.length > 0) {
        if (!(await this.#options.publisher.publish(messages))) return false;
        batch.acknowledged();
        this.published += messages.length;
        this.#lasts = batch.lasts;
        this.#last = last;
        this.#moved = true;
      }
      this.#head = batch.head ?? this.#head;
      return true;
    });
  }

  /** A loss is found even if nothing follows: each second every partition is told where it stands. */
  async #beat(): Promise<void> {
    const { network, publisher, epoch } = this.#options;
    const { signal } = this.#stop;
    for (;;) {
      await network.sleep(MARKER_INTERVAL, signal);
      if (signal.aborted) return;
      await this.#inTurn(() => {
        const head = this.#head?.position ?? null;
        const of = { epoch, headId: this.#head?.id };
        return publisher.publish(
          this.#lasts.map((prev, partition) => markerMessage(partition, { prev, head }, of)),
        );
      });
      await this.#save();
    }
  }

  /** Only what was published moves it: the checkpoint's own event must not cause the next. */
  async #save(): Promise<void> {
    const last = this.#last;
    if (!this.#moved || last === undefined) return;
    this.#moved = false;
    const { position, id: eventId } = last;
    const outcome = await this.#options.checkpoint.save({
      position,
      eventId,
      lasts: [...this.#lasts],
    });
    if (outcome === 'later') this.#moved = true;
  }

  #inTurn<T>(send: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(send);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  #fail(error: unknown): void {
    if (this.#stop.signal.aborted || this.#failed) return;
    this.#failed = true;
    this.#options.logger.error(
      { err: error },
      'the relay has stopped: nothing more reaches the bus',
    );
    this.#stop.abort();
    void this.#options.publisher.close();
    this.#options.onFailure(error);
  }
}

/** Messages that go out together: no more than a topic or memory takes. */
class Batch {
  readonly messages: Outgoing[] = [];
  /** Of each partition the last event, should the batch be acknowledged. */
  readonly lasts: Mark[];
  last: At | undefined;
  head: At | undefined;
  readonly #spans: Spanned[] = [];
  readonly #sizes = new Array<number>(PARTITIONS).fill(0);
  #size = 0;

  constructor(lasts: readonly Mark[]) {
    this.lasts = [...lasts];
  }

  /** False: it is full. */
  add(event: StoredEvent): boolean {
    const partition = partitionOf(event.homeid);
    const span = isTracing() ? publishing(event, partition) : undefined;
    const message = eventMessage(event, this.lasts[partition] ?? null, span?.traceparent);
    const size = sizeOf(message);
    const inPartition = (this.#sizes[partition] ?? 0) + size;
    const full = inPartition > PARTITION_BYTES || this.#size + size > BATCH_BYTES;
    if (full && this.messages.length > 0) return false;
    this.messages.push(message);
    if (span !== undefined) this.#spans.push(span);
    this.lasts[partition] = event.position;
    this.last = { position: event.position, id: event.id };
    this.#sizes[partition] = inPartition;
    this.#size += size;
    return true;
  }

  /** The topic has all of it. */
  acknowledged(): void {
    for (const span of this.#spans) span.end();
  }
}

/** The span of an event's publishing, below that of its append. */
function publishing(event: StoredEvent, partition: number): Spanned {
  return startSpan({
    name: `publish ${event.type}`,
    kind: 'producer',
    attributes: {
      'bivouac.event.id': event.id,
      'bivouac.position': event.position,
      'bivouac.home': event.homeid,
      'messaging.system': 'kafka',
      'messaging.destination.partition.id': String(partition),
    },
    correlationId: event.correlationid,
    parent: appendOf(event),
  });
}
