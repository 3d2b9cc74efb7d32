/**
 * Every read model equals one built anew from the log, no home is parked, and the ledger's read model
 * has, on each level, what is reserved there and below.
 */
import { is } from '@bivouac/events/language';
import { axes } from '@bivouac/events/values';
import { CheckpointRecorded } from '@bivouac/infra/runtime';
import { z } from 'zod';

import type { History } from './history.ts';
import { type Levels, usedOn } from './quotas.ts';

/** Rows by table and key, as canonical JSON. */
export type Rows = ReadonlyMap<string, string>;

/** The rows in which a rebuilt read model differs from the live one. */
export function modelViolations(service: string, live: Rows, rebuilt: Rows): string[] {
  const violations: string[] = [];
  for (const key of new Set([...live.keys(), ...rebuilt.keys()])) {
    const [left, anew] = [live.get(key), rebuilt.get(key)];
    if (left === anew) continue;
    violations.push(`${service}'s ${key} is ${left ?? 'missing'}, rebuilt ${anew ?? 'missing'}`);
  }
  return violations;
}

const QuotaRowSchema = z.object({
  tenantId: z.string(),
  parentId: z.string().nullable(),
  used: z.record(z.enum(axes), z.string()),
});

/** A level's use in the read model: its own and the sum of those below it, as the ledger has it. */
export function quotaRowViolations(rows: Rows, levels: Levels): string[] {
  const violations: string[] = [];
  const said = [...rows].flatMap(([key, json]) =>
    key.startsWith('quotas/') ? [QuotaRowSchema.parse(JSON.parse(json))] : [],
  );
  if (said.length !== levels.size)
    violations.push(`${said.length} levels of ${levels.size} are shown`);
  for (const { tenantId, used } of said) {
    for (const axis of axes) {
      const right = usedOn(levels, tenantId, axis);
      if (used[axis] !== right.toString()) {
        violations.push(`${tenantId} is shown with ${used[axis]} ${axis} and has ${right}`);
      }
    }
  }
  return violations;
}

/** Homes whose reactions wait for somebody: nothing in these runs may park any. */
export function parkedViolations(history: History): string[] {
  const last = new Map<string, string[]>();
  for (const event of history) {
    if (!is(event, CheckpointRecorded)) continue;
    const parked = event.data.parked.map(
      ({ homeId, type, reaction }) =>
        `${event.stream}: ${homeId} is parked by ${reaction ?? 'no reaction'} at a ${type}`,
    );
    last.set(event.stream, parked);
  }
  return [...last.values()].flat();
}
