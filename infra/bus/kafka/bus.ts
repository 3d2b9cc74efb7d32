/**
 * The bus on Kafka: a relay from the log to the topic of its epoch, and consumer groups from there.
 * What the topic does not have, because it was lost, deleted or has expired, consumers read from the
 * log: every message names the one before it.
 */
import type { Admin, ISocketFactory, Kafka } from 'kafkajs';

import type { EventStore } from '../../event-store/port.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import type { Metrics } from '../../runtime/metrics/port.ts';
import type { Bus, Consumer, ConsumerOptions } from '../port.ts';
import { kafkaClient, kafkaError, type KafkaLogger, kafkaSettings } from './client.ts';
import { KafkaConsumer } from './consumer.ts';
import { measureRelay } from './measured-relay.ts';
import { membersOf } from './member.ts';
import { Publisher } from './publisher.ts';
import { RelayCheckpoint } from './relay-checkpoint.ts';
import { Relay } from './relay.ts';
import { checkSameLog } from './same-log.ts';
import { ensureTopic, topicOf } from './topic.ts';

export interface KafkaBusOptions {
  /** `kafka://host:port[,host:port][?…]`, see url.ts. */
  readonly url: string;
  readonly store: EventStore;
  /** The injected clock: recorded times of the relay's checkpoints. */
  readonly clock: Clock;
  readonly logger: KafkaLogger;
  /** Tenant in the envelope of the relay's checkpoints: the provider. */
  readonly tenantId: string;
  /** Called once: the relay has stopped by itself and the process should end. */
  readonly onFailure: (error: unknown) => void;
  readonly metrics?: Metrics;
  /** Whether this process publishes the log; true by default. One does. */
  readonly relays?: boolean;
  /** The network's time: deadlines, pauses, markers. The machine's by default. */
  readonly network?: Clock;
  /** For tests: lets faults into the connections. */
  readonly socketFactory?: ISocketFactory;
}

/** A bus on Kafka. Closing it does not close the store. */
export interface KafkaBus extends Bus {
  readonly topic: string;
  /** Absent where another process publishes. */
  readonly relay: Relay | undefined;
}

/**
 * Connects, makes the topic where it is missing, starts the relay.
 *
 * @throws RuntimeError `misconfigured` or `unavailable`, saying what to check.
 */
export async function openKafkaBus(options: KafkaBusOptions): Promise<KafkaBus> {
  const { url, store, logger, socketFactory, network = systemClock } = options;
  const settings = kafkaSettings(url);
  const { epoch } = await store.head();
  const topic = topicOf(epoch);
  const kafka = await kafkaClient({ settings, logger, ...(socketFactory && { socketFactory }) });
  const admin = kafka.admin();
  const ensure = async (): Promise<void> => {
    // By a connection of its own: one that has asked for a topic which is gone since asks for it ever
    // after, and fails.
    const maker = kafka.admin();
    try {
      await maker.connect();
      await ensureTopic(maker, { topic, replication: settings.replication, logger, network });
    } finally {
      void maker.disconnect().catch(() => undefined);
    }
  };
  let relay: Relay | undefined;
  try {
    await admin.connect();
    await ensure();
    if (options.relays !== false)
      relay = await startRelay(options, { kafka, admin, topic, epoch, ensure });
  } catch (error) {
    void admin.disconnect().catch(() => undefined);
    throw kafkaError(`the bus cannot be opened at ${settings.brokers.join(',')}`, error);
  }
  return new RunningBus(options, { kafka, admin, topic, epoch, relay });
}

interface Connected {
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly topic: string;
  readonly epoch: string;
}

async function startRelay(
  options: KafkaBusOptions,
  { kafka, admin, topic, epoch, ensure }: Connected & { readonly ensure: () => Promise<void> },
): Promise<Relay> {
  const { store, clock, logger, tenantId, onFailure, network = systemClock } = options;
  const { clusterId } = await admin.describeCluster();
  const publisher = new Publisher({
    kafka,
    topic,
    ensureTopic: ensure,
    network,
    logger,
    random: Math.random,
  });
  try {
    await checkSameLog({ kafka, admin, topic, store });
    await publisher.open();
    const checkpoint = new RelayCheckpoint({ clusterId, topic, store, clock, tenantId });
    const relay = await Relay.start({
      ...{ store, publisher, checkpoint, epoch, network, logger, onFailure },
    });
    if (options.metrics !== undefined)
      measureRelay({ relay, publisher, store, clock, metrics: options.metrics });
    return relay;
  } catch (error) {
    void publisher.close();
    throw error;
  }
}

/** Milliseconds that a close waits for groups to be left, so that others need not wait them out. */
const LEAVE_PATIENCE = 1000;

class RunningBus implements KafkaBus {
  readonly topic: string;
  readonly relay: Relay | undefined;
  readonly #options: KafkaBusOptions;
  readonly #connected: Connected;
  readonly #groups = new Map<string, KafkaConsumer | undefined>();
  #closed = false;

  constructor(
    options: KafkaBusOptions,
    connected: Connected & { readonly relay: Relay | undefined },
  ) {
    this.#options = options;
    this.#connected = connected;
    this.topic = connected.topic;
    this.relay = connected.relay;
  }

  async consume(consume: ConsumerOptions): Promise<Consumer> {
    const { group } = consume;
    const { kafka, admin, topic, epoch } = this.#connected;
    const { logger, network = systemClock } = this.#options;
    if (this.#closed) throw new RuntimeError('shutting-down', 'the bus is closed');
    if (this.#groups.has(group)) {
      throw new RuntimeError('misconfigured', `group ${group} consumes already in this process`);
    }
    this.#groups.set(group, undefined);
    const consumer = await KafkaConsumer.open({
      newMember: membersOf(kafka),
      admin,
      topic,
      epoch,
      // Another history is another group: offsets of one topic mean nothing in another.
      groupId: `bivouac.${epoch}.${group}`,
      consume,
      network,
      logger,
      random: Math.random,
      ended: () => void this.#groups.delete(group),
    });
    if (this.#groups.has(group)) this.#groups.set(group, consumer);
    return consumer;
  }

  /** Ends the groups (stop consumers first: deliveries are hardly waited for), then the relay. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const consumers = [...this.#groups.values()].filter((consumer) => consumer !== undefined);
    await Promise.all(consumers.map((consumer) => consumer.stop(LEAVE_PATIENCE)));
    await this.relay?.stop();
    await this.#connected.admin.disconnect().catch(() => undefined);
  }
}
