/**
 * Who is erased is erased: what is sealed for them opens nowhere and no key of theirs is there. What is
 * sealed for anybody else opens: nobody is erased by mistake.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { PersonErased } from '@bivouac/events/accounts';
import { is, type Purpose, type Sealed, SealedSchema } from '@bivouac/events/language';
import { folderKeys } from '@bivouac/infra/keys';

import type { History } from './history.ts';

/** A key, by person and purpose, as the folder of keys knows it. */
export interface KeyState {
  readonly person: string;
  readonly purpose: Purpose;
  /** A file with a key is there, as opposed to a tombstone, or nothing. */
  readonly stored: boolean;
  /** What is sealed under it in the log: how many values, and how many of them open. */
  readonly sealed: number;
  readonly opened: number;
}

export function erasureViolations(history: History, keys: readonly KeyState[]): string[] {
  const erased = new Set<string>();
  for (const event of history) {
    if (!is(event, PersonErased)) continue;
    for (const purpose of event.data.purposes) erased.add(`${event.data.personId}.${purpose}`);
  }
  return keys.flatMap(({ person, purpose, stored, sealed, opened }) => {
    const key = `${person}.${purpose}`;
    if (!erased.has(key)) {
      return opened === sealed ? [] : [`${key} is not erased, and opens ${opened} of ${sealed}`];
    }
    return [
      ...(stored ? [`${key} is erased, and the key is there`] : []),
      ...(opened > 0 ? [`${key} is erased, and opens ${opened} of ${sealed}`] : []),
    ];
  });
}

/** Tries what a stopped installation's keys open of its log. Looks for files first: opening may mend them. */
export async function readKeys(folder: string, history: History): Promise<KeyState[]> {
  const root = join(folder, 'keys');
  const files = await readdir(join(root, 'persons'), { recursive: true });
  const stored = new Set(
    files.flatMap((file) => /(per_[0-9a-z]{26}\.[a-z]+)\.key$/.exec(file)?.slice(1) ?? []),
  );
  const found = new Map<string, KeyState>();
  const note = (person: string, purpose: Purpose, sealed: number, opened: number): void => {
    const key = `${person}.${purpose}`;
    const before = found.get(key) ?? { sealed: 0, opened: 0 };
    found.set(key, {
      ...{ person, purpose, stored: stored.has(key) },
      ...{ sealed: before.sealed + sealed, opened: before.opened + opened },
    });
  };
  const keys = await folderKeys({ folder: root });
  try {
    for (const event of history) {
      if (is(event, PersonErased)) {
        for (const purpose of event.data.purposes) note(event.data.personId, purpose, 0, 0);
      }
      for (const value of sealedIn(event.data)) {
        const clear = await keys.open(value);
        note(value.person, value.purpose, 1, clear === undefined ? 0 : 1);
      }
    }
  } finally {
    await keys.close();
  }
  return [...found.values()];
}

function* sealedIn(value: unknown): Generator<Sealed> {
  const { data } = SealedSchema.safeParse(value);
  if (data !== undefined) yield data;
  else if (typeof value === 'object' && value !== null) {
    for (const inside of Object.values(value)) yield* sealedIn(inside);
  }
}
