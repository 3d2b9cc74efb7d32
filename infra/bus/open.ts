/** The bus that a URL names. */
import type { EventStore } from '../event-store/port.ts';
import type { Clock } from '../runtime/clock.ts';
import { RuntimeError } from '../runtime/errors.ts';
import { embeddedBus } from './embedded/bus.ts';
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
  /** Called once: the bus has stopped by itself and the process should end. */
  readonly onFailure: (error: unknown) => void;
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
