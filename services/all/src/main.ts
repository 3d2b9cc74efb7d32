/** `npm start`: the whole system in this process, until it is told to stop. */
import { randomUUID } from 'node:crypto';
import { access, chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { listen } from '@bivouac/infra/process';
import {
  ConfigError,
  createLogger,
  eventsOf,
  readConfig,
  systemClock,
} from '@bivouac/infra/runtime';

import { type EmbeddedInstallation, startEmbedded } from './embedded.ts';
import { newKey, seed } from './seed/seed.ts';
import { allServices } from './services.ts';

async function main(): Promise<void> {
  const config = readConfig(undefined, eventsOf(allServices));
  const logger = createLogger(config.LOG_LEVEL);
  const stop = new AbortController();
  let failure: unknown;
  process.once('SIGINT', () => {
    stop.abort();
  });
  process.once('SIGTERM', () => {
    stop.abort();
  });

  // Listening comes first: a port in use is said before anything is made.
  let installation: EmbeddedInstallation | undefined;
  let serving = false;
  const server = await listen({
    host: config.HOST,
    port: config.PORT,
    ready: () => serving && installation?.host.ready() === true,
    handle: (request, response) => {
      if (serving && installation !== undefined) {
        return installation.gateway.handle(request, response);
      }
      response.writeHead(503, { 'retry-after': '1' }).end();
      return Promise.resolve();
    },
  });
  try {
    const started = await startEmbedded({
      config,
      clock: systemClock,
      logger,
      providerName: 'Demo Provider',
      onFailure: (error) => {
        failure = error;
        stop.abort();
      },
    });
    installation = started;
    const keyFile = config.DEMO_SEED === 'on' ? await demoKey(started, config.DATA_DIR) : undefined;
    serving = true;
    console.log(`\nBivouac is ready: ${server.url}/graphql (GraphiQL in a browser)\n`);
    if (keyFile !== undefined) console.log(await firstSteps(server.url, keyFile));

    if (!stop.signal.aborted) {
      await new Promise<void>((resolve) => {
        stop.signal.addEventListener(
          'abort',
          () => {
            resolve();
          },
          { once: true },
        );
      });
    }
  } finally {
    // They end by themselves only with what they follow; the server waits for its connections.
    installation?.gateway.endSubscriptions();
    await server.stop(config.SHUTDOWN_MS);
    await installation?.stop(config.SHUTDOWN_MS);
  }
  if (failure !== undefined) {
    throw failure instanceof Error
      ? failure
      : new Error('something that must run has stopped', { cause: failure });
  }
}

/** The demo's key file; made, with everything it needs, on the first start. */
async function demoKey(installation: EmbeddedInstallation, folder: string): Promise<string> {
  const file = join(folder, 'demo.key');
  const there = await access(file).then(
    () => true,
    () => false,
  );
  if (there) return file;
  const { host, provider } = installation;
  const seeded = await seed(host, provider);
  // A key cannot be shown twice: a start that was cut short here makes another.
  const attempt = randomUUID();
  const own = await newKey(
    host,
    seeded.customer,
    seeded.ownerMemberId,
    'demo customer',
    `demo-customer:${attempt}`,
  );
  await writeSecret(join(folder, 'demo-customer.key'), own);
  const staff = await newKey(
    host,
    seeded.provider,
    seeded.staffMemberId,
    'demo',
    `demo:${attempt}`,
  );
  await writeSecret(file, staff);
  await host.settled();
  return file;
}

async function writeSecret(file: string, secret: string): Promise<void> {
  await writeFile(file, `${secret}\n`, { mode: 0o600 });
  // The mode above counts only for a new file.
  await chmod(file, 0o600);
}

async function firstSteps(url: string, keyFile: string): Promise<string> {
  const key = (await readFile(keyFile, 'utf8')).trim();
  return [
    `A working API key, of the provider's staff (also in ${keyFile}):`,
    `  ${key}`,
    '',
    'A first query to paste:',
    `  curl -s ${url}/graphql -H 'content-type: application/json' \\`,
    `    -H 'authorization: Bearer ${key}' \\`,
    `    -d '{"query":"{ accounts(first: 5) { edges { node { id name } } } images(first: 5) { edges { node { id name } } } }"}'`,
    '',
    'Then the first order: see README.md. Stop with Ctrl-C; the next start continues on the same data.',
  ].join('\n');
}

main().catch((error: unknown) => {
  const message =
    error instanceof ConfigError || error instanceof Error ? error.message : String(error);
  console.error(`\nBivouac cannot run: ${message}`);
  process.exitCode = 1;
});
