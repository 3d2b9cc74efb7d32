// An installation moves: stopped, its log copied, started again on an EventStoreDB. Everything is
// answered as before, nothing happens a second time, and new orders work.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import type { StoredEvent } from '@bivouac/events/language';
import { RELEASE } from '@bivouac/infra/process';
import { serveEventStore } from '@bivouac/infra/dev/eventstore';
import { type EventStore, examineLog, memoryEventStore } from '@bivouac/infra/event-store';
import {
  CheckpointRecorded,
  createLogger,
  ManualClock,
  readConfig,
  viewSchemaOf,
} from '@bivouac/infra/runtime';
import { openSqliteViews } from '@bivouac/infra/views';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';

import { readWholeLog } from '../../../../infra/event-store/contract/samples.ts';
import { openDatabase } from '../../../../infra/event-store/embedded/sqlite.js';
import { GraphqlClient } from '../demo/graphql.ts';
import { operationEnd, play, START } from '../demo/scenario.ts';
import { type EmbeddedInstallation, startEmbedded } from '../embedded.ts';
import { newKey, seed } from '../seed/seed.ts';
import { allServices } from '../services.ts';
import { eventsIn } from './log-reader.ts';
import { run } from './run.ts';

const made: string[] = [];
let whole = '';
/** The owner's key, the moment of the stop, and what was answered before it. */
let key = '';
let stoppedAt = '';
let before: unknown;
let customer: { tenantId: string; homeId: string };
let imageId = '';
const closing: (() => Promise<unknown>)[] = [];

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bivouac-copy-'));
  made.push(folder);
  return folder;
}

async function start(
  folder: string,
  clock: ManualClock,
  url = `sqlite:${folder}`,
  onFailure: (error: unknown) => void = (error) => {
    console.error(error);
  },
): Promise<EmbeddedInstallation> {
  return startEmbedded({
    config: readConfig({ DATA_DIR: folder, EVENT_STORE_URL: url, NODE_URL: 'fake:' }),
    clock,
    logger: createLogger('silent', process.stderr),
    onFailure,
  });
}

const DoneSchema = z.object({ done: z.object({ operationId: z.string() }) });

/** Orders a container; the same key is the same order. */
async function order(installation: EmbeddedInstallation, idempotencyKey: string) {
  const owner = new GraphqlClient(installation.gateway, key);
  const { done } = await owner.send(
    DoneSchema,
    `mutation ($key: String!, $input: ProvisionContainerInput!) { done: provisionContainer(idempotencyKey: $key, input: $input) {
      ... on OperationAccepted { operationId } } }`,
    {
      key: idempotencyKey,
      input: {
        accountId: customer.tenantId,
        hostname: `${idempotencyKey}.example.com`,
        plan: '1000',
        imageId,
      },
    },
  );
  return done.operationId;
}

/** What a customer sees of everything. */
function answers({ gateway }: EmbeddedInstallation): Promise<unknown> {
  return new GraphqlClient(gateway, key).send(
    z.unknown(),
    `{ containers(first: 10) { edges { node { id hostname lifecycle addresses { address } observed { state } } } }
       operations(first: 20) { edges { node { id kind status steps { name status } } } }
       invoices(first: 5) { edges { node { number month total { amount currency } lines { description
         causes { eventId type stream revision time } } } } } }`,
  );
}

beforeAll(async () => {
  whole = await newFolder();
  const clock = new ManualClock(START);
  const installation = await start(whole, clock);
  const { host, provider } = installation;
  await play(installation, clock, () => undefined);
  const seeded = await seed(host, provider);
  ({ customer, imageId } = seeded);
  key = await newKey(host, customer, seeded.ownerMemberId, 'kept', 'kept');
  const ended = await operationEnd(installation, await order(installation, 'before'));
  expect(ended.status).toBe('succeeded');
  await host.settled();
  before = await answers(installation);
  stoppedAt = new Date(clock.now()).toISOString();
  await installation.stop(10_000);
}, 120_000);

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(async () => {
  for (const folder of made) await rm(folder, { recursive: true, force: true });
});

interface Moving {
  readonly folder: string;
  readonly url: string;
  readonly log: EventStore;
  /** Does something when so many appends have come from now on. */
  readonly kills: {
    at(appends: number, kill: () => void): void;
    /** How many are left until then. */
    left(): number;
  };
}

