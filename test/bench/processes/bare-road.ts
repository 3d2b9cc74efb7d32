/** The road of an event without what walks it: the bare clients of the log and of Kafka. */
import { randomUUID } from 'node:crypto';

import { Closing } from '@bivouac/infra/process';
import { createLogger } from '@bivouac/infra/runtime';
import { type AppendExpectedRevision, EventStoreDBClient, NO_STREAM } from '@eventstore/db-client';
import type { Producer } from 'kafkajs';

import { kafkaClient, kafkaSettings } from '../../../infra/bus/kafka/client.ts';
import { toEventData } from '../../../infra/event-store/eventstoredb/codec.ts';
import { benchRows } from '../limits/store-rows.ts';

/** What an adapter must send so that the client appends by the call that has a deadline. */
const credentials = { username: 'nobody', password: 'nobody' };

/** Opened on the brokers and the log that the system uses, with a topic of its own. */
export class BareRoad {
  readonly #log: EventStoreDBClient;
  readonly #producer: Producer;
  readonly #topic: string;
  readonly #closing: Closing;
  // Streams of each run are its own.
  readonly #rows = benchRows(randomUUID());
  readonly #arriving = new Map<string, () => void>();

  private constructor(logUrl: string, producer: Producer, topic: string, closing: Closing) {
    this.#log = EventStoreDBClient.connectionString(logUrl);
    this.#producer = producer;
    this.#topic = topic;
    this.#closing = closing;
    closing.add(() => this.#log.dispose());
  }

  static async open(busUrl: string, logUrl: string): Promise<BareRoad> {
    const logger = createLogger('error', process.stderr);
    const kafka = await kafkaClient({ settings: kafkaSettings(busUrl), logger });
    const topic = `bivouac-bench-${randomUUID()}`;
    const closing = new Closing();
    return closing.opening(async () => {
      const admin = kafka.admin();
      await admin.connect();
      closing.add(() => admin.disconnect());
      const replicationFactor = (await admin.describeCluster()).brokers.length;
      await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor }] });
      closing.add(() => admin.deleteTopics({ topics: [topic] }));
      const producer = kafka.producer({ allowAutoTopicCreation: false });
      await producer.connect();
      closing.add(() => producer.disconnect());
      const consumer = kafka.consumer({ groupId: topic });
      await consumer.connect();
      closing.add(() => consumer.disconnect());
      await consumer.subscribe({ topic, fromBeginning: true });
      const road = new BareRoad(logUrl, producer, topic, closing);
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
    });
  }

  /** One event after the other, each appended, produced and consumed; milliseconds for all of them. */
  async walk(events: number): Promise<number> {
    const rows = Array.from({ length: events }, () => this.#rows.next().value);
    const prepared = rows.map(({ stream, revision, envelope, body }) => {
      const data = Buffer.from(JSON.stringify(body));
      const expectedRevision: AppendExpectedRevision =
        revision === 0 ? NO_STREAM : BigInt(revision - 1);
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

  close(): Promise<void> {
    return this.#closing.close();
  }
}
