/** The road of an event without what walks it: the bare clients of the log and of Kafka. */
import { randomUUID } from 'node:crypto';

import { createLogger } from '@bivouac/infra/runtime';
import { EventStoreDBClient, NO_STREAM } from '@eventstore/db-client';
import type { Consumer, Producer } from 'kafkajs';

import { kafkaClient, kafkaSettings } from '../../../infra/bus/kafka/client.ts';
import { toEventData } from '../../../infra/event-store/eventstoredb/codec.ts';
import { benchRows } from '../limits/store-rows.ts';

/** What an adapter must send so that the client appends by the call that has a deadline. */
const credentials = { username: 'nobody', password: 'nobody' };

/** Opened on the brokers and the log that the system uses, with a topic of its own. */
export class BareRoad {
  readonly #log: EventStoreDBClient;
  readonly #producer: Producer;
  readonly #consumer: Consumer;
  readonly #topic: string;
  readonly #removeTopic: () => Promise<void>;
  // Streams of each run are its own.
  readonly #rows = benchRows(randomUUID());
  readonly #arriving = new Map<string, () => void>();

  private constructor(parts: {
    readonly log: EventStoreDBClient;
    readonly producer: Producer;
    readonly consumer: Consumer;
    readonly topic: string;
    readonly removeTopic: () => Promise<void>;
  }) {
    this.#log = parts.log;
    this.#producer = parts.producer;
    this.#consumer = parts.consumer;
    this.#topic = parts.topic;
    this.#removeTopic = parts.removeTopic;
  }

  static async open(busUrl: string, logUrl: string): Promise<BareRoad> {
    const settings = kafkaSettings(busUrl);
    const logger = createLogger('error', process.stderr);
    const kafka = await kafkaClient({ settings, logger });
    const topic = `bivouac-bench-${randomUUID()}`;
    const admin = kafka.admin();
    await admin.connect();
    const replicationFactor = (await admin.describeCluster()).brokers.length;
    await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor }] });
    const producer = kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    const consumer = kafka.consumer({ groupId: topic });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const removeTopic = async (): Promise<void> => {
      await admin.deleteTopics({ topics: [topic] });
      await admin.disconnect();
    };
    const log = EventStoreDBClient.connectionString(logUrl);
    const road = new BareRoad({ log, producer, consumer, topic, removeTopic });
    await consumer.run({
      eachMessage: ({ message }) => {
        const key = message.key?.toString() ?? '';
        road.#arriving.get(key)?.();
        road.#arriving.delete(key);
        return Promise.resolve();
      },
    });
    // The group has to be joined before anything is timed.
    await road.walk(1);
    return road;
  }

  /** One event after the other, each appended, produced and consumed; milliseconds for all of them. */
  async walk(events: number): Promise<number> {
    const rows = Array.from({ length: events }, () => this.#rows.next().value);
    const prepared = rows.map(({ stream, revision, envelope, body }) => {
      const data = Buffer.from(JSON.stringify(body));
      const expectedRevision = revision === 0 ? NO_STREAM : BigInt(revision - 1);
      return { stream, expectedRevision, id: envelope.id, data, event: { ...envelope, data } };
    });
    const began = performance.now();
    for (const { stream, expectedRevision, id, data, event } of prepared) {
      await this.#log.appendToStream(stream, [toEventData(event)], {
        ...{ expectedRevision, requiresLeader: true, credentials },
      });
      const arrived = new Promise<void>((resolve) => this.#arriving.set(id, resolve));
      const messages = [{ key: id, value: data }];
      await this.#producer.send({ topic: this.#topic, acks: -1, messages });
      await arrived;
    }
    return performance.now() - began;
  }

  async close(): Promise<void> {
    await this.#consumer.disconnect();
    await this.#producer.disconnect();
    await this.#log.dispose();
    await this.#removeTopic();
  }
}