/** The installation's folder, and an empty EventStoreDB whose positions have gaps. */
async function moving(): Promise<Moving> {
  const folder = await newFolder();
  await cp(whole, folder, { recursive: true });
  const log = memoryEventStore();
  let left = 0;
  let kill: (() => void) | undefined;
  const server = await serveEventStore({
    ...{ store: log, stride: 211 },
    faults: ({ method }) => {
      if (method === 'append' && kill !== undefined && --left === 0) kill();
      return undefined;
    },
  });
  closing.push(async () => {
    await server.close();
    await log.close();
  });
  const at = (appends: number, how: () => void): void => {
    left = appends;
    kill = how;
  };
  return { folder, url: server.url, log, kills: { at, left: () => left } };
}

const copyOf = (folder: string, url: string, ...more: string[]) =>
  run(['log', 'copy', '--from', folder, '--to', url, ...more]);

const cli = fileURLToPath(new URL('../cli.ts', import.meta.url));

/** The command as a process of its own; it may be killed when it has said or done something. */
async function bivouac(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  begun?: (kill: () => void) => void,
): Promise<{ code: number | null; out: string }> {
  const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', cli, ...args], {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  child.stderr.resume();
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  begun?.(() => child.kill('SIGKILL'));
  const [code] = z.tuple([z.number().nullable(), z.unknown()]).parse(await once(child, 'close'));
  return { code, out };
}

/** Copies it; answers how many appends that took. */
async function appendsOf({ folder, url, kills }: Moving): Promise<number> {
  const never = 1_000_000;
  kills.at(never, () => undefined);
  expect(await copyOf(folder, url)).toMatchObject({ exitCode: 0 });
  return never - kills.left();
}

function sourceEvents(folder: string): StoredEvent[] {
  const log = examineLog(folder);
  try {
    return [...eventsIn(log)];
  } finally {
    log.close();
  }
}

const shown = async (log: EventStore): Promise<StoredEvent[]> =>
  (await readWholeLog(log)).filter(({ stream }) => stream !== 'epoch-log');

/** Rows of every read model, each position as the number of its event among those of the log. */
function rowsOf(folder: string, events: readonly { position: string }[], stride: bigint): string[] {
  const numbers = new Map(
    events.map(({ position }, i) => [String(BigInt(position) * stride).padStart(20, '0'), `#${i}`]),
  );
  return allServices.flatMap((service) => {
    const file = path.join(folder, 'views', service.name);
    const view = openSqliteViews({ file, ...viewSchemaOf(service, RELEASE) });
    try {
      return (
        [...view.rows()]
          // What these index are the positions themselves.
          .filter(({ table }) => !['blocks', 'seen', 'latest'].includes(table))
          .map(({ table, key: rowKey, json }) => `${service.name} ${table} ${rowKey} ${json}`)
          .map((row) => row.replaceAll(/\d{20}/g, (at) => numbers.get(at) ?? at))
          .sort()
      );
    } finally {
      view.close();
    }
  });
}

