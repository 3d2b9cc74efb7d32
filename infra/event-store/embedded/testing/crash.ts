/**
 * Kills a process that appends to a log, at a point its seed chooses, and checks what is left: what
 * was acknowledged is there, appends are whole, and the log opens and goes on.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { StoredEvent } from '@bivouac/events/language';
import { readWholeLog, sampleEvents } from '../../contract/samples.ts';
import type { WriterFaults } from '../messages.ts';
import { openEmbeddedStore } from '../store.ts';

/** What the child is to do, and where it dies by itself. */
export interface CrashPlan {
  readonly seed: number;
  readonly writers: number;
  readonly appends: number;
  readonly die?: { readonly point: keyof WriterFaults; readonly at: number };
}

/** What one crash showed. */
export interface CrashReport {
  readonly events: number;
  readonly acknowledged: number;
  readonly violations: readonly string[];
}

/** A running child and what it says. */
export interface CrashChild {
  readonly process: ChildProcessByStdio<null, Readable, null>;
  /** Lines said so far. */
  readonly said: readonly string[];
  /** Resolves when the child has said so many lines, or ended. */
  lines(count: number): Promise<void>;
  /** Resolves when the child has ended and all it said is in. */
  readonly ended: Promise<void>;
}

/** Starts a child that appends to the log in a folder; `wrap` starts it under another program. */
export function startCrashChild(
  folder: string,
  plan: CrashPlan,
  wrap: readonly string[] = [],
): CrashChild {
  const file = fileURLToPath(new URL('./crash-child.ts', import.meta.url));
  const node = [process.execPath, '--conditions=source', '--import', 'tsx'];
  const [command = '', ...rest] = [...wrap, ...node, file, folder, JSON.stringify(plan)];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  const said: string[] = [];
  let wake = (): void => undefined;
  let over = false;
  createInterface(child.stdout).on('line', (line) => {
    said.push(line);
    wake();
  });
  const ended = once(child, 'close').then(() => {
    over = true;
    wake();
  });
  return {
    process: child,
    said,
    ended,
    lines: async (count) => {
      while (!over && said.length < count) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

/** One crash, as the seed has it: killed from outside after some answers, or dying at a point. */
export async function crashOnce(folder: string, seed: number): Promise<CrashReport> {
  const points = [undefined, 'beforeCommit', 'afterCommit', 'beforeRecord'] as const;
  const point = points[seed % points.length];
  const at = point === 'beforeRecord' ? 2 : 1 + ((seed * 7) % 60);
  const plan: CrashPlan = {
    seed,
    writers: 1 + ((seed * 13) % 16),
    appends: 1_000_000,
    ...(point === undefined ? {} : { die: { point, at } }),
  };
  const child = startCrashChild(folder, plan);
  if (point === undefined) {
    await child.lines(2 + ((seed * 31) % 300));
    child.process.kill('SIGKILL');
  }
  await child.ended;
  return checkAfterCrash(folder, child.said, seed);
}

/** Opens the log a killed process left and compares it with what the process had said. */
export async function checkAfterCrash(
  folder: string,
  said: readonly string[],
  seed: number,
): Promise<CrashReport> {
  const violations: string[] = [];
  const acks = said.filter((line) => line.startsWith('ack '));
  if (!said.includes('opened')) violations.push(`the child did not open the log: ${said.join()}`);
  const store = await openEmbeddedStore({ folder });
  try {
    const log = await readWholeLog(store, 500);
    const heads = new Map<string, bigint>();
    for (const event of log) {
      const next = (heads.get(event.stream) ?? -1n) + 1n;
      if (event.revision !== next) violations.push(`${event.stream} skips revision ${next}`);
      heads.set(event.stream, event.revision);
    }
    for (const ack of acks) {
      const [, stream = '', revision = ''] = ack.split(' ');
      if ((heads.get(stream) ?? -1n) < BigInt(revision)) violations.push(`lost: ${ack}`);
    }
    violations.push(...tornAppends(log));
    // The log goes on, and a re-send of what the dead process had written is known.
    const last = log.findLast((event) => event.stream.startsWith(`crash-${seed}-`));
    if (last !== undefined) violations.push(...(await resendLast(store, log, last)));
  } finally {
    await store.close();
  }
  return { events: said.length, acknowledged: acks.length, violations };
}

interface Body {
  readonly append: string;
  readonly size: number;
}

function bodyOf(event: StoredEvent): Body {
  return JSON.parse(Buffer.from(event.data).toString()) as Body;
}

/** Appends of which only a part is there, or whose events do not stand together. */
function tornAppends(log: readonly StoredEvent[]): string[] {
  const torn: string[] = [];
  for (let i = 0; i < log.length;) {
    const first = log[i];
    if (first === undefined) break;
    const { append, size } = bodyOf(first);
    const whole = log.slice(i, i + size).filter((event) => bodyOf(event).append === append);
    if (whole.length !== size) torn.push(`torn: ${append} has ${whole.length} of ${size}`);
    i += Math.max(1, whole.length);
  }
  return torn;
}

async function resendLast(
  store: Awaited<ReturnType<typeof openEmbeddedStore>>,
  log: readonly StoredEvent[],
  last: StoredEvent,
): Promise<string[]> {
  const { append, size } = bodyOf(last);
  const expected = last.revision - BigInt(size);
  const events = sampleEvents(append, size, { data: last.data });
  const again = await store.append(last.stream, expected < 0n ? 'no-stream' : expected, events);
  const { position } = await store.head();
  if (again.position !== last.position)
    return [`the re-send of ${append} answers another position`];
  return position === log.at(-1)?.position ? [] : [`the re-send of ${append} wrote again`];
}
