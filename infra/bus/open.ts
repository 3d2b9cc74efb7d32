/** The bus that a URL names. */
import type { StoredEvent } from '@bivouac/events/language';

import type { EventStore } from '../event-store/port.ts';
import type { Clock } from '../runtime/clock.ts';
import { RuntimeError } from '../runtime/errors.ts';
import type { Metrics } from '../runtime/metrics/port.ts';
import { embeddedBus } from './embedded/bus.ts';
import type { BusComparison } from './kafka/compare.ts';
import type { Bus } from './port.ts';

/** As much of a pino logger as is used here. */
interface BusLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface OpenBusOptions {
  /** `embedded:` or `kafka://host:port[,host:port][?…]`. */
  readonly url: string;
  readonly store: EventStore;
  readonly clock: Clock;
  readonly logger: BusLogger;
  /** Tenant in the envelope of what the bus records of itself: the provider. */
  readonly tenantId: string;
  /** Whether this process publishes the log; true by default. One does, where a bus has to be told. */
  readonly relays?: boolean;
  readonly metrics?: Metrics;
  /** Called once: the bus has stopped by itself and the process should end. */
  readonly onFailure: (error: unknown) => void;
}

export interface VerifyBusOptions {
  readonly url: string;
  readonly logger: BusLogger;
  /** The log's epoch, and every event of it in order. */
  readonly epoch: string;
  readonly events: () => Iterable<StoredEvent>;
}

/**
 * Whether what a bus holds is what the log says.
 *
 * @throws RuntimeError `misconfigured` or `unavailable`, saying what to check.
 */
export async function verifyBus(options: VerifyBusOptions): Promise<BusComparison> {
  if (!options.url.startsWith('kafka:')) {
    throw new RuntimeError(
      'misconfigured',
      `${options.url} holds nothing to compare; name the brokers, kafka://host:port.`,
    );
  }
  const { compareTopic } = await import('./kafka/compare.ts');
  return compareTopic(options);
}

/**
 * How to ask whether anybody publishes a log to the bus, by the log alone; undefined where nobody has to.
 * Asked about once a second it answers true when something has waited for ten.
 */
export async function watchRelay(options: {
  readonly url: string;
  readonly store: EventStore;
  readonly network: Clock;
}): Promise<(() => Promise<boolean>) | undefined> {
  const { url, store, network } = options;
  if (!url.startsWith('kafka:')) return undefined;
  const [{ RelayWatch }, { topicOf }, { epoch }] = await Promise.all([
    import('./kafka/relay-watch.ts'),
    import('./kafka/topic.ts'),
    store.head(),
  ]);
  const watch = new RelayWatch({ store, topic: topicOf(epoch), network });
  return () => watch.stalled();
}

/** Takes away what a bus holds of a log that is not gone on with; an embedded one holds nothing. */
export async function removeBus(options: {
  readonly url: string;
  readonly epoch: string;
  readonly logger: BusLogger;
}): Promise<void> {
  if (!options.url.startsWith('kafka:')) return;
  const { removeTopic } = await import('./kafka/remove.ts');
  await removeTopic(options);
}

/**
 * Opens it. Kafka's client is loaded only for a `kafka://` URL.
 *
 * @throws RuntimeError `misconfigured` or `unavailable`, saying what to check.
 */
export async function openBus(options: OpenBusOptions): Promise<Bus> {
  const { url, store, clock } = options;
  if (url === 'embedded:') return embeddedBus({ store, clock });
  if (url.startsWith('kafka:')) {
    const { openKafkaBus } = await import('./kafka/bus.ts');
    return openKafkaBus(options);
  }
  throw new RuntimeError(
    'misconfigured',
    `There is no bus for ${url}; set BUS_URL to embedded: or kafka://host:port.`,
  );
}
