/** The brokers that live tests run on: BUS_URL, or where `infra/dev/up kafka` starts one. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { env, stderr } from 'node:process';
import { promisify } from 'node:util';

import { expect, test } from '@jest/globals';
import { eventRegistry, formatPosition, is, type StoredEvent } from '@bivouac/events/language';

import { readWholeLog } from '../../../event-store/contract/samples.ts';
import { memoryEventStore } from '../../../event-store/memory.ts';
import type { EventStore } from '../../../event-store/port.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { isPublished } from '../../partition.ts';
import { type KafkaBus, type KafkaBusOptions, openKafkaBus } from '../bus.ts';
import { kafkaClient, type KafkaLogger, kafkaSettings } from '../client.ts';
import { readWholeTopic, type TopicMessage } from '../read-topic.ts';
import { relayEvents, RelayCheckpointRecorded } from '../relay-events.ts';
import { topicOf } from '../topic.ts';

/** Where `infra/dev/up kafka` keeps what it has started. */
const state = path.join(
  env['BIVOUAC_DEV_STATE'] ?? path.join(tmpdir(), `bivouac-dev-${process.getuid?.() ?? 0}`),
  'kafka',
);

/** Brokers that it has started; 0: others are used, and none of them can be killed. */
export const ownBrokers = env['BUS_URL'] === undefined ? countOf(path.join(state, 'brokers')) : 0;

export const url =
  env['BUS_URL'] ??
  `kafka://${['9092', '9192', '9292']
    .slice(0, Math.max(1, ownBrokers))
    .map((port) => `127.0.0.1:${port}`)
    .join(',')}`;

function countOf(file: string): number {
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
}

function pidOf(n: number): number {
  return Number(readFileSync(path.join(state, `broker-${n}.pid`), 'utf8'));
}

/** Ends one of our own brokers, without a warning; resolves when it takes no more connections. */
export async function killBroker(n: number): Promise<void> {
  process.kill(pidOf(n), 'SIGKILL');
  while (await answers(`127.0.0.1:${9000 + 100 * (n - 1) + 92}`)) continue;
}

/** Has one of our own brokers stand still, its connections open; answers what lets it go on. */
export function pauseBroker(n: number): () => void {
  const pid = pidOf(n);
  process.kill(pid, 'SIGSTOP');
  return () => {
    process.kill(pid, 'SIGCONT');
  };
}

/** Starts those again that were killed; answers what is said of how to reach them. */
export async function startBrokers(): Promise<string> {
  const options = ['kafka', '--brokers', String(Math.max(1, ownBrokers))];
  return (await promisify(execFile)('infra/dev/up', options)).stdout;
}

/** Runs the tests if a broker answers; else says so, which is a failure where all must run. */
export async function withBroker(define: () => void): Promise<void> {
  const [broker = ''] = kafkaSettings(url).brokers;
  if (await answers(broker)) {
    define();
    return;
  }
  test(`a broker answers at ${broker}`, () => {
    const missing = `Kafka was not reached at ${broker}: run infra/dev/up kafka.`;
    if (env['CI'] === 'true') throw new Error(missing);
    stderr.write(`${missing}\n`);
    expect(missing).toContain(broker);
  });
}

function answers(broker: string): Promise<boolean> {
  const colon = broker.lastIndexOf(':');
  const socket = connect({ host: broker.slice(0, colon), port: Number(broker.slice(colon + 1)) });
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  }).then((answered) => {
    socket.destroy();
    return answered === true;
  });
}

export interface Line {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: object;
}

/** A log with its topic, which is removed afterwards, and buses on it as of several processes. */
export class Installation {
  readonly store: EventStore = memoryEventStore();
  readonly lines: Line[] = [];
  readonly failures: unknown[] = [];
  /** Resolves when a relay has stopped by itself. */
  readonly failed: Promise<void>;
  #fail: () => void = () => undefined;
  readonly #buses: KafkaBus[] = [];

  constructor() {
    this.failed = new Promise((resolve) => (this.#fail = resolve));
  }

  async open(more: Partial<KafkaBusOptions> = {}): Promise<KafkaBus> {
    const bus = await openKafkaBus({
      url,
      store: this.store,
      clock: systemClock,
      logger: this.logger,
      tenantId: 'platform',
      onFailure: (error) => {
        this.failures.push(error);
        this.#fail();
      },
      ...more,
    });
    this.#buses.push(bus);
    return bus;
  }

  get logger(): KafkaLogger {
    const at =
      (level: Line['level']) =>
      (fields: object, message: string): void =>
        void this.lines.push({ level, message, fields });
    return { debug: () => undefined, info: at('info'), warn: at('warn'), error: at('error') };
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#buses.map((bus) => bus.close()));
    await this.admin(async (admin) => {
      const { epoch } = await this.store.head();
      const topics = (await admin.listTopics()).filter((topic) => topic === topicOf(epoch));
      if (topics.length > 0) await admin.deleteTopics({ topics });
    });
    await this.store.close();
  }

  /** Resolves when a relay has recorded that everything published up to the log's present end is there. */
  async relayed(): Promise<void> {
    const events = await readWholeLog(this.store);
    const last = events.findLast((event) => isPublished(event.stream))?.position ?? '';
    const registry = eventRegistry(relayEvents);
    for await (const message of this.store.subscribe()) {
      if (message.kind !== 'events') continue;
      for (const event of message.events) {
        if (!event.stream.startsWith('relay-')) continue;
        const recorded = registry.decode(event);
        if (recorded === undefined || !is(recorded, RelayCheckpointRecorded)) continue;
        if (formatPosition(BigInt(recorded.data.position)) >= last) return;
      }
    }
  }

  /** Does something with the brokers by another connection than the bus's. */
  async admin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const kafka = await kafkaClient({ settings: kafkaSettings(url), logger: this.logger });
    const admin = kafka.admin();
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  }
}

type Admin = ReturnType<Awaited<ReturnType<typeof kafkaClient>>['admin']>;

/** Ids in an order of their own, to compare what arrived however it was interleaved. */
export function ids(events: readonly StoredEvent[]): string[] {
  return events.map((event) => event.id).sort();
}

/** Everything a topic holds now. */
export async function readTopic(
  installation: Installation,
  topic: string,
): Promise<readonly TopicMessage[]> {
  const kafka = await kafkaClient({ settings: kafkaSettings(url), logger: installation.logger });
  return installation.admin(async (admin) => {
    const found: TopicMessage[] = [];
    await readWholeTopic({ kafka, admin, topic }, (read) => void found.push(read));
    return found;
  });
}