test('on the other log everything is as it was, nothing happens again, and orders go on', async () => {
  const { folder, url, log } = await moving();
  const events = sourceEvents(folder);
  const { exitCode, text } = await copyOf(folder, url);
  expect(text).toMatch(
    new RegExp(
      `${events.length} events copied in \\d+ appends[^]*${events.length} events are the same[^]*\\nok$`,
    ),
  );
  expect(exitCode).toBe(0);
  const copied = await shown(log);
  expect(copied.slice(0, events.length).map(({ id }) => id)).toEqual(events.map(({ id }) => id));

  await rm(path.join(folder, 'views'), { recursive: true });
  const clock = new ManualClock(stoppedAt);
  const installation = await start(folder, clock, url);
  let running = true;
  closing.push(async () => {
    if (running) await installation.stop(10_000);
  });
  await installation.host.settled();
  expect(await answers(installation)).toEqual(before);
  const published = ({ stream }: StoredEvent): boolean => !stream.startsWith('checkpoint-');
  expect((await shown(log)).slice(events.length).filter(published)).toEqual([]);

  // A read model made of the other log is the same but for where events stand.
  const ofCopy = await newFolder();
  await cp(path.join(folder, 'views'), path.join(ofCopy, 'views'), { recursive: true });
  expect(rowsOf(ofCopy, copied, 211n)).toEqual(rowsOf(whole, events, 1n));

  // The order of before is the order of before; a new one is a new container.
  const old = await order(installation, 'before');
  expect(JSON.stringify(before)).toContain(old);
  expect((await shown(log)).slice(events.length).filter(published)).toEqual([]);
  const ended = await operationEnd(installation, await order(installation, 'after'));
  expect(ended.status).toBe('succeeded');
  // A month is closed by the timers that came along as rows of the log.
  clock.moveTo('2026-06-01T00:30:00.000Z');
  await installation.host.settled();
  expect(JSON.stringify(await answers(installation))).toContain('after.example.com');
  running = false;
  await installation.stop(10_000);

  const compared = await copyOf(folder, url, '--verify-only', '--json');
  expect(JSON.parse(compared.text)).toMatchObject({ ok: true, events: events.length });
  // What is asked of a log is asked of this one, too, while others have it open.
  for (const verb of ['verify', 'replay', 'bills']) {
    const asked = await run(['log', verb, '--data', folder, '--log', url]);
    expect(asked).toMatchObject({ exitCode: 0, text: expect.stringMatching(/\nok$/) });
  }
  const again = await copyOf(folder, url);
  expect(again).toMatchObject({ exitCode: 0, text: expect.stringMatching(/complete before/) });
}, 120_000);

test('checkpoints stand at the head of the other log, with the homes that were parked', async () => {
  const { folder, url, log } = await moving();
  await copyOf(folder, url);
  const events = sourceEvents(folder);
  const all = await shown(log);
  const head = all[events.length - 1];
  const carried = all.slice(events.length);
  const streams = new Set(events.map((e) => e.stream).filter((s) => s.startsWith('checkpoint-')));
  expect(new Set(carried.map(({ stream }) => stream))).toEqual(streams);
  expect(streams.size).toBeGreaterThan(3);
  for (const { type, data } of carried) {
    expect(type).toBe(CheckpointRecorded.type);
    const { marks } = z
      .object({ marks: z.array(z.string()) })
      .parse(JSON.parse(Buffer.from(data).toString()));
    expect(new Set(marks)).toEqual(new Set([String(BigInt(head?.position ?? '0') * 211n)]));
  }
});

test('a log whose reactions are not at its head is refused, and copied once it has come to rest', async () => {
  const { folder, url, log } = await moving();
  // What a kill leaves: events that reactions have not come to.
  const installation = await start(folder, new ManualClock(stoppedAt));
  for (const reactions of installation.host.reactions.values()) await reactions.stop(0);
  await order(installation, 'unheard');
  await installation.stop(10_000);
  const refused = await copyOf(folder, url);
  expect(refused.exitCode).toBe(1);
  expect(refused.text).toMatch(
    /NOT done, nothing was copied[^]*provisioning: \d+ of 64 partitions wait[^]*bivouac log settle/,
  );
  expect(await shown(log)).toEqual([]);
  const settled = await bivouac(['log', 'settle'], {
    ...{ DATA_DIR: folder, EVENT_STORE_URL: `sqlite:${folder}`, NODE_URL: 'fake:' },
    LOG_LEVEL: 'info',
  });
  // Its answer and nothing else: what is logged goes elsewhere.
  const rest = 'ok: at rest and stopped, every reaction has come to the end of the log\n';
  expect(settled).toEqual({ code: 0, out: rest });
  expect(await copyOf(folder, url)).toMatchObject({ exitCode: 0 });
}, 60_000);

test('a copy that was cut short is not gone on with when the log was used since', async () => {
  const { folder, url } = await moving();
  expect(await copyOf(folder, url)).toMatchObject({ exitCode: 0 });
  const installation = await start(folder, new ManualClock(stoppedAt));
  await operationEnd(installation, await order(installation, 'late'));
  await installation.host.settled();
  await installation.stop(10_000);
  const refused = await copyOf(folder, url);
  expect(refused).toMatchObject({
    exitCode: 2,
    text: expect.stringMatching(/not what it was when this copy began.*empty EventStoreDB/),
  });
  expect(await copyOf(folder, url, '--verify-only')).toMatchObject({
    exitCode: 1,
    text: expect.stringMatching(/NOT ok: this is the first difference/),
  });
}, 60_000);

