/** `npm start`: the whole system in this process, until it is told to stop. */
import { readFile } from 'node:fs/promises';

import { Closing, listen, serveMetrics } from '@bivouac/infra/process';
import { startTracing } from '@bivouac/infra/tracing';
import {
  ConfigError,
  createLogger,
  eventsOf,
  readConfig,
  systemClock,
} from '@bivouac/infra/runtime';

import { type EmbeddedInstallation, startEmbedded } from './embedded.ts';
import { demoKeys } from './seed/demo-keys.ts';
import { allServices } from './services.ts';

async function main(): Promise<void> {
  const config = readConfig(undefined, eventsOf(allServices));
  const logger = createLogger(config.LOG_LEVEL);
  const tracing = await startTracing(config, 'bivouac', logger);
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
  const closing = new Closing();
  try {
    const { metrics } = await serveMetrics(
      {
        ...{ config, logger, log: config, part: 'embedded' },
        ready: () => serving && installation?.host.ready() === true,
      },
      closing,
    );
    const started = await startEmbedded({
      config,
      clock: systemClock,
      logger,
      metrics,
      providerName: 'Demo Provider',
      onFailure: (error) => {
        failure = error;
        stop.abort();
      },
    });
    installation = started;
    const keyFile =
      config.DEMO_SEED === 'on'
        ? await demoKeys(started.host, started.provider, config.DATA_DIR)
        : undefined;
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
    await closing.close();
    await tracing.stop(config.SHUTDOWN_MS);
  }
  if (failure !== undefined) {
    throw failure instanceof Error
      ? failure
      : new Error('something that must run has stopped', { cause: failure });
  }
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

main()
  .catch((error: unknown) => {
    const message =
      error instanceof ConfigError || error instanceof Error ? error.message : String(error);
    console.error(`\nBivouac cannot run: ${message}`);
    process.exitCode = 1;
  })
  .finally(() => {
    // A connection to a collector that does not answer would keep the process.
    process.exit();
  });
