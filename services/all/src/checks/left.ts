/**
 * What a data folder holds when nobody runs on it: the log, read with every checksum and every body
 * against its schema, and the read models, as they were left and built anew.
 */
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';

import type { Recorded, StoredEvent } from '@bivouac/events/language';
import { type EventStore, openEmbeddedStore } from '@bivouac/infra/event-store';
import { RELEASE } from '@bivouac/infra/process';
import {
  registryOf,
  type ServiceDefinition,
  startFollower,
  systemClock,
  viewSchemaOf,
} from '@bivouac/infra/runtime';
import { type DumpedRow, memoryViews, openSqliteViews, type ViewStore } from '@bivouac/infra/views';

import { allServices } from '../services.ts';
import type { Rows } from './models.ts';
import type { History } from './history.ts';
import type { JsonEvent } from './second-opinion/recompute.ts';

/** Reads the whole log. Throws where it is not what was written, naming the place. */
export async function readHistory(left: LeftBehind): Promise<History> {
  const store = await left.openLog();
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
export async function readJson(left: LeftBehind): Promise<JsonEvent[]> {
  const store = await left.openLog();
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

/** How an installation of a kind leaves things, beside its log and its nodes' files. */
export interface LeftBehind {
  /** Opens the log as those who followed it did: checkpoints and rows have positions of its kind. */
  openLog(): Promise<EventStore>;
  /** Whether positions of its kind count the events. */
  readonly gapless: boolean;
  /** The data folders of its processes, each with the services whose read models are there. */
  processes(): Promise<
    readonly { readonly folder: string; readonly services: readonly ServiceDefinition[] }[]
  >;
}

/** What an installation in one process has left in its folder. */
export function embeddedLeft(folder: string): LeftBehind {
  return {
    openLog: () => openEmbeddedStore({ folder }),
    gapless: true,
    processes: () => Promise.resolve([{ folder, services: allServices }]),
  };
}

/** The read models of a service as they were left, and built anew. */
export interface ReadModel {
  readonly live: Rows;
  readonly rebuilt: Rows;
}

/**
 * The read models as their last processes left them, brought to the end of the log, and anew: by
 * service, further replicas under names of their own.
 */
export async function readModels(left: LeftBehind): Promise<ReadonlyMap<string, ReadModel>> {
  const store = await left.openLog();
  try {
    const rebuilt = await builtAnew(store);
    const models = new Map<string, ReadModel>();
    for (const { folder, services } of await left.processes()) {
      await mkdir(join(folder, 'views'), { recursive: true });
      const live = await followed(store, services, (service) =>
        openSqliteViews({
          file: join(folder, 'views', service.name),
          ...viewSchemaOf(service, RELEASE),
        }),
      );
      for (const { name } of services) {
        const rows = { live: live.get(name) ?? new Map(), rebuilt: rebuilt.get(name) ?? new Map() };
        models.set(models.has(name) ? `${name} in ${basename(folder)}` : name, rows);
      }
    }
    return models;
  } finally {
    await store.close();
  }
}

/** The read models of all services, built anew from the whole log. */
export function builtAnew(
  store: EventStore,
  services: readonly ServiceDefinition[] = allServices,
): Promise<ReadonlyMap<string, Rows>> {
  return followed(store, services, () => memoryViews(), registryOf(services));
}

/** Follows the log to its end into these views, and closes them. */
async function followed(
  store: EventStore,
  services: readonly ServiceDefinition[],
  open: (service: ServiceDefinition) => ViewStore,
  registry = registryOf(allServices),
): Promise<ReadonlyMap<string, Rows>> {
  const views = new Map<string, ViewStore>();
  const follower = startFollower({
    store,
    registry,
    services,
    views: (name) => {
      const service = services.find((one) => one.name === name);
      if (service === undefined) throw new Error(`there is no service ${name}`);
      const view = open(service);
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

/** Rows by table and key. */
export function rowsOf(rows: Iterable<DumpedRow>): Rows {
  const found = new Map<string, string>();
  for (const { table, key, json } of rows) found.set(`${table}/${key}`, json);
  return found;
}
