/**
 * `bivouac bus verify`: whether the topic says what the log says. Reads both whole, the topic without a
 * trace, and names the first difference. Duplicates, and what has expired or is not published yet, are
 * no differences: consumers drop the one and read the other from the log.
 */
import { createHash } from 'node:crypto';

import {
  eventRegistry,
  formatPosition,
  is,
  type Position,
  type StoredEvent,
} from '@bivouac/events/language';

import { RuntimeError } from '../../runtime/errors.ts';
import { isPublished, partitionOf } from '../partition.ts';
import type { BusMessage, Mark } from '../port.ts';
import { kafkaClient, kafkaError, type KafkaLogger, kafkaSettings } from './client.ts';
import { busMessage, epochOf, MessageError } from './message.ts';
import { readWholeTopic, type TopicMessage } from './read-topic.ts';
import { relayEvents, RelayCheckpointRecorded } from './relay-events.ts';
import { topicOf } from './topic.ts';

export interface Difference {
  /** Of the event concerned. */
  readonly position: Position;
  readonly partition: number;
  /** What is different, as a clause. */
  readonly what: string;
}

export interface BusComparison {
  readonly ok: boolean;
  readonly topic: string;
  /** How far the relay says it came; null: it has said nothing yet. */
  readonly published: Mark;
  readonly counts: {
    /** Events on the topic, each once; those there again; markers; messages that cannot be read. */
    readonly events: number;
    readonly again: number;
    readonly markers: number;
    readonly unreadable: number;
    /** Events of the log that the topic no longer has, and that were not published yet. */
    readonly expired: number;
    readonly unpublished: number;
  };
  /** The difference at the lowest position. */
  readonly first: Difference | null;
  readonly differences: number;
}

export interface CompareOptions {
  readonly url: string;
  readonly logger: KafkaLogger;
  readonly epoch: string;
  /** Every event of the log, in order. */
  readonly events: () => Iterable<StoredEvent>;
}

/** Compares. Throws a RuntimeError where the brokers cannot be read or have no such topic. */
export async function compareTopic(options: CompareOptions): Promise<BusComparison> {
  const { url, logger, epoch } = options;
  const settings = kafkaSettings(url);
  const topic = topicOf(epoch);
  const kafka = await kafkaClient({ settings, logger });
  const admin = kafka.admin();
  try {
    await admin.connect();
    if (!(await admin.listTopics()).includes(topic)) {
      throw new RuntimeError(
        'misconfigured',
        `There is no topic ${topic} at ${settings.brokers.join(',')}: this log was not published there`,
      );
    }
    const { clusterId } = await admin.describeCluster();
    const held = new HeldTopic(epoch);
    await readWholeTopic({ kafka, admin, topic }, (read) => held.take(read));
    return held.against(options.events(), topic, `relay-${clusterId}`);
  } catch (error) {
    throw kafkaError(`${topic} cannot be read`, error);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** What a topic holds, as far as it takes to compare. */
class HeldTopic {
  readonly #epoch: string;
  readonly #held = new Map<Position, { readonly digest: string; readonly partition: number }>();
  readonly #firsts = new Map<number, Position>();
  readonly #lasts = new Map<number, Position>();
  readonly #counts = { events: 0, again: 0, markers: 0, unreadable: 0, expired: 0, unpublished: 0 };
  #first: Difference | null = null;
  #differences = 0;

  constructor(epoch: string) {
    this.#epoch = epoch;
  }

  take({ partition, message }: TopicMessage): void {
    let read: BusMessage;
    try {
      if (epochOf(message) !== this.#epoch) throw new MessageError('it is of another epoch');
      read = busMessage(message);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.#counts.unreadable++;
      return;
    }
    if (read.kind === 'event') {
      this.#event(partition, read.event, read.prev);
      return;
    }
    this.#counts.markers++;
    const last = this.#lasts.get(partition);
    if (read.prev !== null && last !== undefined && read.prev > last) {
      this.#differ(partition, read.prev, 'is named by a marker, but is not on the topic before it');
    }
  }

  #event(partition: number, event: StoredEvent, prev: Mark): void {
    const { position } = event;
    const digest = digestOf(event);
    const before = this.#held.get(position);
    const last = this.#lasts.get(partition);
    if (before !== undefined) {
      this.#counts.again++;
      if (before.digest !== digest)
        this.#differ(partition, position, 'is on the topic twice, unlike each other');
      return;
    }
    this.#counts.events++;
    this.#held.set(position, { digest, partition });
    if (partitionOf(event.homeid) !== partition) {
      this.#differ(partition, position, `belongs on partition ${partitionOf(event.homeid)}`);
    }
    if (last === undefined) {
      this.#firsts.set(partition, position);
    } else if (position < last) {
      this.#differ(partition, position, `comes behind ${last}`);
      return;
    } else if (prev !== last) {
      this.#differ(
        partition,
        position,
        `names ${prev ?? 'none'} as the one before it, the topic has ${last}`,
      );
    }
    this.#lasts.set(partition, position);
  }

  /** Holds the log against it. */
  against(events: Iterable<StoredEvent>, topic: string, relay: string): BusComparison {
    const registry = eventRegistry(relayEvents);
    let published: Mark = null;
    const absent: { readonly position: Position; readonly partition: number }[] = [];
    for (const event of events) {
      const { position } = event;
      if (event.stream === relay) {
        const recorded = registry.decode(event);
        if (
          recorded !== undefined &&
          is(recorded, RelayCheckpointRecorded) &&
          recorded.data.topic === topic
        ) {
          published = formatPosition(BigInt(recorded.data.position));
        }
      }
      if (!isPublished(event.stream)) continue;
      const partition = partitionOf(event.homeid);
      const held = this.#held.get(position);
      if (held === undefined) absent.push({ position, partition });
      else if (held.digest !== digestOf(event)) {
        this.#differ(partition, position, `is not as the log has it (event ${event.id})`);
      }
      this.#held.delete(position);
    }
    for (const { position, partition } of absent) this.#absent(position, partition, published);
    for (const [position, { partition }] of this.#held) {
      this.#differ(partition, position, 'is on the topic, but the log has no such event');
    }
    return {
      ok: this.#differences === 0,
      topic,
      published,
      counts: this.#counts,
      first: this.#first,
      differences: this.#differences,
    };
  }

  #absent(position: Position, partition: number, published: Mark): void {
    const first = this.#firsts.get(partition);
    const last = this.#lasts.get(partition);
    if (published === null || position > published) {
      this.#counts.unpublished++;
    } else if (first !== undefined && last !== undefined && position > first && position < last) {
      this.#differ(partition, position, 'is missing on the topic');
    } else if (first === undefined || position < first) {
      this.#counts.expired++;
    } else {
      this.#differ(
        partition,
        position,
        'is missing at the end of the topic, though the relay says it was published',
      );
    }
  }

  #differ(partition: number, position: Position, what: string): void {
    this.#differences++;
    if (this.#first === null || position < this.#first.position) {
      this.#first = { position, partition, what };
    }
  }
}

/** Everything an event says, and where it stands. */
function digestOf(event: StoredEvent): string {
  const { data, revision, ...rest } = event;
  const hash = createHash('sha256');
  hash.update(JSON.stringify(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))));
  hash.update(revision.toString());
  hash.update(data);
  return hash.digest('base64');
}
