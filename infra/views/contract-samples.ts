/** Rows, tables and checkpoints for the tests of the view engines. */
import { formatPosition } from '@bivouac/events/language';

import type { Checkpoint } from '../event-store/port.ts';
import { table } from './port.ts';
import type { ViewStore } from './store.ts';

export interface Note {
  id: string;
  topic: string;
  due: string | null;
  size: number;
  tags: string[];
}

export const notes = table<Note>()({
  name: 'notes',
  key: (row) => row.id,
  indexes: {
    byTopic: (row) => [row.topic],
    byDue: (row) => (row.due === null ? undefined : [row.due, row.topic]),
  },
});

export const other = table<{ id: string }>()({
  name: 'other',
  key: (row) => row.id,
  indexes: {},
});

export function note(id: string, fields: Partial<Note> = {}): Note {
  return { id, topic: 'topic', due: null, size: 0, tags: [], ...fields };
}

/** The checkpoint behind the n-th event. */
export function at(n: number): Checkpoint {
  return { epoch: 'epoch', position: formatPosition(BigInt(n)), eventId: `event ${n}` };
}

/** Applies one event that puts rows. */
export function put(store: ViewStore, ...rows: Note[]): void {
  const present = store.checkpoint();
  store.apply(at(present === undefined ? 1 : Number(present.position) + 1), (w) => {
    for (const row of rows) w.put(notes, row);
  });
}
