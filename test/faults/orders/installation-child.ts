/**
 * A whole embedded installation that does what its standard input says, and says on its standard
 * output what came of it, until it is killed. Arguments: the data folder, settings and start as JSON.
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { inspect } from 'node:util';

import { startEmbedded } from '@bivouac/all';
import { Leftovers } from '@bivouac/containers/api';
import { parsePosition, type Position } from '@bivouac/events/language';
import {
  CheckpointRecorded,
  createLogger,
  readConfig,
  systemPrincipal,
} from '@bivouac/infra/runtime';
import { z } from 'zod';

import { MovableClock } from './clock.ts';
import { endOf } from '@bivouac/all/checks/ends';
import { type FromInstallation, type ToInstallation, ToInstallationSchema } from './messages.ts';
import { request as sent } from './request.ts';
import { settingsOf } from './settings.ts';
import { makeWorld } from './world.ts';

const StartSchema = z.object({
  seed: z.number(),
  nodeUrl: z.string(),
  ahead: z.number(),
  /** It kills itself at this checkpoint of its reactions, counted from the start. */
  dieAt: z.number().nullable(),
});

const AgainSchema = z.object({ code: z.literal('EAGAIN') });

const [, , folder = '', startText = ''] = process.argv;
const start = StartSchema.parse(JSON.parse(startText));
const clock = new MovableClock(start.ahead);

/** Synchronous, so that what was said is out before anything else happens. */
function say(message: FromInstallation): void {
  const line = Buffer.from(`${JSON.stringify(message)}\n`);
  for (let at = 0; at < line.length;) {
    try {
      at += writeSync(1, line, at);
    } catch (error) {
      // The pipe is full: whoever reads it is slower than we are.
      if (!AgainSchema.safeParse(error).success) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

function fail(error: unknown): never {
  say({ type: 'failed', message: inspect(error).slice(0, 4000) });
  process.exit(3);
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

say({ type: 'opening' });
const installation = await startEmbedded({
  config: readConfig({
    DATA_DIR: folder,
    EVENT_STORE_URL: `sqlite:${folder}`,
    NODE_URL: start.nodeUrl,
  }),
  clock,
  logger: createLogger('silent', process.stderr),
  onFailure: fail,
});
const { host, provider, store } = installation;
if (start.dieAt !== null) void dieAtCheckpoint(start.dieAt).catch(fail);
host.follower.onApplied((position) => {
  say({ type: 'applied', events: Number(parsePosition(position)) });
});
const world = await makeWorld(host, store, provider, settingsOf(start.seed));
const stopping = new AbortController();
/** How far ends were told, and who waits for more. */
let told: Position = '';
let toldMore: () => void = () => undefined;
void tellEnds().catch(fail);
say({ type: 'ready', world });
for await (const line of createInterface({ input: process.stdin })) {
  void obey(ToInstallationSchema.parse(JSON.parse(line))).catch(fail);
}
// Whoever had it started is gone.
process.exit(4);

async function obey(message: ToInstallation): Promise<void> {
  switch (message.type) {
    case 'command': {
      const { sending, caller, request, key } = message;
      say({ type: 'reply', sending, answer: await sent(host, caller, request, key) });
      return;
    }
    case 'move-clock':
      clock.move(message.milliseconds);
      return;
    case 'settle': {
      await host.settled();
      const reply = await host.query(
        Leftovers,
        {},
        { principal: systemPrincipal('system:faults', provider.tenantId, provider.homeId) },
      );
      if (!reply.ok) throw new Error(reply.refusal.message);
      await allTold();
      say({ type: 'settled', unanswered: reply.result.unansweredInstructions });
      return;
    }
    case 'probe':
      await writerIsDone();
      say({ type: 'probed', probe: message.probe });
      return;
    case 'stop':
      stopping.abort();
      await installation.stop(10_000);
      say({ type: 'stopped' });
      process.exit(0);
  }
}

/** From the beginning of the log: what was said before a kill may not have been heard. */
async function tellEnds(): Promise<void> {
  for await (const message of store.subscribe({ signal: stopping.signal })) {
    if (message.kind !== 'events') continue;
    for (const stored of message.events) {
      const event = host.registry.decode(stored);
      const end = event === undefined ? undefined : endOf(event);
      if (end !== undefined) say({ type: 'ended', ...end });
      told = stored.position;
    }
    toldMore();
  }
}

/**
 * Ends the process the moment a checkpoint is in the log: whatever it says is done, and was not, is
 * lost. From outside it would be too late.
 */
async function dieAtCheckpoint(count: number): Promise<void> {
  const { epoch, position } = await store.head();
  const last = (await store.readAll({ direction: 'backwards', limit: 1 })).events[0];
  const from =
    position === null || last === undefined
      ? {}
      : { after: { epoch, position: last.position, eventId: last.id } };
  let left = count;
  for await (const message of store.subscribe(from)) {
    if (message.kind !== 'events') continue;
    left -= message.events.filter(({ type }) => type === CheckpointRecorded.type).length;
    if (left <= 0) process.kill(process.pid, 'SIGKILL');
  }
}

/**
 * Resolves when the log's writer has nothing before it: appends are answered in their order, and the log's
 * own beginning, sent again, adds nothing to it.
 */
async function writerIsDone(): Promise<void> {
  const [first] = (await store.readAll({ limit: 1 })).events;
  if (first !== undefined) await store.append(first.stream, 'no-stream', [first]);
}

/** Resolves when every end so far has been told. */
async function allTold(): Promise<void> {
  const { position } = await store.head();
  while (position !== null && told < position) {
    await new Promise<void>((resolve) => {
      toldMore = resolve;
    });
  }
}
