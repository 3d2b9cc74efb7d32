/**
 * What traces cost: whole orders, 64 at once, with every trace sent to a collector in a process of its own, and
 * with one in ten. The limit is the same installation with tracing off.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { createLogger, readConfig } from '@bivouac/infra/runtime';
import { startTracing } from '@bivouac/infra/tracing';

import { type BenchPart, type Figure, pairsOf, progress, secondsOf } from './figure.ts';
import { burst, Orders, orderWorld } from './orders.ts';

const WARM_UP = 300;
const ORDERS_PER_ROUND = 200;
/** Of the traces, where not all are kept. */
const SAMPLED = '0.1';
/** Milliseconds that the last spans of a round may take to be sent. */
const LAST_SPANS = 10_000;

/** `traces.overhead`, `traces.overhead.sampled`; takes about two minutes. */
export const tracesBenchmarks: BenchPart = {
  names: ['traces.overhead', 'traces.overhead.sampled'],
  run,
};

async function run(): Promise<Record<string, Figure>> {
  const collector = await startCollector();
  const world = await orderWorld();
  const orders = new Orders(world);
  const logger = createLogger('error', process.stderr);
  const off = async (): Promise<number> =>
    ORDERS_PER_ROUND / (await secondsOf(() => burst(orders, ORDERS_PER_ROUND)));
  /** What is under way when a round ends is sent within it: whoever traces pays for that too. */
  const on = async (sampler: Readonly<Record<string, string>>): Promise<number> => {
    const settings = readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...sampler });
    const tracing = await startTracing(settings, 'bench', logger);
    const seconds = await secondsOf(async () => {
      await burst(orders, ORDERS_PER_ROUND);
      await tracing.stop(LAST_SPANS);
    });
    return ORDERS_PER_ROUND / seconds;
  };
  try {
    await burst(orders, WARM_UP);
    const every = await pairsOf('orders/s', () => on({}), off);
    const some = await pairsOf(
      'orders/s',
      () => on({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: SAMPLED }),
      off,
    );
    return { 'traces.overhead': every, 'traces.overhead.sampled': some };
  } finally {
    orders.close();
    await world.close();
    progress(`the collector was sent ${await collector.stop()} spans`);
  }
}

async function startCollector(): Promise<{
  readonly url: string;
  readonly stop: () => Promise<number>;
}> {
  const file = fileURLToPath(new URL('./collector-child.ts', import.meta.url));
  const args = ['--conditions=source', '--import', 'tsx', file];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const line = async (): Promise<string> => {
    const next = await lines.next();
    if (next.done === true) throw new Error('the collector has ended by itself');
    return next.value;
  };
  const url = await line();
  return {
    url,
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const spans = Number(await line());
      await ended;
      // Figures of traces that nobody was sent would be those of no traces.
      if (spans === 0) throw new Error('the collector was sent nothing');
      return spans;
    },
  };
}