test('killed anywhere, the copy goes on where it stopped, and is there once', async () => {
  const { folder, url, log, kills } = await moving();
  const events = sourceEvents(folder);
  // The first append says what is copied; the last two are checkpoints and the end.
  for (const at of [1, 2, 40, 70, 1]) {
    const { code } = await bivouac(['log', 'copy', '--from', folder, '--to', url], {}, (kill) => {
      kills.at(at, kill);
    });
    expect(code).toBeNull();
  }
  const before = (await shown(log)).length;
  expect(before).toBeGreaterThan(50);
  expect(before).toBeLessThan(events.length);
  const { exitCode, text } = await copyOf(folder, url);
  expect(text).toMatch(new RegExp(`, ${before} were there`));
  expect(exitCode).toBe(0);
  expect((await shown(log)).slice(0, events.length).map(({ id }) => id)).toEqual(
    events.map(({ id }) => id),
  );
}, 120_000);

test('killed among its last appends, the copy is complete in the end: one checkpoint of each, nothing beside', async () => {
  const whole = await moving();
  const appends = await appendsOf(whole);
  const before = sourceEvents(whole.folder).length;
  const checkpoints = (await shown(whole.log)).slice(before);
  // Behind the events: the checkpoints, and that the copy is complete.
  const last = checkpoints.length + 1;
  const scratch = await newFolder();
  const { folder, url, log, kills } = await moving();
  const killed = async (at: number): Promise<void> => {
    const args = ['log', 'copy', '--from', folder, '--to', url];
    const { code } = await bivouac(args, { TMPDIR: scratch }, (kill) => {
      kills.at(at, kill);
    });
    expect(code).toBeNull();
  };
  await killed(appends - last + 1);
  expect((await shown(log)).length).toBeGreaterThanOrEqual(before);
  // Amid the checkpoints, at the last of them, and when it says that it is complete.
  for (const at of new Set([Math.ceil(last / 2), last - 1, last])) await killed(at);
  const { exitCode, text } = await copyOf(folder, url);
  expect([exitCode, text]).toEqual([0, expect.stringMatching(/ok$/)]);
  const ends = (await shown(log)).slice(before);
  expect(ends.map((e) => [e.stream, e.type])).toEqual(checkpoints.map((e) => [e.stream, e.type]));
  expect((await readWholeLog(log)).filter((e) => e.stream === 'epoch-log')).toHaveLength(2);
  // Nothing was written beside the target. The loader of the sources keeps what it compiles there.
  expect((await readdir(scratch)).filter((name) => !name.startsWith('tsx-'))).toEqual([]);
}, 180_000);

test('a damaged log, one in use, and a line that says too little are refused', async () => {
  const { folder, url, log } = await moving();
  const installation = await start(folder, new ManualClock(stoppedAt));
  const inUse = await copyOf(folder, url);
  await installation.stop(10_000);
  expect(inUse).toMatchObject({ exitCode: 2, text: expect.stringMatching(/in use.*stop it/) });
  const db = openDatabase(path.join(folder, 'events.sqlite'));
  db.exec(
    `UPDATE events SET frame = CAST(substr(frame, 1, 40) || x'00' || substr(frame, 42) AS BLOB) WHERE position = 5`,
  );
  db.close();
  expect(await copyOf(folder, url)).toMatchObject({
    exitCode: 1,
    text: expect.stringMatching(/NOT done, nothing was copied: 0+5: .*checksum/),
  });
  expect(await shown(log)).toEqual([]);
  for (const [args, says] of [
    [['log', 'copy', '--to', url], '--from <its folder>'],
    [['log', 'copy', '--from', folder], '--to esdb://'],
    [['log', 'copy', '--from', await newFolder(), '--to', url], 'there is no event log'],
    [['log', 'copy', '--from', whole, '--to', 'kafka://x'], 'kafka: names no EventStoreDB'],
    [['log', 'copy', '--from', whole, '--to', 'esdb://host:1'], 'no user and password'],
  ] as const) {
    expect(await run(args)).toMatchObject({ exitCode: 2, text: expect.stringContaining(says) });
  }
}, 60_000);
