/**
 * `npm run bench`: ours against the limit, as a table; with `--json` as one object on stdout; with
 * `--only <prefix>` the benchmarks whose names start so, with `--events <n>` over a log of that length.
 */
import { aggregateBenchmarks } from './aggregate.ts';
import { esdbBenchmarks } from './esdb.ts';
import { type BenchPart, type Figure, progress } from './figure.ts';
import { graphqlBenchmarks } from './graphql.ts';
import { historyBenchmarks } from './history.ts';
import { listBenchmarks } from './list.ts';
import { monthBenchmarks } from './month.ts';
import { orderBenchmarks } from './orders.ts';
import { catchUpBenchmarks } from './processes/catch-up.ts';
import { idleCostBenchmarks } from './processes/idle-costs.ts';
import { processLatencyBenchmarks } from './processes/order-latency.ts';
import { projectionBenchmarks } from './projection.ts';
import { redisBenchmarks } from './redis.ts';
import { relayBenchmarks } from './relay.ts';
import { storeBenchmarks } from './store.ts';
import { tracesBenchmarks } from './traces.ts';

/** The parts, each with the figures it takes; a part runs if one of them is asked for. */
const parts: readonly BenchPart[] = [
  storeBenchmarks,
  esdbBenchmarks,
  aggregateBenchmarks,
  orderBenchmarks,
  graphqlBenchmarks,
  listBenchmarks,
  historyBenchmarks,
  projectionBenchmarks,
  monthBenchmarks,
  relayBenchmarks,
  redisBenchmarks,
  tracesBenchmarks,
  processLatencyBenchmarks,
  idleCostBenchmarks,
  catchUpBenchmarks,
];

/** What the figures are held against; `atLeast` and `atMost` are of the figure named. */
const targets: Readonly<Record<string, Target>> = {
  'store.append.single': { of: 'ratio', atLeast: 0.5 },
  'store.append.concurrent': { of: 'ratio', atLeast: 0.5 },
  'store.replay': { of: 'ratio', atLeast: 0.7 },
  'store.replay.validated': { of: 'ratio', atLeast: 0.45 },
  'esdb.append.single': { of: 'ratio', atLeast: 0.8 },
  'esdb.append.concurrent': { of: 'ratio', atLeast: 0.8 },
  'esdb.replay': { of: 'ratio', atLeast: 0.8 },
  'projection.rebuild': { of: 'value', atLeast: 50_000 },
  'projection.rebuild.memory': { of: 'value', atMost: 300 },
  'start.million': { of: 'value', atMost: 10 },
  'operation.throughput': { of: 'value', atLeast: 200 },
  'operation.latency': { of: 'value', atMost: 250 },
  'relay.throughput': { of: 'ratio', atLeast: 0.7 },
  'redis.bucket': { of: 'ratio', atLeast: 0.8 },
  'graphql.query': { of: 'ratio', atLeast: 0.5 },
  'graphql.mutation': { of: 'ratio', atLeast: 0.5 },
};

interface Target {
  readonly of: 'value' | 'ratio';
  readonly atLeast?: number;
  readonly atMost?: number;
}

interface Asked {
  readonly json: boolean;
  readonly only: string;
  /** Events of the long log. */
  readonly events: number;
}

async function main(): Promise<void> {
  const { json, only, events } = parse(process.argv.slice(2));
  const figures: Record<string, Figure> = {};
  const asked = parts.filter((part) => part.names.some((name) => isAsked(name, only)));
  for (const part of asked) {
    progress(`${part.names.join(', ')} ...`);
    for (const [name, figure] of Object.entries(await part.run({ events }))) {
      if (isAsked(name, only)) figures[name] = rounded(figure);
    }
  }
  if (asked.length === 0) {
    const known = parts.flatMap((part) => part.names).join(', ');
    throw new Error(`No benchmark's name starts with ${only}. There are: ${known}.`);
  }
  console.log(json ? JSON.stringify(figures, null, 2) : tableOf(figures));
}

/** `only` may be several prefixes with commas between. */
function isAsked(name: string, only: string): boolean {
  return only.split(',').some((prefix) => name.startsWith(prefix));
}

function parse(args: readonly string[]): Asked {
  let json = false;
  let only = '';
  let events = 1_000_000;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === '--json') json = true;
    else if (arg === '--only' && args[i + 1] !== undefined) only = args[++i] ?? '';
    else if (arg === '--events' && Number.isSafeInteger(Number(args[i + 1])))
      events = Number(args[++i]);
    else
      throw new Error(
        `${arg ?? ''} is not understood. Use --json, --only <prefix>, --events <number>.`,
      );
  }
  return { json, only, events };
}

function tableOf(figures: Readonly<Record<string, Figure>>): string {
  const rows = Object.entries(figures).map(([name, { value, unit, limit, ratio }]) => [
    name,
    String(value),
    String(limit),
    String(ratio),
    unit,
    verdict(targets[name], { value, ratio }),
  ]);
  const all = [['', 'ours', 'limit', 'ratio', 'unit', 'target'], ...rows];
  const widths = all[0]?.map((_, c) => Math.max(...all.map((row) => row[c]?.length ?? 0))) ?? [];
  const numeric = [1, 2, 3];
  return all
    .map((row) =>
      row
        .map((cell, c) =>
          numeric.includes(c) ? cell.padStart(widths[c] ?? 0) : cell.padEnd(widths[c] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function verdict(target: Target | undefined, figure: { value: number; ratio: number }): string {
  if (target === undefined) return '';
  const { of, atLeast, atMost } = target;
  const seen = figure[of];
  const met = seen >= (atLeast ?? -Infinity) && seen <= (atMost ?? Infinity);
  const bound = atLeast === undefined ? `<= ${atMost ?? ''}` : `>= ${atLeast}`;
  return `${of} ${bound}: ${met ? 'met' : 'NOT MET'}`;
}

/** Three digits behind the point say all that a measurement can. */
function rounded({ value, unit, limit, ratio }: Figure): Figure {
  const short = (n: number): number => Number(n.toFixed(Math.abs(n) >= 1000 ? 0 : 3));
  return { value: short(value), unit, limit: short(limit), ratio: short(ratio) };
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exitCode = 1;
});
