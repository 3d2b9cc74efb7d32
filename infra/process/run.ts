/** A part as a program: from its settings until it is told to stop, or something that must run has stopped. */
import type { EventDefinition } from '@bivouac/events/language';

import { createLogger, readConfig, type ServiceDefinition, systemClock } from '../runtime/index.ts';
import { startTracing } from '../tracing/start.ts';
import type { Part, PartOptions } from './part.ts';
import { startServicePart } from './service-part.ts';
import { servicePorts } from './settings.ts';

/** Where each listens unless PORT says otherwise, so that one machine can run them all. */
const ports: Readonly<Record<string, number>> = {
  ...servicePorts,
  gateway: 4000,
  endpoint: 4110,
  relay: 4200,
};

/** Runs a service until it is told to stop: the whole of its `main.ts`. */
export function runService(definition: ServiceDefinition): void {
  runPart(definition.name, (options) => startServicePart(definition, options));
}

/**
 * Runs a part until SIGINT or SIGTERM. What goes wrong is printed in one sentence, and the exit status
 * is 1.
 *
 * @param events the event types that EVENT_VERSIONS may name, where the part knows them all.
 */
export function runPart(
  name: string,
  start: (options: PartOptions) => Promise<Part>,
  events?: Iterable<EventDefinition>,
): void {
  run(name, start, events).catch((error: unknown) => {
    console.error(
      `\n${name} cannot run: ${error instanceof Error ? error.message : String(error)}`,
    );
    process.exitCode = 1;
  });
}

async function run(
  name: string,
  start: (options: PartOptions) => Promise<Part>,
  events: Iterable<EventDefinition> | undefined,
): Promise<void> {
  const config = readConfig(undefined, events, { PORT: String(ports[name] ?? 0) });
  const logger = createLogger(config.LOG_LEVEL).child({ part: name });
  const stop = new AbortController();
  let failure: { readonly error: unknown } | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stop.abort();
    });
  }
  const tracing = await startTracing(config, `bivouac-${name}`, logger);
  const part = await start({
    config,
    clock: systemClock,
    logger,
    onFailure: (error) => {
      failure ??= { error };
      stop.abort();
    },
  });
  console.log(`${name} is ready: ${part.url}`);
  await aborted(stop.signal);
  const orderly = part
    .stop()
    .catch((error: unknown) => {
      logger.warn({ err: error }, 'not everything could be closed in order');
    })
    .then(() => tracing.stop(config.SHUTDOWN_MS));
  // A client that hangs must not keep a process that was told to go.
  const late = new AbortController();
  await Promise.race([orderly, systemClock.sleep(2 * config.SHUTDOWN_MS, late.signal)]);
  late.abort();
  if (failure !== undefined) {
    const { error } = failure;
    console.error(
      `\n${name} has stopped: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  process.exit(failure === undefined ? 0 : 1);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener(
      'abort',
      () => {
        resolve();
      },
      { once: true },
    );
  });
}
