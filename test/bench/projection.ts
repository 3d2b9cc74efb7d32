/**
 * Rebuilding all read models of all services from a long log of real events, in a process of its own,
 * and starting on that log. The limits: a bare scan of the same rows; a start on a short log.
 */
import { cp, rm } from 'node:fs/promises';
import { z } from 'zod';

import { ended, firstLine, startChild } from './children.ts';
import { CopiedLog } from './copied-log.ts';
import { type BenchPart, type Figure, pairsOf, progress } from './figure.ts';
import { burst, Orders, orderWorld } from './orders.ts';

/** Real orders whose events are copied; they come from a hundred customers, each with a tree. */
const ORDERS = 300;
/** Events of the log that the pairs are run on. */
const PAIRED = 100_000;

/** `projection.rebuild`, `projection.rebuild.memory`, `start.million`; takes several minutes. */
export const projectionBenchmarks: BenchPart = {
  names: ['projection.rebuild', 'projection.rebuild.memory', 'start.million'],
  run,
};

async function run({ events }: { readonly events: number }): Promise<Record<string, Figure>> {
  const world = await orderWorld();
  const { folder } = world;
  const short = `${folder}-short`;
  try {
    const orders = new Orders(world);
    await burst(orders, ORDERS);
    await world.installation.host.settled();
    orders.close();
    await world.stop();
    await cp(folder, short, { recursive: true });

    const log = new CopiedLog(folder);
    const pairedOn = await log.extendTo(Math.min(PAIRED, events));
    const perSecond = (script: string) => async () => {
      const { events: read, seconds } = await replayed(script, folder);
      return read / seconds;
    };
    const paired = await pairsOf(
      'events/s',
      perSecond('rebuild-child.ts'),
      perSecond('limits/log-scan.ts'),
    );
    progress(`on ${pairedOn} events: ${Math.round(paired.value)} events/s`);
    const length = await log.extendTo(events);
    const full = await replayed('rebuild-child.ts', folder);
    const scan = await replayed('limits/log-scan.ts', folder);
    if (full.events < length || scan.events < length) throw new Error('not all events were read');
    const megabytes = full.peakBytes / 1e6;
    return {
      'projection.rebuild': {
        value: full.events / full.seconds,
        unit: `events/s over ${length} events`,
        limit: scan.events / scan.seconds,
        ratio: paired.ratio,
      },
      'projection.rebuild.memory': {
        value: megabytes,
        unit: `MB at most over ${length} events`,
        limit: 300,
        ratio: 300 / megabytes,
      },
      'start.million': await starts(folder, short, length),
    };
  } finally {
    await world.close();
    await rm(short, { recursive: true, force: true });
  }
}

async function starts(folder: string, short: string, length: number): Promise<Figure> {
  const perSecond = (where: string) => async () => 1 / (await secondsToReady(where));
  const { value, limit, ratio } = await pairsOf('starts/s', perSecond(folder), perSecond(short));
  return { value: 1 / value, unit: `s to ready on ${length} events`, limit: 1 / limit, ratio };
}

/** From the start of the process, loading of the program included. */
async function secondsToReady(folder: string): Promise<number> {
  const began = performance.now();
  const child = startChild('start-child.ts', folder);
  await firstLine(child);
  const seconds = (performance.now() - began) / 1000;
  await ended(child);
  return seconds;
}

const ReplayedSchema = z.object({
  events: z.number(),
  seconds: z.number(),
  peakBytes: z.number(),
});

async function replayed(script: string, folder: string): Promise<z.output<typeof ReplayedSchema>> {
  const child = startChild(script, folder, 'default');
  const outcome = ReplayedSchema.parse(JSON.parse(await firstLine(child)));
  await ended(child);
  return outcome;
}
