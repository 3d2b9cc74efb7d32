/**
 * The system as an operator runs it: every part a program of its own, one replica of each, by the
 * machine's clock, over Kafka and the development server of the log. The nodes are in this process.
 */
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { dialing } from '@bivouac/agent';
import type { ServiceCaller } from '@bivouac/events/language';
import { PROVIDER_ID } from '@bivouac/events/accounts';
import { removeBus } from '@bivouac/infra/bus';
import { callServices, createIdentity, openIdentity } from '@bivouac/infra/calls';
import { type EventStore, openEventStore } from '@bivouac/infra/event-store';
import { Closing } from '@bivouac/infra/process';
import { createLogger, readConfig, systemClock } from '@bivouac/infra/runtime';
import { allServices } from '@bivouac/all/services';

import { kafkaClient, kafkaSettings } from '../../../infra/bus/kafka/client.ts';
import { configuredNodes, connectNodes } from '../../../services/all/src/nodes.ts';
import { progress } from '../figure.ts';
import { Program } from './program.ts';

/** Said with every figure that the server of the log has a part in. */
export const DEVELOPMENT_STORE = 'log served by infra/dev/eventstore, for development and tests';

/** The set, while it runs. */
export interface Programs {
  readonly host: ServiceCaller;
  readonly store: EventStore;
  /** Where the log is served. */
  readonly logUrl: string;
  readonly provider: { readonly tenantId: string; readonly homeId: string };
  /** Of all parts, and the development server of the log. */
  readonly all: readonly Program[];
  /** Stops everything and deletes its data, those on the bus too. */
  close(): Promise<void>;
}

/** Nodes of the set, as of the embedded one that it is compared with. */
const NODES = 'fake:?nodes=10';

/** Where brokers are that can be reached; undefined, said why, where there are none. */
export async function brokers(): Promise<string | undefined> {
  const { BUS_URL } = readConfig();
  if (BUS_URL === 'embedded:') {
    progress('left out: BUS_URL names no brokers (infra/dev/up kafka)');
    return undefined;
  }
  const logger = createLogger('error', process.stderr);
  const kafka = await kafkaClient({ settings: kafkaSettings(BUS_URL), logger });
  const admin = kafka.admin();
  try {
    await admin.connect();
    await admin.describeCluster();
    return BUS_URL;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    progress(`left out: no broker of BUS_URL answers (${why}); infra/dev/up kafka starts one`);
    return undefined;
  } finally {
    await admin.disconnect();
  }
}

/** Starts all of it. Resolves when every part is ready and every node is connected. */
export async function startPrograms(busUrl: string): Promise<Programs> {
  const closing = new Closing();
  const logger = createLogger('error', process.stderr);
  return closing.opening(async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'bivouac-bench-'));
    closing.add(() => rm(folder, { recursive: true, force: true }));
    const identities = path.join(folder, 'identities');
    for (const name of ['gateway', 'endpoint']) await createIdentity({ folder: identities, name });
    await createIdentity({
      ...{ folder: identities, name: 'bench' },
      principals: ['member', 'key', 'node', 'system'],
    });
    const all: Program[] = [];
    const { url, store } = await startLog(folder, all, closing);
    const { epoch } = await store.head();
    closing.add(() => removeBus({ url: busUrl, epoch, logger }));
    const shared = {
      ...{ HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'error', SHUTDOWN_MS: '10000' },
      ...{ BUS_URL: busUrl, EVENT_STORE_URL: url },
      ...{ KEYS_URL: `folder:${folder}/keys`, SECRETS_URL: `folder:${folder}/secrets` },
      BLOBS_URL: `folder:${folder}/blobs`,
      TRUSTED_CALLERS_FILE: path.join(identities, 'trusted-callers.json'),
      // One account asks for everything: its bucket is counted all the same, and never empty.
      ...{ COST_CAPACITY: '1000000000', COST_PER_SECOND: '1000000000' },
    };
    const part = async (
      name: string,
      script: string,
      env: Readonly<Record<string, string>> = {},
    ): Promise<string> => {
      const { program, said } = await Program.start(name, {
        script,
        env: { ...shared, ...env, DATA_DIR: path.join(folder, 'parts', name) },
        ready: / is ready: (\S*)/,
      });
      all.push(program);
      closing.add(() => program.stop());
      return said;
    };
    await part('relay', 'infra/dist/process/relay-main.js');
    const services = new Map<string, readonly string[]>();
    await Promise.all(
      allServices.map(async ({ name }) => {
        services.set(name, [await part(name, `services/${name}/dist/main.js`)]);
      }),
    );
    const SERVICE_URLS = [...services].map(([name, [at = '']]) => `${name}=${at}`).join(',');
    const port = await freePort();
    const edge = (name: string): Record<string, string> => ({
      ...{ SERVICE_URLS, AGENT_LISTEN: String(port) },
      IDENTITY_FILE: path.join(identities, `${name}.json`),
    });
    await Promise.all([
      part('gateway', 'graphql/dist/main.js', edge('gateway')),
      part('endpoint', 'services/all/dist/endpoint/main.js', edge('endpoint')),
    ]);
    const host = callServices({
      ...{ services, clock: systemClock, logger },
      identity: await openIdentity(path.join(identities, 'bench.json')),
    });
    closing.add(() => host.close());
    const provider = { tenantId: PROVIDER_ID, homeId: PROVIDER_ID };
    const nodes = await connectNodes({
      ...{ host, provider, folder, logger, clock: systemClock },
      configured: configuredNodes(NODES),
      sampleSeconds: readConfig({}).USAGE_SAMPLE_SECONDS,
      dial: dialing({ url: `ws://127.0.0.1:${port}/agents`, clock: systemClock }),
    });
    closing.add(() => nodes.stop());
    return { host, store, logUrl: url, provider, all, close: () => closing.close() };
  });
}

async function startLog(
  folder: string,
  all: Program[],
  closing: Closing,
): Promise<{ readonly url: string; readonly store: EventStore }> {
  const { program, said: url } = await startLogServer(path.join(folder, 'log'));
  all.push(program);
  closing.add(() => program.stop());
  const own = path.join(folder, 'bench');
  await mkdir(own);
  const store = await openEventStore({ url, folder: own });
  closing.add(() => store.close());
  return { url, store };
}

/** The development server of the log over the log in a folder. */
export function startLogServer(
  folder: string,
): Promise<{ readonly program: Program; readonly said: string }> {
  return Program.start('store', {
    script: 'infra/dist/dev/eventstore/main.js',
    args: ['--folder', folder, '--port', '0'],
    ready: /^EVENT_STORE_URL=(\S+)$/,
  });
}

/** Free now: nobody is kept from taking it before it is used. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a socket has no port');
  return address.port;
}
