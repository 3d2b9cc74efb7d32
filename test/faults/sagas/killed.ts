/**
 * The same deaths for real: the order is given in a process of its own on files, which kills itself with
 * SIGKILL at a failpoint; then another one goes on with what is there.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { Draws } from '@bivouac/all/draws';

import { Disk } from './disk.ts';
import type { Scenario } from './kinds.ts';
import { differences } from './portrait.ts';
import { type Said, SaidSchema, type Task } from './task.ts';
import { readyOn, seedOn, START } from './world.ts';

/** Points of a scenario that are not come to, after which something else is wrong. */
const MOST_MISSED = 10;

const CHILD = fileURLToPath(new URL('./killed-child.ts', import.meta.url));

export interface KilledReport {
  /** Processes that killed themselves. */
  readonly kills: number;
  /** Points that were not come to: of two things at once the other was first. */
  readonly missed: number;
  readonly violations: readonly string[];
}

/** Kills a scenario's process at so many failpoints, drawn from the seed. */
export async function killScenario(
  scenario: Scenario,
  seed: number,
  times: number,
): Promise<KilledReport> {
  const root = await mkdtemp(path.join(tmpdir(), 'bivouac-killed-'));
  try {
    const folder = path.join(root, 'world');
    const task = await prepared(folder, scenario);
    const fresh = async (name: string): Promise<string> => {
      const copy = path.join(root, name);
      await cp(folder, copy, { recursive: true });
      return copy;
    };
    const plain = await said({ ...task, folder: await fresh('plain'), dieAt: null });
    const violations = plain.violations.map((what) => `${scenario.name}: ${what}`);
    const draws = new Draws(seed, `killed ${scenario.name}`);
    let kills = 0;
    let missed = 0;
    while (kills < times) {
      const dieAt = draws.pick(plain.passed) ?? null;
      const on = { ...task, folder: await fresh(`kill ${kills + missed}`) };
      if ((await play({ ...on, dieAt })) !== undefined) {
        missed += 1;
        if (missed < MOST_MISSED) continue;
        violations.push(`${scenario.name}: of its failpoints it comes to none`);
        break;
      }
      kills += 1;
      const after = await said({ ...on, dieAt: null });
      const wrong = [
        ...after.violations,
        ...differences(plain.ends, after.ends),
        ...differences(plain.portrait, after.portrait),
      ];
      violations.push(...wrong.map((what) => `${scenario.name}: killed ${dieAt ?? ''}: ${what}`));
    }
    return { kills, missed, violations };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** Makes the scenario's world in a folder. */
async function prepared(folder: string, scenario: Scenario): Promise<Omit<Task, 'dieAt'>> {
  const disk = await Disk.inFolder(folder, Date.parse(START));
  const ready = await readyOn(disk, await seedOn(disk), scenario);
  await disk.close();
  const { order, tenantId, homeId, until, recorded, seeded } = ready;
  const now = disk.clock.now();
  return { folder, now, order, tenantId, homeId, recorded, seeded, ...(until && { until }) };
}

/** Of a process that is not to die. */
async function said(task: Task): Promise<Said> {
  const answer = await play(task);
  if (answer === undefined) throw new Error('a process was killed that was not to die');
  return answer;
}

/** Undefined where it killed itself. */
async function play(task: Task): Promise<Said | undefined> {
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--import', 'tsx', CHILD, JSON.stringify(task)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'close');
  const output = await text(child.stdout);
  await ended;
  if (child.signalCode === 'SIGKILL') return undefined;
  if (child.exitCode !== 0) throw new Error(`a process ended with ${child.exitCode ?? 'a signal'}`);
  return SaidSchema.parse(JSON.parse(output));
}
