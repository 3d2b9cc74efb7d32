/**
 * Simulated runs: the real services on a simulated store, bus, clock, network and nodes, thousands of
 * schedules of them. Played by as many processes as the machine has cores; each run depends on its
 * seed alone.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { type Batch, type Order, type Report, ReportSchema } from './messages.ts';

export interface SimulationsOptions {
  readonly batches: readonly Batch[];
  /** Gets everything that happens, line by line. */
  readonly traced?: (line: string) => void;
  /** Gets each report as it comes, in no order; answering false ends it all. */
  readonly reported: (report: Report) => boolean;
}

const CHILD = fileURLToPath(new URL('./player-child.ts', import.meta.url));

/** Plays the runs. Rejects where a process that plays them ends before it has played its own. */
export async function runSimulations(options: SimulationsOptions): Promise<void> {
  const batches = [...options.batches];
  const runs = batches.reduce((sum, { count }) => sum + count, 0);
  const step = Math.min(runs, availableParallelism());
  const trace = options.traced !== undefined;
  const over = new AbortController();
  await Promise.all(
    Array.from({ length: step }, (_, from) =>
      play(options, over, { batches, from, step, trace }, Math.ceil((runs - from) / step)),
    ),
  );
}

async function play(
  { reported, traced }: SimulationsOptions,
  over: AbortController,
  order: Order,
  count: number,
): Promise<void> {
  const child = spawn(
    process.execPath,
    [
      ...['--max-semi-space-size=64', '--conditions=source', '--import', 'tsx'],
      ...[CHILD, JSON.stringify(order)],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const kill = (): void => void child.kill('SIGKILL');
  over.signal.addEventListener('abort', kill, { once: true });
  const closed = once(child, 'close');
  let left = count;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('# ')) {
      traced?.(line.slice(2));
      continue;
    }
    left -= 1;
    if (over.signal.aborted) continue;
    if (!reported(ReportSchema.parse(JSON.parse(line)))) over.abort();
  }
  await closed;
  over.signal.removeEventListener('abort', kill);
  if (left > 0 && !over.signal.aborted) {
    throw new Error(`a process that plays runs has ended ${left} runs too early`);
  }
}
