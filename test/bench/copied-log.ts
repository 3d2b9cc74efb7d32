/**
 * A long log of real events: what real orders made, again and again in the same order, each time with
 * other ids, so that every copy is customers, containers and operations of its own.
 */
import { type EventStore, openEmbeddedStore } from '@bivouac/infra/event-store';
import { type NewEvent, parsePosition, type StoredEvent } from '@bivouac/events/language';
import { PROVIDER_ID } from '@bivouac/events/accounts';
import { deriveId, type IdKind, prefixes, uuidOf } from '@bivouac/events/values';

import { progress } from './figure.ts';

/** Appends under way at once; the writer takes them in the order in which they were sent. */
const UNDER_WAY = 512;
const PAGE = 1000;
/** Events after which it is said how long the log is. */
const SAID_EVERY = 10_000;

const kinds = new Map(
  Object.entries(prefixes).map(([kind, prefix]) => [prefix as string, kind as IdKind]),
);
const ID = new RegExp(
  `\\b(?:${[...kinds.keys()].join('|')})_[0-7][0-9a-hjkmnp-tv-z]{25}\\b|` +
    '\\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\\b',
  'g',
);

/** What is copied, and what a copy has of its own. */
export interface Copies {
  readonly stream: (stream: string) => boolean;
  readonly id: (id: string) => boolean;
}

/** Whole customers, each with ids of their own. */
const customers: Copies = { stream: () => true, id: (id) => id !== PROVIDER_ID };

/** Extends the log in a folder, which nobody else has open, until it holds so many events. */
export class CopiedLog {
  readonly #folder: string;
  readonly #of: Copies;
  #originals: readonly StoredEvent[] = [];
  #copies = 0;

  constructor(folder: string, of: Copies = customers) {
    this.#folder = folder;
    this.#of = of;
  }

  /** Answers how many events there are. */
  async extendTo(count: number): Promise<number> {
    const store = await openEmbeddedStore({ folder: this.#folder });
    try {
      if (this.#originals.length === 0) {
        this.#originals = (await published(store)).filter((e) => this.#of.stream(e.stream));
      }
      let length = await lengthOf(store);
      let said = length;
      while (length < count) {
        await this.#copy(store, ++this.#copies, count - length);
        length = await lengthOf(store);
        if (length < said + SAID_EVERY && length < count) continue;
        progress(`the log has ${length} events`);
        said = length;
      }
      await moveCheckpoints(store);
      return await lengthOf(store);
    } finally {
      await store.close();
    }
  }

  async #copy(store: EventStore, copy: number, most: number): Promise<void> {
    const ids = new Map<string, string>();
    const other = (text: string): string =>
      text.replace(ID, (id) => (this.#of.id(id) ? renamed(ids, id, copy) : id));
    let appends: Promise<unknown>[] = [];
    let left = most;
    for (const append of this.#appends()) {
      const [first] = append;
      const stream = other(first?.stream ?? '');
      // The provider's own streams and the catalog are there once, however many customers there are.
      if (first === undefined || stream === first.stream) continue;
      const expected = first.revision === 0n ? 'no-stream' : first.revision - 1n;
      appends.push(
        store.append(
          stream,
          expected,
          append.map((event) => copied(event, other)),
        ),
      );
      left -= append.length;
      // Only whole customers would do, but a copy that is cut is whole up to where it ends.
      if (left <= 0) break;
      if (appends.length < UNDER_WAY) continue;
      await Promise.all(appends);
      appends = [];
    }
    await Promise.all(appends);
  }

  /** The events by what was appended together, in log order. */
  *#appends(): Generator<readonly StoredEvent[]> {
    let append: StoredEvent[] = [];
    for (const event of this.#originals) {
      const before = append.at(-1);
      if (
        before !== undefined &&
        (before.stream !== event.stream || before.commandkey !== event.commandkey)
      ) {
        yield append;
        append = [];
      }
      append.push(event);
    }
    if (append.length > 0) yield append;
  }
}

function copied(event: StoredEvent, other: (text: string) => string): NewEvent {
  return {
    id: other(event.id),
    type: event.type,
    schemaver: event.schemaver,
    time: event.time,
    tenantid: other(event.tenantid),
    homeid: other(event.homeid),
    actorid: other(event.actorid),
    correlationid: other(event.correlationid),
    causationid: other(event.causationid),
    commandkey: other(event.commandkey),
    inputhash: event.inputhash,
    data: Buffer.from(other(Buffer.from(event.data).toString())),
  };
}

function renamed(ids: Map<string, string>, id: string, copy: number): string {
  const known = ids.get(id);
  if (known !== undefined) return known;
  const kind = kinds.get(id.slice(0, id.indexOf('_')));
  const made = kind === undefined ? uuidOf(id, String(copy)) : deriveId(kind, id, String(copy));
  ids.set(id, made);
  return made;
}

async function published(store: EventStore): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const after = events.at(-1)?.position;
    const page = await store.readAll({ limit: PAGE, ...(after && { after }) });
    // Bodies are views of a page that is larger than they are.
    events.push(...page.events.map((event) => ({ ...event, data: Uint8Array.from(event.data) })));
    if (page.end) return events.filter((event) => !event.stream.startsWith('checkpoint-'));
  }
}

async function lengthOf(store: EventStore): Promise<number> {
  const { position } = await store.head();
  return position === null ? 0 : Number(parsePosition(position));
}

/** All reactions to what was copied have happened in the copied: nothing of it must fire again. */
async function moveCheckpoints(store: EventStore): Promise<void> {
  const mark = String(await lengthOf(store));
  const services = ['accounts', 'containers', 'quotas', 'packages', 'billing', 'provisioning'];
  for (const service of services) {
    const stream = `checkpoint-${service}`;
    const page = await store.readStream(stream, { direction: 'backwards', limit: 1 });
    const last = page.exists ? page.events[0] : undefined;
    // A service without reactions has none.
    if (last === undefined) continue;
    const data = Buffer.from(last.data)
      .toString()
      .replace(/"marks":\[[^\]]*\]/, `"marks":${JSON.stringify(Array(64).fill(mark))}`);
    const commandkey = uuidOf(last.commandkey, mark);
    const moved = { ...last, id: uuidOf(commandkey, '0'), commandkey, data: Buffer.from(data) };
    await store.append(stream, last.revision, [moved]);
  }
}
