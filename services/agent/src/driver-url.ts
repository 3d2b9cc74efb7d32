/** Opens the engine that a node's URL names: the one place that knows which engines there are. */
import { readFile } from 'node:fs/promises';
import { openFakeDriver } from './adapters/driver.fake.ts';
import { openLxdDriver } from './adapters/driver.lxd.ts';
import { seededFaults } from './adapters/fake/faults.ts';
import type { LxdEndpoint } from './adapters/lxd/transport.ts';
import { systemClock, type Clock } from './driver-clock.ts';
import { parseDriverUrl, type DriverConfig, type PerStep } from './driver-config.ts';
import type { DriverStep } from './driver-steps.ts';
import { DriverError, type Driver, type InstalledPackage } from './driver.ts';

export interface OpenDriverOptions {
  /** A folder of this node's own: the fake engine's state. */
  readonly folder: string;
  /** Keeps the draws of several fake nodes apart. Default `0`. */
  readonly node?: string;
  readonly clock?: Clock;
  /** What the counters of a fake node go by. Default: the clock. */
  readonly now?: () => number;
  /** Ends the process where a fake node is to crash it. */
  readonly crash?: () => void;
  /** The RPM database of a fake node's images, by digest. */
  readonly inventories?: (digest: string) => readonly InstalledPackage[];
}

/**
 * Opens the one node, or the one of several fake nodes, that the URL stands for:
 * - `fake:?nodes=10&slow=50&fail=create:0.1&seed=7` — also `refuse`, `lose`, `crash-before`,
 *   `crash-after` (a probability, or `step:probability` by commas), `slow=create:200,start:50`,
 *   `containers`, `memory`, `disk` (what the node has, e.g. `64GiB`)
 * - `lxd+unix:` or `lxd+unix:///path/to/socket`, `https://host:8443?cert=…&key=…&ca=…`; both take
 *   `pool` and `parent`
 * @throws {DriverUrlError} naming every problem
 */
export async function openDriver(url: string, options: OpenDriverOptions): Promise<Driver> {
  const config = parseDriverUrl(url);
  const clock = options.clock ?? systemClock;
  if (config.kind === 'fake')
    return openFakeDriver({
      folder: options.folder,
      clock,
      latencyMs: (step) => latencyOf(config.slow, step),
      faults: seededFaults(config.seed, options.node ?? '0', config.faults),
      capacity: config.capacity,
      ...(options.now === undefined ? {} : { now: options.now }),
      ...(options.crash === undefined ? {} : { crash: options.crash }),
      ...(options.inventories === undefined ? {} : { inventories: options.inventories }),
    });
  return openLxdDriver({
    endpoint: await endpointOf(config.endpoint),
    clock,
    ...(config.pool === undefined ? {} : { pool: config.pool }),
    ...(config.parent === undefined ? {} : { parent: config.parent }),
  });
}

function latencyOf(slow: readonly PerStep[], step: DriverStep): number {
  const own = slow.find((one) => one.step === step) ?? slow.find((one) => one.step === 'any');
  return own?.value ?? 0;
}

type Endpoint = Extract<DriverConfig, { readonly kind: 'lxd' }>['endpoint'];

async function endpointOf(endpoint: Endpoint): Promise<LxdEndpoint> {
  if (endpoint.kind === 'unix') return endpoint;
  const files = await Promise.allSettled(
    [endpoint.cert, endpoint.key, endpoint.ca].map((path) => readFile(path, 'utf8')),
  );
  const problems = files.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
  const [cert, key, ca] = files.map((one) => (one.status === 'fulfilled' ? one.value : undefined));
  if (cert === undefined || key === undefined || ca === undefined)
    throw new DriverError('engine-unavailable', `LXD's certificates: ${problems.join('; ')}.`);
  return { kind: 'tls', host: endpoint.host, port: endpoint.port, cert, key, ca };
}
