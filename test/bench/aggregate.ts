/**
 * The first command of a process on a long stream: a quota ledger of a hundred thousand events, with
 * its snapshot against without, each time on a command host that has loaded nothing yet.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { Decided, NewEvent, Principal } from '@bivouac/events/language';
import { Committed, LimitSet, Released, Reserved, TenantOpened } from '@bivouac/events/quotas';
import { deriveId, instantOf, uuidOf } from '@bivouac/events/values';
import { memoryBlobs } from '@bivouac/infra/blobs';
import { type EventStore, openEmbeddedStore } from '@bivouac/infra/event-store';
import { memoryKeys } from '@bivouac/infra/keys';
import {
  commandHost,
  createLogger,
  type EdgePorts,
  folderSnapshots,
  registryOf,
  type SnapshotFiles,
  StreamSnapshots,
  systemClock,
} from '@bivouac/infra/runtime';
import { memorySecrets } from '@bivouac/infra/secrets';
import { quotasService } from '@bivouac/quotas';
import { Reserve } from '@bivouac/quotas/api';

import { type BenchPart, type Figure, pairsOf, secondsOf } from './figure.ts';

const EVENTS = 100_000;
/** Reservations that stand at any moment; the others have ended. */
const STANDING = 2000;
/** Milliseconds of log time per reservation: the commands of seven days are remembered, two thirds. */
const BETWEEN = 30_000;
const APPEND = 500;

/** `aggregate.load`; takes less than a minute. */
export const aggregateBenchmarks: BenchPart = { names: ['aggregate.load'], run };

const home = deriveId('tenant', 'bench');
const stream = `ledger-${home}`;
const system: Principal = {
  ...{ id: 'system:bench', kind: 'system', tenantId: home, homeId: home },
  ...{ reach: 'all', rights: 'all', audience: 'staff' },
};

async function run(): Promise<Record<string, Figure>> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bivouac-bench-'));
  const store = await openEmbeddedStore({ folder });
  try {
    const end = await fill(store);
    const files = await folderSnapshots({ folder: path.join(folder, 'snapshots') });
    const ports: EdgePorts = {
      keys: memoryKeys(),
      secrets: memorySecrets(),
      blobs: memoryBlobs(),
      random: (bytes) => new Uint8Array(bytes),
    };
    let sent = 0;
    const perSecond = (kept?: SnapshotFiles) => async () => {
      sent += 1;
      const seconds = await firstCommand(store, ports, end, `first ${sent}`, kept);
      return 1 / seconds;
    };
    // The first of ours finds no snapshot and leaves one; it is not measured.
    const { value, limit, ratio } = await pairsOf('commands/s', perSecond(files), perSecond());
    return {
      'aggregate.load': {
        value: 1000 / value,
        unit: `ms to a first command on ${EVENTS} events (limit: without snapshot)`,
        limit: 1000 / limit,
        ratio,
      },
    };
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

/** What a process does that has not seen the stream yet. */
async function firstCommand(
  store: EventStore,
  ports: EdgePorts,
  now: number,
  name: string,
  files?: SnapshotFiles,
): Promise<number> {
  const logger = createLogger('warn', process.stderr);
  const host = commandHost({
    handlers: quotasService.commands,
    store,
    registry: registryOf([quotasService]),
    clock: { ...systemClock, now: () => now },
    ports,
    providerId: () => home,
    snapshots: files && new StreamSnapshots({ files, store, logger }),
  });
  const seconds = await secondsOf(async () => {
    const reply = await host.command(
      Reserve,
      {
        ...{ reservationId: deriveId('reservation', name), tenantId: home, homeId: home, vector },
        notAfter: instantOf(now + BETWEEN),
      },
      { principal: system, idempotencyKey: name },
    );
    if (!reply.ok) throw new Error(reply.refusal.message);
  });
  await host.stop();
  return seconds;
}

const vector = {
  ...{ containers: 1, cpuMillis: 1000, memoryBytes: (2n ** 30n).toString() },
  ...{ diskBytes: (2n ** 32n).toString(), addresses: 1 },
};

/** Appends the ledger's events as its own commands would have. Answers the last one's time. */
async function fill(store: EventStore): Promise<number> {
  const registry = registryOf([quotasService]);
  let time = Date.parse('2026-04-10T09:00:00.000Z');
  let batch: NewEvent[] = [];
  let revision = 0n;
  const flush = async (): Promise<void> => {
    await store.append(stream, revision === 0n ? 'no-stream' : revision - 1n, batch);
    revision += BigInt(batch.length);
    batch = [];
  };
  for (const decided of ledgerOf(EVENTS)) {
    time += BETWEEN / 3;
    const commandkey = uuidOf('bench', `${revision} ${batch.length}`);
    batch.push({
      ...registry.encode(decided),
      ...{ id: uuidOf(commandkey, '0'), type: decided.type, time: instantOf(time) },
      ...{ tenantid: home, homeid: home, actorid: 'policy:bench', correlationid: commandkey },
      ...{ causationid: commandkey, commandkey, inputhash: uuidOf('input', commandkey) },
    });
    if (batch.length === APPEND) await flush();
  }
  if (batch.length > 0) await flush();
  return time;
}

/** Each reservation is made, committed and later released. */
function* ledgerOf(events: number): Generator<Decided> {
  const of = { tenantId: home, homeId: home };
  yield TenantOpened({ ...of, parentId: null });
  yield LimitSet({ ...of, limit: null, previous: null, reason: 'a benchmark' });
  for (let n = 0, made = 2; made < events; n++) {
    const reservationId = deriveId('reservation', `r${n}`);
    yield Reserved({ ...of, reservationId, vector, notAfter: '2026-12-31T00:00:00.000Z' });
    yield Committed({ ...of, reservationId, vector });
    made += 2;
    if (n < STANDING) continue;
    const ended = deriveId('reservation', `r${n - STANDING}`);
    yield Released({ ...of, reservationId: ended, vector, committed: true });
    made += 1;
  }
}
