/**
 * A whole installation in this process that serves its metrics, whose log and bus can be made to fail, and
 * beside which other processes can be measured: what alerts and the status screen are tried on.
 */
import { createServer } from 'node:http';

import { startEmbedded } from '@bivouac/all';
import { Closing, serveMetrics } from '@bivouac/infra/process';
import {
  createLogger,
  portsOfDataFolder,
  type ProcessMetrics,
  processMetrics,
  readConfig,
  systemClock,
} from '@bivouac/infra/runtime';

import { newFolder, open, type Running } from '../e2e/installation.ts';

import { FaultyStore } from './faulty-store.ts';
import { LosingBus } from './losing-bus.ts';

/** What a fault is made on. */
export interface Alarmed {
  readonly running: Running;
  readonly store: FaultyStore;
  readonly bus: LosingBus;
  readonly metrics: ProcessMetrics;
  /** What it says of itself where it is asked whether calls should be sent to it. */
  readonly setReady: (ready: boolean) => void;
  /** Where processes are measured, by name; the installation is `embedded`. */
  readonly processes: ReadonlyMap<string, string>;
  /** Has another process measured; answers how to leave it out again. */
  readonly beside: (name: string, url: string) => Promise<() => Promise<void>>;
  /** Is called at the end, last first. */
  readonly atEnd: (end: () => unknown) => void;
}

export interface AlarmedOptions {
  readonly settings?: Readonly<Record<string, string>>;
  readonly atEnd: Alarmed['atEnd'];
  /** Is told whenever other processes are to be measured. */
  readonly changed?: (processes: ReadonlyMap<string, string>) => Promise<void>;
}

/** Starts one on a folder and a clock of its own, seeded as `npm start` would. `closeAll` ends it. */
export async function alarmed(options: AlarmedOptions): Promise<Alarmed> {
  const { settings = {}, atEnd, changed = () => Promise.resolve() } = options;
  const folder = await newFolder();
  const logger = createLogger('silent', process.stderr);
  const config = {
    ...readConfig({
      ...{ DATA_DIR: folder, EVENT_STORE_URL: `sqlite:${folder}`, PORT: '0', NODE_URL: 'fake:' },
      ...settings,
    }),
    ...portsOfDataFolder,
  };
  let ready = true;
  const closing = new Closing();
  const { metrics, url = '' } = await serveMetrics(
    { config, log: config, logger, part: 'embedded', ready: () => ready },
    closing,
  );
  atEnd(() => closing.close());
  let store: FaultyStore | undefined;
  let bus: LosingBus | undefined;
  const running = await open({
    folder,
    kind: {
      start: ({ clock, providerName, onFailure }) =>
        startEmbedded({
          ...{ config, clock, logger, metrics, providerName, onFailure },
          before: {
            store: (opened) => (store = new FaultyStore(opened)),
            bus: (opened) => (bus = new LosingBus(opened)),
          },
        }),
      left: () => {
        throw new Error('nobody asks what is left of it');
      },
    },
  });
  if (store === undefined || bus === undefined) throw new Error('it has no log or no bus');
  const processes = new Map([['embedded', url]]);
  await changed(processes);
  return {
    ...{ running, store, bus, metrics, processes, atEnd },
    setReady: (now) => {
      ready = now;
    },
    beside: async (name, at) => {
      processes.set(name, at);
      await changed(processes);
      return async () => {
        processes.delete(name);
        await changed(processes);
      };
    },
  };
}

/**
 * Stands for a process of another release: what ours would serve of these metrics. Answers where it is and
 * how to end it.
 */
export async function otherProcess(
  say: (metrics: ProcessMetrics) => void,
): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const metrics = processMetrics({ ofNode: false });
  say(metrics);
  const server = createServer((request, response) => {
    if (request.url === '/metrics')
      void metrics.scrape().then(({ text }) => {
        response.end(text);
      });
    else response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** A process that measures nothing but itself, by a clock that is so many milliseconds ahead. */
export async function processAhead(
  milliseconds: number,
): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const closing = new Closing();
  const { url = '' } = await serveMetrics(
    {
      config: readConfig({ METRICS_LISTEN: '0' }),
      ...{ log: undefined, part: 'billing', ready: () => true },
      logger: createLogger('silent', process.stderr),
      clock: { now: () => systemClock.now() + milliseconds },
    },
    closing,
  );
  return { url, stop: () => closing.close() };
}
