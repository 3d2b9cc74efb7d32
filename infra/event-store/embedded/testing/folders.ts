/**
 * Logs in throw-away folders, for tests that damage, kill or fill them.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StoredEvent } from '@bivouac/events/language';
import type { EventStore } from '../../port.ts';
import { sampleEvents } from '../../contract/samples.ts';
import type { FaultsModule } from '../messages.ts';
import { FILES } from '../schema.js';
import type { Plan } from './faults.js';

/** The faults module, with its plan. */
export function faultsOf(plan: Plan): FaultsModule {
  return { module: fileURLToPath(new URL('./faults.js', import.meta.url)), data: plan };
}

const made: string[] = [];

/** An empty folder, removed by {@link removeFolders}. */
export function newFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'bivouac-log-'));
  made.push(folder);
  return folder;
}

/** Removes every folder made so far. */
export function removeFolders(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** Copies a log as it lies there: what a killed process leaves, if it is open. */
export function copyLog(from: string): string {
  const to = newFolder();
  for (const name of [FILES.log, `${FILES.log}-wal`, FILES.head]) {
    const file = path.join(from, name);
    if (existsSync(file)) copyFileSync(file, path.join(to, name));
  }
  return to;
}

/** Fills a log with appends of one to three events in some streams of some homes. */
export async function fill(store: EventStore, appends: number, seed = 'fill'): Promise<void> {
  const heads = new Map<string, bigint>();
  for (let i = 0; i < appends; i++) {
    const n = i % 7;
    const stream = `pool-${seed}-${n}`;
    const fields = { homeid: `home-${n % 3}` };
    const events = sampleEvents(`${seed} ${i}`, 1 + (i % 3), fields);
    const result = await store.append(stream, heads.get(stream) ?? 'no-stream', events);
    heads.set(stream, result.revision);
  }
}

/** Everything a log answers, as text: the log, then each stream and each home. */
export function rendered(events: readonly StoredEvent[]): string {
  return events
    .map(({ data, revision, ...rest }) =>
      JSON.stringify({ ...rest, revision: String(revision), data: Buffer.from(data).toString() }),
    )
    .join('\n');
}
