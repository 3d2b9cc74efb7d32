/**
 * What a set of programs that nobody asks anything costs: memory and time on a processor. The limit is as
 * many bare Node processes that load the clients of Kafka and of the log, and hold one connection to each.
 */
import { systemClock } from '@bivouac/infra/runtime';

import { type BenchPart, type Figure, progress } from '../figure.ts';
import { burst, Orders } from '../orders.ts';
import { furnishPrograms, quiet } from './furnishing.ts';
import { build, Program } from './program.ts';
import { brokers, DEVELOPMENT_STORE, startPrograms } from './programs.ts';

/** Orders that the set has carried out before it idles. */
const ORDERS = 100;
/** Seconds that are watched. */
const WINDOW = 30;

/** `processes.memory` and `processes.idleCpu`; takes about three minutes. */
export const idleCostBenchmarks: BenchPart = {
  names: ['processes.memory', 'processes.idleCpu'],
  run,
};

async function run(): Promise<Record<string, Figure>> {
  const busUrl = await brokers();
  if (busUrl === undefined) return {};
  await build();
  const programs = await startPrograms(busUrl);
  const bare: Program[] = [];
  try {
    const place = { installation: programs, ...(await furnishPrograms(programs)) };
    const orders = new Orders(place);
    await burst(orders, ORDERS);
    orders.close();
    const { all, logUrl } = programs;
    await Promise.all(
      all.map(async ({ name }) => {
        const { program } = await Program.start(name, {
          script: 'test/bench/limits/bare-process.js',
          env: { BUS_URL: busUrl, EVENT_STORE_URL: logUrl },
          ready: /^(ready)$/,
        });
        bare.push(program);
      }),
    );
    await quiet(programs);
    const [ours, limit] = await Promise.all([watched(all), watched(bare)]);
    for (const { name, resident, cpu } of ours) {
      progress(`${name}: ${mega(resident).toFixed(0)} MB, ${cpu.toFixed(2)} s of CPU a minute`);
    }
    const sum = (each: readonly Watched[], of: 'resident' | 'cpu'): number =>
      each.reduce((total, one) => total + one[of], 0);
    const memory = { ours: mega(sum(ours, 'resident')), limit: mega(sum(limit, 'resident')) };
    const cpu = { ours: sum(ours, 'cpu'), limit: sum(limit, 'cpu') };
    const what = `${all.length} processes (${DEVELOPMENT_STORE})`;
    return {
      'processes.memory': {
        ...{ value: memory.ours, limit: memory.limit, ratio: memory.limit / memory.ours },
        unit: `MB resident of ${what}`,
      },
      'processes.idleCpu': {
        ...{ value: cpu.ours, limit: cpu.limit, ratio: cpu.limit / cpu.ours },
        unit: `s of CPU a minute of ${what}`,
      },
    };
  } finally {
    for (const program of bare) await program.stop();
    await programs.close();
  }
}

interface Watched {
  readonly name: string;
  /** Bytes at the end. */
  readonly resident: number;
  /** Seconds on a processor in a minute. */
  readonly cpu: number;
}

async function watched(programs: readonly Program[]): Promise<Watched[]> {
  const began = performance.now();
  const before = await Promise.all(programs.map((program) => program.usage()));
  await systemClock.sleep(WINDOW * 1000);
  const minutes = (performance.now() - began) / 60_000;
  return Promise.all(
    programs.map(async (program, i) => {
      const { resident, cpuSeconds } = await program.usage();
      const cpu = (cpuSeconds - (before[i]?.cpuSeconds ?? Number.NaN)) / minutes;
      return { name: program.name, resident, cpu };
    }),
  );
}

function mega(bytes: number): number {
  return bytes / 1e6;
}
