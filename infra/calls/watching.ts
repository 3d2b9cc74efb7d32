/**
 * Keeps the list of a service's replicas: one for each URL, or for each address where a host name has
 * several. Names are looked up again every few seconds; one that is gone ends when its calls have.
 */
import { isIP } from 'node:net';

import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logging.ts';
import { type Resolve, systemResolve } from './addresses.ts';
import { Replica, type Replicas } from './replicas.ts';
import type { Transport } from './transport.ts';

export interface WatchOptions {
  readonly urls: readonly string[];
  readonly replicas: Replicas;
  readonly connect: (origin: string, address: string | undefined) => Transport;
  readonly resolve?: Resolve;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly closed: AbortSignal;
}

/** How often host names are looked up, in milliseconds. */
const LOOK_UP_MS = 5_000;

export interface Watching {
  /** Resolves when every host name was looked up once. */
  readonly known: Promise<void>;
  /** Ends all connections, once `closed` is. */
  end(): Promise<void>;
}

/** Fills the list and keeps it. */
export function watchReplicas(options: WatchOptions): Watching {
  const { urls, replicas, clock, closed } = options;
  const known = new Map<string, Replica>();
  const ending = new Set<Promise<void>>();

  const look = async (): Promise<void> => {
    const found = await Promise.all(urls.map((url) => endpointsOf(url, options, known)));
    if (closed.aborted) return;
    const wanted = new Map(found.flat().map((one) => [one.id, one]));
    for (const [id, replica] of known) {
      if (wanted.has(id)) continue;
      known.delete(id);
      const end = replica.transport.close('idle').finally(() => ending.delete(end));
      ending.add(end);
    }
    for (const { id, origin, address } of wanted.values()) {
      if (!known.has(id)) known.set(id, new Replica(id, options.connect(origin, address)));
    }
    replicas.set([...known.values()]);
  };

  const first = look();
  const watching = (async () => {
    await first;
    if (urls.every((url) => isIP(hostOf(url)) !== 0)) return;
    for (;;) {
      await clock.sleep(LOOK_UP_MS, closed);
      if (closed.aborted) return;
      await look();
    }
  })();
  return {
    known: first,
    end: async () => {
      await watching;
      await Promise.all([...known.values()].map(({ transport }) => transport.close('now')));
      await Promise.all(ending);
    },
  };
}

interface Endpoint {
  readonly id: string;
  readonly origin: string;
  readonly address: string | undefined;
}

async function endpointsOf(
  url: string,
  { resolve = systemResolve, logger }: WatchOptions,
  known: ReadonlyMap<string, Replica>,
): Promise<readonly Endpoint[]> {
  const { origin } = new URL(url);
  const host = hostOf(url);
  if (isIP(host) !== 0) return [{ id: origin, origin, address: undefined }];
  try {
    const addresses = await resolve(host);
    return addresses.map((address) => ({ id: `${origin} at ${address}`, origin, address }));
  } catch (error) {
    logger.warn({ err: error, url }, 'a host name of a service cannot be looked up');
    // What was known of it stays: the name server's trouble is not the replica's.
    const prefix = `${origin} at `;
    return [...known.values()].flatMap(({ id }) =>
      id.startsWith(prefix) ? [{ id, origin, address: id.slice(prefix.length) }] : [],
    );
  }
}

function hostOf(url: string): string {
  return new URL(url).hostname.replaceAll(/[[\]]/g, '');
}
