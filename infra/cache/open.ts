/** The cache that a URL names, as its users want it: it never fails them. */
import type { Clock } from '../runtime/clock.ts';
import { RuntimeError } from '../runtime/errors.ts';
import { memoryCache } from './memory.ts';
import type { Cache } from './port.ts';
import { survivingCache } from './surviving.ts';

export interface OpenCacheOptions {
  /** `memory:`; the configuration has refused any other. */
  readonly url: string;
  readonly clock: Clock;
  /** Told once for an outage, and at most once a minute where the engine comes and goes. */
  readonly onOutage: (error: unknown) => void;
}

/** Opens it. Throws for a URL whose engine this release does not have. */
export function openCache({ url, clock, onOutage }: OpenCacheOptions): Cache {
  if (url !== 'memory:') {
    throw new RuntimeError('misconfigured', `There is no cache for ${url}; set CACHE_URL=memory:.`);
  }
  return survivingCache(memoryCache({ clock }), { clock, onOutage });
}
