/** Waiting until nothing can happen any more: first without time, then with as much as it takes. */
import { setImmediate } from 'node:timers/promises';

import { Leftovers } from '@bivouac/containers/api';
import { OperationStarted } from '@bivouac/events/provisioning';
import { is } from '@bivouac/events/language';
import { answerStream, AskAnswered, StepAsked } from '@bivouac/events/operations';
import { endOf, type Outcome } from '@bivouac/all/checks/ends';

import type { Disk } from './disk.ts';
import type { Running } from './process.ts';
import { staff } from './staff.ts';

/** Turns of the event loop without a call after which nothing is under way. */
const STILL = 8;
/** Steps in which time passes, in milliseconds, doubled up to the last; then up to a deadline. */
const FIRST = 1_010;
const LONGEST = 40_000;
/** What has not come to rest after so many steps never will. */
const PATIENCE = 300;

/** Resolves when nothing moves but by time. */
export async function quiet({ activity }: Disk): Promise<void> {
  for (let still = 0, moves = activity.moves; still < STILL; still += 1) {
    await setImmediate();
    if (activity.open === 0 && activity.moves === moves) continue;
    moves = activity.moves;
    still = -1;
  }
}

/**
 * Lets time pass until every operation has ended or waits for staff and the node has answered all it
 * was told. False: it never came to rest.
 *
 * @param until something waits for this moment: time goes there at once.
 */
export async function rest(disk: Disk, running: Running, until?: string): Promise<boolean> {
  const { clock } = disk;
  let step = FIRST;
  let known = 0;
  for (let steps = 0; steps < PATIENCE; steps += 1) {
    await quiet(disk);
    if (running.life.dead) return true;
    if (await isAtRest(disk, running)) {
      // What follows from the last of it is written down, too.
      clock.advance(FIRST);
      await quiet(disk);
      if (running.life.dead || (await isAtRest(disk, running))) return true;
    }
    const { length } = await disk.history();
    if (length > known) step = FIRST;
    known = length;
    if (until !== undefined && clock.now() < Date.parse(until)) clock.moveTo(until);
    else if (step <= LONGEST) clock.advance(step);
    else clock.moveTo((await deadline(disk)) ?? clock.now() + LONGEST);
    step *= 2;
  }
  return false;
}

/** When the first of the asks without an answer is overdue. */
async function deadline(disk: Disk): Promise<number | undefined> {
  const open = new Map<string, number>();
  for (const event of await disk.history()) {
    if (is(event, StepAsked)) {
      open.set(answerStream(event.data.ref), Date.parse(event.data.notAfter));
    } else if (is(event, AskAnswered)) open.delete(answerStream(event.data.ref));
  }
  const ahead = [...open.values()].filter((due) => due > disk.clock.now());
  return ahead.length === 0 ? undefined : Math.min(...ahead) + 1;
}

async function isAtRest(disk: Disk, { host }: Running): Promise<boolean> {
  const all = await standings(disk);
  const waited = new Set(
    [...all.values()].flatMap(({ outcome, parentId }) =>
      outcome === 'needs-attention' && parentId !== undefined ? [parentId] : [],
    ),
  );
  for (const [operationId, { outcome }] of all) {
    // While a child waits for staff, so does its parent.
    if (outcome === 'running' && !waited.has(operationId)) return false;
  }
  const reply = await host.query(Leftovers, {}, { principal: staff });
  return reply.ok && reply.result.unansweredInstructions === 0;
}

/** How an operation stands. */
interface OperationStanding {
  readonly outcome: Outcome;
  readonly parentId: string | undefined;
}

/** How every operation stands, by id, in the order they were started. */
export async function standings(disk: Disk): Promise<ReadonlyMap<string, OperationStanding>> {
  const found = new Map<string, OperationStanding>();
  for (const event of await disk.history()) {
    if (is(event, OperationStarted)) {
      const { operationId, parentId } = event.data;
      found.set(operationId, { outcome: 'running', parentId });
    }
    const end = endOf(event);
    if (end === undefined) continue;
    const { operationId, outcome } = end;
    found.set(operationId, { outcome, parentId: found.get(operationId)?.parentId });
  }
  return found;
}
