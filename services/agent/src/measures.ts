/** What an agent as a process of its own measures: its engine, what it has in hand, its endpoint. */
import type { Metrics } from '@bivouac/infra/runtime';

import { type Driver, DriverError } from './driver.ts';

/** What an agent tells of its work. */
export interface AgentMeasures {
  /** The endpoint has let it in. */
  connected(): void;
  /** The connection is over. */
  disconnected(): void;
  /** An instruction is taken; answers that it is no more in hand. */
  taken(): () => void;
}

/** Tells nobody. */
export const unmeasured: AgentMeasures = {
  connected: () => undefined,
  disconnected: () => undefined,
  taken: () => () => undefined,
};

/** Measures an agent from its start on. */
export function measureAgent(
  metrics: Metrics,
  now: () => number,
): AgentMeasures & { readonly isConnected: () => boolean } {
  const inHand = metrics.gauge('agent_instructions', {});
  const contact = metrics.gauge('agent_last_contact_seconds', {});
  let count = 0;
  inHand.set(count);
  /** Since when it is not connected; undefined while it is. */
  let since: number | undefined = now();
  metrics.onScrape('endpoint', () => {
    contact.set(since === undefined ? 0 : Math.max(0, now() - since) / 1000);
  });
  return {
    connected: () => {
      since = undefined;
    },
    disconnected: () => {
      since ??= now();
    },
    taken: () => {
      inHand.set(++count);
      return () => {
        inHand.set(--count);
      };
    },
    isConnected: () => since === undefined,
  };
}

type Call = Exclude<keyof Driver, 'close'>;

/** A driver whose calls are counted by what became of them, and timed. */
export function measuredDriver(driver: Driver, metrics: Metrics): Driver {
  const measured = async <R>(call: Call, run: () => Promise<R>): Promise<R> => {
    const ended = (outcome: string): void => {
      metrics.counter('driver_calls_total', { call, outcome }).add();
    };
    const took = metrics.histogram('driver_call_seconds', { call }).start();
    try {
      const result = await run();
      ended('done');
      return result;
    } catch (error) {
      ended(error instanceof DriverError ? error.code : 'failed');
      throw error;
    } finally {
      took();
    }
  };
  return {
    inventory: () => measured('inventory', () => driver.inventory()),
    prepareImage: (image) => measured('prepareImage', () => driver.prepareImage(image)),
    create: (ref, spec) => measured('create', () => driver.create(ref, spec)),
    applyLimits: (ref, limits) => measured('applyLimits', () => driver.applyLimits(ref, limits)),
    configureNetwork: (ref, network) =>
      measured('configureNetwork', () => driver.configureNetwork(ref, network)),
    start: (ref) => measured('start', () => driver.start(ref)),
    stop: (ref, grace) => measured('stop', () => driver.stop(ref, grace)),
    freeze: (ref) => measured('freeze', () => driver.freeze(ref)),
    thaw: (ref) => measured('thaw', () => driver.thaw(ref)),
    destroy: (ref) => measured('destroy', () => driver.destroy(ref)),
    observe: (containerId) => measured('observe', () => driver.observe(containerId)),
    list: () => measured('list', () => driver.list()),
    usage: (containerIds) => measured('usage', () => driver.usage(containerIds)),
    packages: (containerId) => measured('packages', () => driver.packages(containerId)),
    transact: (ref, transaction, files) =>
      measured('transact', () => driver.transact(ref, transaction, files)),
    close: () => driver.close(),
  };
}
