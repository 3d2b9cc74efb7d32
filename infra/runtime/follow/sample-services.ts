/** Two small services over one log, for the tests of what follows it: their rows tell what they saw. */
import {
  customer,
  event,
  eventRegistry,
  formatPosition,
  type Principal,
  query,
  refuse,
  type StoredEvent,
} from '@bivouac/events/language';
import { z } from 'zod';

import { sampleEvent } from '../../event-store/contract/samples.ts';
import type { EventStore } from '../../event-store/port.ts';
import { memoryViews } from '../../views/memory.ts';
import { table } from '../../views/port.ts';
import type { ViewStore } from '../../views/store.ts';
import { on, projection, queryHandler, service, timers } from '../definitions.ts';

export const NoteWritten = event(
  'samples.NoteWritten',
  z.strictObject({ n: customer(z.int()), topic: customer(z.string()) }),
);
export const DeadlineSet = event(
  'samples.DeadlineSet',
  z.strictObject({ timerId: customer(z.string()), due: customer(z.string()) }),
);
export const DeadlineMet = event(
  'samples.DeadlineMet',
  z.strictObject({ timerId: customer(z.string()) }),
);
export const registry = eventRegistry([NoteWritten, DeadlineSet, DeadlineMet]);

export interface SeenRow {
  readonly id: string;
  /** Every `n` seen, in the order seen. */
  readonly ns: readonly number[];
}
export const seen = table<SeenRow>()({ name: 'seen', key: (row) => row.id, indexes: {} });

export interface LoggedRow {
  readonly id: string;
  /** Position and type of every event as it was stored, in the order seen. */
  readonly events: readonly string[];
}
export const logged = table<LoggedRow>()({ name: 'logged', key: (row) => row.id, indexes: {} });

export interface NoteRow {
  readonly id: string;
  readonly topic: string;
  readonly tenantId: string;
  readonly position: string;
}
export const notes = table<NoteRow>()({
  name: 'notes',
  key: (row) => row.id,
  indexes: { byTopic: (row) => [row.topic, row.position] },
});

/** What a projection does when it meets this `n`: for tests of failing ones. */
export const trap: { n: number | undefined } = { n: undefined };

const page = z.strictObject({
  topic: z.string().max(20),
  after: z.string().optional(),
  limit: z.number().int().min(1).max(50).default(10),
});
const listed = z.object({ items: z.array(z.object({ cursor: z.string(), id: z.string() })) });

export const NotesByTopic = query({
  name: 'notebook.NotesByTopic',
  input: page,
  result: listed,
  access: 'tenant',
  right: 'account.read',
});
export const StaffOnly = query({
  name: 'notebook.StaffOnly',
  input: z.strictObject({}),
  result: z.string(),
  access: 'staff',
  right: 'account.read',
});
export const Internal = query({
  name: 'notebook.Internal',
  input: z.strictObject({}),
  result: z.string(),
  access: 'internal',
});
export const Refusing = query({
  name: 'notebook.Refusing',
  input: z.strictObject({}),
  result: z.null(),
  access: 'tenant',
  right: 'account.read',
});
export const HistoryOf = query({
  name: 'notebook.HistoryOf',
  input: z.strictObject({
    stream: z.string(),
    after: z.string().optional(),
    before: z.string().optional(),
    limit: z.number().int().default(2),
    reverse: z.boolean().default(false),
  }),
  result: z.object({ revisions: z.array(z.string()), end: z.boolean(), now: z.string() }),
  access: 'tenant',
  right: 'account.read',
});
export const Broken = query({
  name: 'notebook.Broken',
  input: z.strictObject({}),
  result: z.number(),
  access: 'tenant',
  right: 'account.read',
});

export const notebook = service({
  name: 'notebook',
  events: [NoteWritten],
  commands: [],
  queries: [
    queryHandler(NotesByTopic, (view, { topic, after, limit }, { reaches }) => ({
      items: view
        .range(notes, 'byTopic', [topic], { after, limit })
        .filter(({ row }) => reaches(row.tenantId))
        .map(({ cursor, row }) => ({ cursor, id: row.id })),
    })),
    queryHandler(StaffOnly, () => 'for staff'),
    queryHandler(Internal, () => 'for services'),
    queryHandler(Refusing, () => refuse('NOTE_MISSING', 'There is no such note. Write it first.')),
    queryHandler(HistoryOf, async (_view, { stream, ...history }, { history: read, now }) => {
      const { events, end } = await read(stream, history);
      return { revisions: events.map((e) => e.revision.toString()), end, now: now() };
    }),
    queryHandler(Broken, () => 'not a number' as unknown as number),
  ],
  projections: [
    projection({
      name: 'seen',
      tables: [seen],
      on: [
        on(NoteWritten, ({ data }, view) => {
          if (data.n === trap.n) throw new Error('the trap has sprung');
          const row = view.get(seen, 'all');
          view.put(seen, { id: 'all', ns: [...(row?.ns ?? []), data.n] });
        }),
      ],
    }),
    projection({
      name: 'notes',
      tables: [notes],
      on: [
        on(NoteWritten, ({ data, tenantid, position }, view) => {
          // Every seventh note takes the place of the one before: rows come and go.
          if (data.n % 7 === 6) view.delete(notes, `note ${data.n - 1}`);
          view.put(notes, {
            id: `note ${data.n}`,
            topic: data.topic,
            tenantId: tenantid,
            position,
          });
        }),
      ],
    }),
  ],
  policies: [],
  responders: [],
});

