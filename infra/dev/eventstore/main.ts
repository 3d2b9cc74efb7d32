/**
 * Serves the embedded log in a folder over EventStoreDB's protocol:
 * `node … infra/dev/eventstore/main.ts --folder <folder> [--port 2113] [--host 127.0.0.1]`.
 * For development and tests: one process, no TLS, asks nobody who they are.
 */
import { parseArgs } from 'node:util';
import { openEmbeddedStore } from '../../event-store/embedded/store.ts';
import { serveEventStore } from './server.ts';

const { values } = parseArgs({
  options: {
    folder: { type: 'string' },
    port: { type: 'string', default: '2113' },
    host: { type: 'string', default: '127.0.0.1' },
  },
});

async function main(): Promise<void> {
  const port = Number(values.port);
  if (values.folder === undefined || values.folder === '') throw new Error('--folder is missing');
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new Error(`--port is ${values.port}; a port is a whole number from 0 to 65535`);
  }
  const ended = (error: unknown): void => {
    console.error('The event log has failed:', error);
    process.exitCode = 1;
    void stop();
  };
  const store = await openEmbeddedStore({ folder: values.folder, onFailure: ended });
  const server = await serveEventStore({ store, host: values.host, port });
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= server.close().then(() => store.close());
    return stopping;
  };
  process.once('SIGTERM', () => void stop());
  process.once('SIGINT', () => void stop());
  console.log(
    'An embedded log served over the protocol of EventStoreDB, for development and tests only: ' +
      'no cluster, no TLS, no users.',
  );
  console.log(`EVENT_STORE_URL=${server.url}`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
