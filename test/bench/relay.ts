/**
 * Publishing a log to Kafka against the bare client sending the same messages, prepared beforehand, to
 * the same topic: both a batch at a time, acknowledged by all copies. Runs where BUS_URL names brokers.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type EventStore, openEmbeddedStore } from '@bivouac/infra/event-store';
import { createLogger, readConfig, systemClock } from '@bivouac/infra/runtime';

import { kafkaClient, kafkaSettings } from '../../infra/bus/kafka/client.ts';
import { eventMessage, type Outgoing } from '../../infra/bus/kafka/message.ts';
import { Publisher } from '../../infra/bus/kafka/publisher.ts';
import { RelayCheckpoint } from '../../infra/bus/kafka/relay-checkpoint.ts';
import { Relay } from '../../infra/bus/kafka/relay.ts';
import { ensureTopic, topicOf } from '../../infra/bus/kafka/topic.ts';
import { partitionOf } from '../../infra/bus/partition.ts';
import { type BenchPart, type Figure, pairsOf, progress, secondsOf } from './figure.ts';
import { benchRows } from './limits/store-rows.ts';

/** Events of the log, and of one batch of the limit. */
const EVENTS = 50_000;
const BATCH = 1000;

type Kafka = Awaited<ReturnType<typeof kafkaClient>>;

/** `relay.throughput`; takes about a minute. */
export const relayBenchmarks: BenchPart = { names: ['relay.throughput'], run };

async function run(): Promise<Record<string, Figure>> {
  const { BUS_URL } = readConfig();
  if (BUS_URL === 'embedded:') {
    progress('left out: BUS_URL names no brokers (infra/dev/up kafka)');
    return {};
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'bivouac-bench-'));
  const store = await openEmbeddedStore({ folder });
  const settings = kafkaSettings(BUS_URL);
  const logger = createLogger('warn', process.stderr);
  const kafka = await kafkaClient({ settings, logger });
  const { epoch } = await store.head();
  const topic = topicOf(epoch);
  const admin = kafka.admin();
  await admin.connect();
  const { replication } = settings;
  await ensureTopic(admin, { topic, replication, logger, network: systemClock });
  try {
    await fill(store);
    const batches = await prepared(store);
    const figure = await pairsOf(
      'events/s',
      () => relayed(store, kafka, { topic, epoch }),
      () => sent(kafka, topic, batches),
    );
    return { 'relay.throughput': figure };
  } finally {
    await admin.deleteTopics({ topics: [topic] });
    await admin.disconnect();
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

/** The relay over the whole log, as if it had never published it; events a second. */
async function relayed(
  store: EventStore,
  kafka: Kafka,
  { topic, epoch }: { readonly topic: string; readonly epoch: string },
): Promise<number> {
  const logger = createLogger('warn', process.stderr);
  const network = systemClock;
  const publisher = new Publisher({
    ...{ kafka, topic, network, logger },
    ensureTopic: () => Promise.resolve(),
    random: Math.random,
  });
  await publisher.open();
  // A cluster of its own each time: its checkpoint would go on behind the last.
  const clusterId = `bench-${crypto.randomUUID()}`;
  const checkpoint = new RelayCheckpoint({
    ...{ clusterId, topic, store, tenantId: 'platform' },
    clock: systemClock,
  });
  let failure: unknown;
  const seconds = await secondsOf(async () => {
    const onFailure = (error: unknown): void => void (failure = error);
    const relay = await Relay.start({
      ...{ store, publisher, checkpoint, epoch, network, logger },
      onFailure,
    });
    while (relay.published < EVENTS && failure === undefined) await setTimeout(2);
    void relay.stop();
  });
  if (failure !== undefined) throw new Error('the relay failed', { cause: failure });
  return EVENTS / seconds;
}

/** The client alone. */
async function sent(
  kafka: Kafka,
  topic: string,
  batches: readonly (readonly Outgoing[])[],
): Promise<number> {
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const seconds = await secondsOf(async () => {
    for (const messages of batches) {
      await producer.send({ topic, acks: -1, messages: [...messages] });
    }
  });
  await producer.disconnect();
  return EVENTS / seconds;
}

async function fill(store: EventStore): Promise<void> {
  const rows = benchRows('relay');
  for (let done = 0; done < EVENTS; done += BATCH) {
    const some = Array.from({ length: BATCH }, () => rows.next().value);
    await Promise.all(
      some.map(({ stream, revision, envelope, body }) =>
        store.append(stream, revision === 0 ? 'no-stream' : BigInt(revision - 1), [
          { ...envelope, data: Buffer.from(JSON.stringify(body)) },
        ]),
      ),
    );
  }
}

/** The same messages, byte for byte, as the relay makes. */
async function prepared(store: EventStore): Promise<Outgoing[][]> {
  const lasts = new Map<number, string>();
  const batches: Outgoing[][] = [];
  for (let after: string | undefined; batches.length * BATCH < EVENTS;) {
    const page = await store.readAll({ limit: BATCH, ...(after !== undefined && { after }) });
    batches.push(
      page.events.map((event) => {
        const partition = partitionOf(event.homeid);
        const prev = lasts.get(partition) ?? null;
        lasts.set(partition, event.position);
        // Bodies are views of the page: what is kept is copied.
        return eventMessage({ ...event, data: Buffer.from(event.data) }, prev);
      }),
    );
    after = page.events.at(-1)?.position;
  }
  return batches;
}
