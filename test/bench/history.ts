/**
 * Pages of the trail: of an object with ten thousand events, and of an actor who caused one event in
 * fifty, over a log of a hundred thousand. The record of the question is not in it: that is one
 * durable append (`store.append.single`).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { auditService } from '@bivouac/audit';
import { Trail } from '@bivouac/audit/api';
import { PROVIDER_ID, TenantRenamed } from '@bivouac/events/accounts';
import { eventRegistry, type NewEvent } from '@bivouac/events/language';
import { deriveId, uuidOf } from '@bivouac/events/values';
import { memoryBlobs } from '@bivouac/infra/blobs';
import { embeddedBus } from '@bivouac/infra/bus';
import { type EventStore, openEmbeddedStore } from '@bivouac/infra/event-store';
import { memoryKeys } from '@bivouac/infra/keys';
import {
  createLogger,
  type Host,
  startHost,
  systemClock,
  systemPrincipal,
  viewSchemaOf,
} from '@bivouac/infra/runtime';
import { memorySecrets } from '@bivouac/infra/secrets';
import { openSqliteViews } from '@bivouac/infra/views';

import { type BenchPart, type Figure, pairsOf, secondsOf } from './figure.ts';
import { BareHistory } from './limits/history-rows.ts';
import { RELEASE } from './release.ts';

const EVENTS = 100_000;
/** Every so many events one is the object's, and one the actor's. */
const OBJECT_EVERY = 10;
const ACTOR_EVERY = 50;
const PAGE = 100;
/** Pages of one side of a pair. */
const PAGES = 200;
const UNDER_WAY = 64;

/** `history.page`, `history.page.actor`; takes less than a minute. */
export const historyBenchmarks: BenchPart = {
  names: ['history.page', 'history.page.actor'],
  run,
};

const homes = Array.from({ length: 100 }, (_, i) => deriveId('tenant', `bench ${i}`));
const object = deriveId('tenant', 'object');
const actor = 'key_bench_rare';
const stream = `tree-${object}`;

async function run(): Promise<Record<string, Figure>> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bivouac-bench-'));
  const store = await openEmbeddedStore({ folder });
  try {
    const actors = await fill(store);
    const host = await hostOf(store, folder);
    const bare = new BareHistory(folder);
    const pages = pagesOf(host);
    try {
      return {
        'history.page': await pairsOf(
          'pages/s',
          () => pages({ object }, (n) => n * OBJECT_EVERY),
          () =>
            perSecond((from) => bare.ofStream(stream, from, PAGE).length, EVENTS / OBJECT_EVERY),
        ),
        'history.page.actor': await pairsOf(
          'pages/s',
          () => pages({ actor }, (n) => n * ACTOR_EVERY),
          () => perSecond((from) => bare.at(actors.slice(from, from + PAGE)).length, actors.length),
        ),
      };
    } finally {
      bare.close();
      await host.stop(1000);
    }
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

/** Pages a second from places spread over what there is of it. */
function pagesOf(host: Host) {
  const principal = systemPrincipal('system:bench', PROVIDER_ID, PROVIDER_ID);
  return (filter: { object?: string; actor?: string }, positionOf: (n: number) => number) => {
    const all = EVENTS / positionOf(1);
    return perSecond(async (from) => {
      const after = String(positionOf(from)).padStart(20, '0');
      const page = { limit: PAGE, reverse: false, after };
      const reply = await host.query(Trail, { filter, page }, { principal });
      return reply.ok ? reply.result.items.length : 0;
    }, all);
  };
}

/** @param read answers how long the page was that begins behind so many of `all`. */
async function perSecond(
  read: (from: number) => number | Promise<number>,
  all: number,
): Promise<number> {
  const seconds = await secondsOf(async () => {
    for (let i = 0; i < PAGES; i++) {
      const from = Math.floor(((i * 0.618) % 1) * (all - PAGE));
      if ((await read(from)) !== PAGE) throw new Error(`the page behind ${from} is not full`);
    }
  });
  return PAGES / seconds;
}

/** Fills the log; answers the positions of the actor's events. */
async function fill(store: EventStore): Promise<number[]> {
  const registry = eventRegistry([TenantRenamed]);
  const revisions = new Map<string, bigint>();
  const actors: number[] = [];
  let appends: Promise<unknown>[] = [];
  for (let position = 1; position <= EVENTS; position++) {
    const isObject = position % OBJECT_EVERY === 0;
    const isActor = position % ACTOR_EVERY === 1;
    if (isActor) actors.push(position);
    const home = isObject ? object : (homes[position % homes.length] ?? object);
    const name = `tree-${home}`;
    const revision = revisions.get(name);
    revisions.set(name, (revision ?? -1n) + 1n);
    const body = { tenantId: home, homeId: home, name: `name ${position}` } as const;
    const encoded = registry.encode(
      TenantRenamed({ ...body, kind: 'customer', parentId: PROVIDER_ID }),
    );
    const event = { ...envelopeOf(position, home), ...encoded };
    if (isActor) event.actorid = actor;
    appends.push(store.append(name, revision ?? 'no-stream', [event]));
    if (appends.length < UNDER_WAY) continue;
    await Promise.all(appends);
    appends = [];
  }
  await Promise.all(appends);
  return actors;
}

function envelopeOf(
  position: number,
  home: string,
): Omit<NewEvent, 'data' | 'schemaver'> & {
  actorid: string;
} {
  const commandkey = uuidOf('bench', String(position));
  return {
    ...{ id: uuidOf(commandkey, '0'), type: TenantRenamed.type, tenantid: home, homeid: home },
    time: new Date(Date.UTC(2026, 3, 10) + position * 1000).toISOString(),
    actorid: `key_bench_${position % 40}`,
    ...{ correlationid: commandkey, causationid: commandkey, commandkey, inputhash: '' },
  };
}

function hostOf(store: EventStore, folder: string): Promise<Host> {
  const schema = viewSchemaOf(auditService, RELEASE);
  return startHost({
    services: [auditService],
    store,
    bus: embeddedBus({ store, clock: systemClock }),
    views: () => openSqliteViews({ file: path.join(folder, 'views-audit'), ...schema }),
    clock: systemClock,
    ports: {
      ...{ blobs: memoryBlobs(), keys: memoryKeys(), secrets: memorySecrets() },
      random: (bytes) => new Uint8Array(bytes),
    },
    logger: createLogger('error', process.stderr),
    providerId: () => PROVIDER_ID,
    onFailure: (error) => {
      throw error;
    },
  });
}
