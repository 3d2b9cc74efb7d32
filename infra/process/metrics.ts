/**
 * The metrics of a process over HTTP, on an address of their own: what they tell is not for customers, and
 * whoever scrapes must not need a key. `/health/live` and `/health/ready` are answered there too, so that
 * who watches a process needs one address.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

import {
  type Clock,
  type Config,
  type Logger,
  metricsAddress,
  type ProcessMetrics,
  processMetrics,
  systemClock,
} from '../runtime/index.ts';
import type { Closing } from './closing.ts';
import { watchEventLoop } from './event-loop.ts';
import { listen } from './http.ts';
import { measureBackup } from './measured-backup.ts';
import { RELEASE } from './release.ts';

export interface ServeMetricsOptions {
  readonly config: Pick<Config, 'METRICS_LISTEN' | 'PORT'>;
  /** The log whose last backup is told; undefined where the process has to do with none. */
  readonly log: Pick<Config, 'EVENT_STORE_URL' | 'BACKUP_RECORD_FILE'> | undefined;
  /** What the process is: a service's name, `gateway`, `endpoint`, `relay`, `agent`, `embedded`. */
  readonly part: string;
  readonly logger: Logger;
  /** Whether calls should be sent to the process. */
  readonly ready: () => boolean;
  /** What the process goes by; the machine's by default. */
  readonly clock?: Pick<Clock, 'now'>;
}

export interface ServedMetrics {
  readonly metrics: ProcessMetrics;
  /** Where they are, e.g. `http://127.0.0.1:14201`; undefined where the settings say nowhere. */
  readonly url: string | undefined;
}

/** Milliseconds that a scrape under way may keep the process at its end. */
const STOP = 500;

/**
 * Makes the metrics of this process and serves them, until the process is closed.
 *
 * @throws Error that names METRICS_LISTEN where it cannot be listened there.
 */
export async function serveMetrics(
  options: ServeMetricsOptions,
  closing: Closing,
): Promise<ServedMetrics> {
  const { part, logger, ready } = options;
  const metrics = processMetrics({ logger });
  metrics.gauge('build_info', { part, release: RELEASE }).set(1);
  const readiness = metrics.gauge('ready', {});
  metrics.onScrape('ready', () => {
    readiness.set(ready() ? 1 : 0);
  });
  const { clock = systemClock } = options;
  const time = metrics.gauge('clock_seconds', {});
  metrics.onScrape('clock', () => {
    time.set(clock.now() / 1000);
  });
  if (options.log !== undefined) measureBackup(options.log, metrics);
  closing.add(watchEventLoop(metrics));
  const address = metricsAddress(options.config);
  if (address === undefined) return { metrics, url: undefined };
  const server = await listen({
    ...address,
    setting: 'METRICS_LISTEN',
    ready,
    handle: (request, response) => answer(metrics, request, response),
  });
  closing.add(() => server.stop(STOP));
  logger.info({ url: `${server.url}/metrics` }, 'metrics are served');
  return { metrics, url: server.url };
}

async function answer(
  metrics: ProcessMetrics,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if ((request.url ?? '').split('?')[0] !== '/metrics') {
    response.writeHead(404).end();
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  const { contentType, text } = await metrics.scrape();
  response.writeHead(200, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}