export const calendar = service({
  name: 'calendar',
  events: [NoteWritten, DeadlineSet, DeadlineMet],
  commands: [],
  queries: [],
  projections: [
    projection({
      name: 'seen',
      tables: [seen],
      on: [
        on(NoteWritten, ({ data }, view) => {
          view.put(seen, { id: 'all', ns: [...(view.get(seen, 'all')?.ns ?? []), data.n] });
        }),
      ],
    }),
    projection({
      name: 'logged',
      tables: [logged],
      stored: (stored, view) => {
        const before = view.get(logged, 'all')?.events ?? [];
        const now = stored.map(({ position, type }) => `${position} ${type}`);
        view.put(logged, { id: 'all', events: [...before, ...now] });
      },
    }),
    projection({
      name: 'deadlines',
      tables: [timers],
      on: [
        on(DeadlineSet, ({ data, homeid }, view) => {
          view.put(timers, {
            id: data.timerId,
            due: data.due,
            homeId: homeid,
            command: 'samples.MeetDeadline',
            input: { timerId: data.timerId },
          });
        }),
        on(DeadlineMet, ({ data }, view) => {
          view.delete(timers, data.timerId);
        }),
      ],
    }),
  ],
  policies: [],
  responders: [],
});

/** Appends events, one stream for each home unless named otherwise. */
export class Writer {
  readonly store: EventStore;
  readonly #heads = new Map<string, bigint>();
  #notes = 0;
  #events = 0;

  readonly #seed: string;

  /** @param seed tells apart the ids of two logs. */
  constructor(store: EventStore, seed = '') {
    this.store = store;
    this.#seed = seed;
  }

  /** How many notes there are; they are numbered from 0. */
  get notes(): number {
    return this.#notes;
  }

  note(home: string, fields: Partial<StoredEvent> = {}) {
    const n = this.#notes++;
    return this.write(home, { type: NoteWritten.type, ...noteBody(n), ...fields });
  }

  deadline(home: string, timerId: string, due: string) {
    const body = registry.encode(DeadlineSet({ timerId, due }));
    return this.write(home, { type: DeadlineSet.type, ...body });
  }

  met(home: string, timerId: string) {
    const body = registry.encode(DeadlineMet({ timerId }));
    return this.write(home, { type: DeadlineMet.type, ...body });
  }

  async write(homeid: string, fields: Partial<StoredEvent>) {
    const { stream = `log-${homeid}`, ...rest } = fields;
    const expected = this.#heads.get(stream) ?? 'no-stream';
    const event = sampleEvent(`${this.#seed}${this.#events++}`, {
      tenantid: homeid,
      homeid,
      ...rest,
    });
    const { position, revision } = await this.store.append(stream, expected, [event]);
    this.#heads.set(stream, revision);
    return { id: event.id, position, stream, revision };
  }
}

function noteBody(n: number) {
  return registry.encode(NoteWritten({ n, topic: n % 2 === 0 ? 'even' : 'odd' }));
}

/** A view store whose process can be killed: what was not committed by then is gone. */
export function mortalViews(store: ViewStore = memoryViews()): ViewStore & { kill(): void } {
  let dead = false;
  return {
    view: store.view,
    apply: (checkpoint, fn) => {
      store.apply(checkpoint, fn);
    },
    checkpoint: () => store.checkpoint(),
    commit: () => {
      if (!dead) store.commit();
    },
    reset: () => {
      store.reset();
    },
    dump: () => store.dump(),
    rows: () => store.rows(),
    successor: () => store.successor(),
    succeed: (next) => {
      store.succeed(next);
    },
    close: () => {
      store.close();
    },
    kill: () => {
      dead = true;
      const beyond = formatPosition(2n ** 60n);
      try {
        store.apply({ epoch: '', position: beyond, eventId: '' }, () => {
          throw new Error('killed');
        });
      } catch {
        // Thrown to make the store go back to its last commit.
      }
    },
  };
}

export const everyone: Principal = {
  id: 'system:test',
  kind: 'system',
  tenantId: 'provider',
  homeId: 'provider',
  reach: 'all',
  rights: 'all',
  audience: 'staff',
};

export function memberOf(tenantId: string): Principal {
  return {
    id: `per_${tenantId}`,
    kind: 'member',
    tenantId,
    homeId: tenantId,
    reach: new Set([tenantId]),
    rights: 'all',
    audience: 'customer',
  };
}
