/** The cache that a URL names, as its users want it: it never fails them. */
import { type Clock, systemClock } from '../runtime/clock.ts';
import { RuntimeError } from '../runtime/errors.ts';
import { memoryCache } from './memory.ts';
import type { Cache } from './port.ts';
import { isRedisUrl, parseRedisUrl } from './redis/url.ts';
import { survivingCache } from './surviving.ts';

export interface OpenCacheOptions {
  /** `memory:`, or `redis://host:port` and `rediss://…`. */
  readonly url: string;
  /** Whose cache it is, where installations share an engine: the epoch of the log. */
  readonly installation: string;
  readonly clock: Clock;
  /** Told once for an outage, and at most once a minute where the engine comes and goes. */
  readonly onOutage: (error: unknown) => void;
}

/**
 * Opens it. Redis' client is loaded only for its URL; a Redis that is away is an outage and no reason
 * not to start.
 *
 * @throws RuntimeError `misconfigured`, saying what to change.
 */
export async function openCache(options: OpenCacheOptions): Promise<Cache> {
  const { clock, onOutage } = options;
  return survivingCache(await openCacheEngine(options), { clock, onOutage });
}

/** The engine itself, which fails while it is away: for whom that is another thing than finding nothing. */
export async function openCacheEngine({
  url,
  installation,
  clock,
}: Pick<OpenCacheOptions, 'url' | 'installation' | 'clock'>): Promise<Cache> {
  if (url === 'memory:') return memoryCache({ clock });
  const settings = isRedisUrl(url)
    ? parseRedisUrl(url)
    : { problems: ['expected memory: or redis://host:port'] };
  if ('problems' in settings) {
    throw new RuntimeError('misconfigured', `CACHE_URL: ${settings.problems.join('; ')}.`);
  }
  const { redisCache } = await import('./redis/cache.ts');
  // The engine's own time is the one that all its users share; one that is told goes before it.
  return redisCache({ settings, installation, ...(clock !== systemClock && { clock }) });
}
