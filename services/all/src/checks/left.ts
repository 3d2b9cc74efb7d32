/**
 * What a data folder holds when nobody runs on it: the log, read with every checksum and every body
 * against its schema, and the read models, as they were left and built anew.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { Recorded, StoredEvent } from '@bivouac/events/language';
import { type EventStore, openEmbeddedStore } from '@bivouac/infra/event-store';
import { RELEASE } from '@bivouac/infra/process';
import { registryOf, startFollower, systemClock, viewSchemaOf } from '@bivouac/infra/runtime';
import { type DumpedRow, memoryViews, openSqliteViews, type ViewStore } from '@bivouac/infra/views';

import { allServices } from '../services.ts';
import type { Rows } from './models.ts';
import type { History } from './history.ts';
import type { JsonEvent } from './second-opinion/recompute.ts';

/** Reads the whole log. Throws where it is not what was written, naming the place. */
export async function readHistory(folder: string): Promise<History> {
  const store = await openEmbeddedStore({ folder });
  try {
    const registry = registryOf(allServices);
    const events: Recorded[] = [];
    for await (const stored of all(store)) {
      const event = registry.decode(stored);
      if (event === undefined) throw new Error(`nobody knows ${stored.type} at ${stored.position}`);
      events.push(event);
    }
    return events;
  } finally {
    await store.close();
  }
}

/** The whole log as plain JSON: nothing is known of any event but what it says. */
export async function readJson(folder: string): Promise<JsonEvent[]> {
  const store = await openEmbeddedStore({ folder });
  try {
    const events: JsonEvent[] = [];
    for await (const { stream, revision, type, time, data } of all(store)) {
      const body: unknown = JSON.parse(new TextDecoder().decode(data));
      events.push({ stream, type, time, revision: revision.toString(), data: body });
    }
    return events;
  } finally {
    await store.close();
  }
}

async function* all(store: EventStore): AsyncGenerator<StoredEvent> {
  let after: string | undefined;
  for (;;) {
    const page = await store.readAll(after === undefined ? {} : { after });
    yield* page.events;
    after = page.events.at(-1)?.position ?? after;
    if (page.end) return;
  }
}

/** The read models of a data folder as its last process left them, brought to the end of its log, and anew. */
export async function readModels(
  folder: string,
): Promise<ReadonlyMap<string, { readonly live: Rows; readonly rebuilt: Rows }>> {
  await mkdir(join(folder, 'views'), { recursive: true });
  const store = await openEmbeddedStore({ folder });
  try {
    const live = await followed(store, (name) => {
      const service = allServices.find((one) => one.name === name);
      if (service === undefined) throw new Error(`there is no service ${name}`);
      const schema = viewSchemaOf(service, RELEASE);
      return openSqliteViews({ file: join(folder, 'views', name), ...schema });
    });
    const rebuilt = await followed(store, () => memoryViews());
    return new Map(
      allServices.map(({ name }) => [
        name,
        { live: live.get(name) ?? new Map(), rebuilt: rebuilt.get(name) ?? new Map() },
      ]),
    );
  } finally {
    await store.close();
  }
}

/** Follows the log to its end into these views, and closes them. */
async function followed(
  store: EventStore,
  open: (service: string) => ViewStore,
): Promise<ReadonlyMap<string, Rows>> {
  const views = new Map<string, ViewStore>();
  const follower = startFollower({
    store,
    registry: registryOf(allServices),
    services: allServices,
    views: (name) => {
      const view = open(name);
      views.set(name, view);
      return view;
    },
    clock: systemClock,
    onFailure: () => undefined,
  });
  try {
    await follower.caughtUp;
    await follower.stop();
    return new Map([...views].map(([name, view]) => [name, rowsOf(view.rows())]));
  } finally {
    await follower.stop();
    for (const view of views.values()) view.close();
  }
}

function rowsOf(rows: Iterable<DumpedRow>): Rows {
  const found = new Map<string, string>();
  for (const { table, key, json } of rows) found.set(`${table}/${key}`, json);
  return found;
}
