/**
 * A new replica from nothing until it is ready, over a long log of real events. The limit is a bare
 * process with the bare client of the log, from its start until it has read the same log.
 */
import { rm } from 'node:fs/promises';
import path from 'node:path';

import { removeBus } from '@bivouac/infra/bus';
import { createIdentity } from '@bivouac/infra/calls';
import { Closing } from '@bivouac/infra/process';
import { openEmbeddedStore } from '@bivouac/infra/event-store';
import { createLogger } from '@bivouac/infra/runtime';

import { CopiedLog } from '../copied-log.ts';
import { type BenchPart, type Figure, pairsOf, progress } from '../figure.ts';
import { burst, Orders, orderWorld } from '../orders.ts';
import { build, Program } from './program.ts';
import { brokers, DEVELOPMENT_STORE, startLogServer } from './programs.ts';

/** Real orders whose events are copied. */
const ORDERS = 300;
/** Events of the log, where no fewer are asked for. */
const EVENTS = 100_000;
const PAIRS = 3;
/** The service with the most to keep of each event. */
const SERVICE = 'containers';

/** `replica.catchUp`; takes about four minutes. */
export const catchUpBenchmarks: BenchPart = { names: ['replica.catchUp'], run };

async function run({ events }: { readonly events: number }): Promise<Record<string, Figure>> {
  const busUrl = await brokers();
  if (busUrl === undefined) return {};
  await build();
  const closing = new Closing();
  const figure = await closing.opening(async () => {
    const world = await orderWorld();
    const { folder } = world;
    closing.add(() => rm(folder, { recursive: true, force: true }));
    const orders = new Orders(world);
    await burst(orders, ORDERS);
    await world.installation.host.settled();
    orders.close();
    await world.stop();
    const length = await new CopiedLog(folder).extendTo(Math.min(EVENTS, events));
    const epoch = await epochOf(folder);
    closing.add(() =>
      removeBus({ url: busUrl, epoch, logger: createLogger('error', process.stderr) }),
    );
    const { program, said: logUrl } = await startLogServer(folder);
    closing.add(() => program.stop());
    const identities = path.join(folder, 'identities');
    await createIdentity({ folder: identities, name: 'gateway' });
    const env = {
      ...{ HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'error', BUS_URL: busUrl },
      ...{ EVENT_STORE_URL: logUrl, TRUSTED_CALLERS_FILE: `${identities}/trusted-callers.json` },
      ...{ KEYS_URL: `folder:${folder}/keys`, SECRETS_URL: `folder:${folder}/secrets` },
      BLOBS_URL: `folder:${folder}/blobs`,
    };
    progress(`a log of ${length} events is served`);
    let replicas = 0;
    const measured = await pairsOf(
      'events/s',
      async () => {
        const data = path.join(folder, `replica-${++replicas}`);
        const seconds = await started(SERVICE, {
          script: `services/${SERVICE}/dist/main.js`,
          env: { ...env, DATA_DIR: data },
          ready: / is ready: (\S*)/,
        });
        return length / seconds;
      },
      async () => {
        const seconds = await started('bare client', {
          script: 'test/bench/limits/bare-read.js',
          env: { EVENT_STORE_URL: logUrl, EVENTS: String(length) },
          ready: /^(read)$/,
        });
        return length / seconds;
      },
      PAIRS,
    );
    return { ...measured, unit: `events/s over ${length} events (${DEVELOPMENT_STORE})` };
  });
  await closing.close();
  return { 'replica.catchUp': figure };
}

/** Seconds from the start of the process until it is ready; it is stopped then. */
async function started(name: string, how: Parameters<typeof Program.start>[1]): Promise<number> {
  const began = performance.now();
  const { program } = await Program.start(name, how);
  const seconds = (performance.now() - began) / 1000;
  await program.stop();
  return seconds;
}

async function epochOf(folder: string): Promise<string> {
  const store = await openEmbeddedStore({ folder });
  try {
    return (await store.head()).epoch;
  } finally {
    await store.close();
  }
}
