/** Runs one command of `bivouac` and says what it found, in sentences or as JSON. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { instantOf } from '@bivouac/events/values';
import { type BusComparison, verifyBus } from '@bivouac/infra/bus';
import { createIdentity } from '@bivouac/infra/calls';
import {
  backupLog,
  backupRecordFile,
  backupRecordOf,
  type ExaminedLog,
  examineLog,
  writeBackupRecord,
} from '@bivouac/infra/event-store';
import { KeyError, openKeys } from '@bivouac/infra/keys';
import { RELEASE } from '@bivouac/infra/process';
import { createLogger, readConfig, registryOf, systemClock } from '@bivouac/infra/runtime';

import { allServices } from '../services.ts';
import {
  type BackupCommand,
  type BusCommand,
  commandOf,
  type IdentityCommand,
  type LogCommand,
  type StatusCommand,
  usage,
  UsageError,
} from './arguments.ts';
import { billsOf } from './bills.ts';
import { copyLog } from './copy.ts';
import { eventsIn, type ReadLog } from './log-reader.ts';
import { newEpoch } from './new-epoch.ts';
import type { Outcome } from './outcome.ts';
import { type Comparison, replayLog } from './replay.ts';
import { isServed, openServedLog } from './served-log.ts';
import { settleLog } from './settle.ts';
import { status } from './status/status.ts';
import { watchStatus, type WatchScreen } from './status/watch.ts';
import { type Verification, verifyLog } from './verify.ts';

export interface RunOptions {
  /** Whether the screen shows colours. */
  readonly colours?: boolean;
  /** Is told how far a long command has come. */
  readonly tell?: (line: string) => void;
  /** Where a command shows what it sees until it is ended, and what ends it. Asked for by such a command alone. */
  readonly watch?: () => { readonly screen: WatchScreen; readonly signal: AbortSignal };
}

/** Follows a command line. Never throws for what is wrong with the line, the folder or the log. */
export async function run(
  args: readonly string[],
  { colours = false, tell = () => undefined, watch }: RunOptions = {},
): Promise<Outcome> {
  let json = args.includes('--json');
  try {
    const command = commandOf(args);
    if (command === 'help') return { exitCode: 0, text: usage };
    json = command.json;
    if (command.group === 'identity') return await newIdentity(command);
    if (command.group === 'status') return await statusOf(command, colours, watch);
    if (command.verb === 'backup') return await backup(command);
    if (command.verb === 'new-epoch') return newEpoch(command);
    if (command.verb === 'copy') return await copyLog(command, { tell });
    if (command.verb === 'settle') return await settleLog(command);
    if (command.group === 'bus') return await verifyTopic(command);
    const log = isServed(command.log) ? await openServedLog(command.log) : examineLog(command.log);
    try {
      return await commands[command.verb](command, log);
    } finally {
      await log.close();
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof UsageError || !json) return { exitCode: 2, text: message };
    return { exitCode: 2, text: JSON.stringify({ ok: false, error: message }) };
  }
}

const commands: Readonly<
  Record<LogCommand['verb'], (command: LogCommand, log: ReadLog) => Promise<Outcome>>
> = { verify, replay, bills };

async function statusOf(
  { at, every, json }: StatusCommand,
  colours: boolean,
  watch: RunOptions['watch'],
): Promise<Outcome> {
  const config = readConfig();
  const look = (ended?: AbortSignal): Promise<Outcome> =>
    status({ config, at, json, colours, now: systemClock.now(), deadline: 5000, ended });
  const watched = every === undefined ? undefined : watch?.();
  if (every === undefined || watched === undefined) return look();
  const { signal } = watched;
  return watchStatus({
    ...{ json, ...watched },
    look: () => look(signal),
    wait: () => systemClock.sleep(every * 1000, signal),
    time: () => `${instantOf(systemClock.now())}, again every ${every} s, Ctrl-C ends`,
  });
}

async function backup({ log, to, json }: BackupCommand): Promise<Outcome> {
  const time = instantOf(systemClock.now());
  const made = await backupLog(log, to);
  const file =
    backupRecordFile({ ...readConfig(), EVENT_STORE_URL: `sqlite:${log}` }) ?? backupRecordOf(log);
  await writeBackupRecord(file, { time, to, epoch: made.epoch, head: made.head });
  return {
    exitCode: 0,
    text: json
      ? JSON.stringify({ ok: true, time, to, ...made, record: file })
      : `${to}: epoch ${made.epoch}, head ${made.head ?? 'none: the log is empty'}, ${made.bytes} bytes, read in full; recorded in ${file}`,
  };
}

async function newIdentity(command: IdentityCommand): Promise<Outcome> {
  const made = await createIdentity(command);
  return {
    exitCode: 0,
    text: command.json
      ? JSON.stringify({ ok: true, ...made })
      : [
          `made ${made.identity}, the identity of ${command.name}: its IDENTITY_FILE, for it alone`,
          `added it to ${made.trusted}: the TRUSTED_CALLERS_FILE of every service, read when one starts`,
          `it may speak for principals of kind ${made.principals.join(', ')}`,
        ].join('\n'),
  };
}

async function verify(command: LogCommand, log: ReadLog): Promise<Outcome> {
  const registry = registryOf(allServices);
  const { keys, without } = await keysOf(command.keys);
  try {
    const found = await verifyLog({ log, registry, keys, most: command.most });
    return {
      exitCode: found.ok ? 0 : 1,
      text: command.json ? JSON.stringify(found) : verificationText(found, without),
    };
  } finally {
    await keys?.close();
  }
}

/** The installation's keys; without them commitments are counted and that is said. */
async function keysOf(named: LogCommand['keys']) {
  const folder = named.url.slice(named.url.indexOf(':') + 1);
  // Opening would make it, and hide that nothing is there.
  if (!existsSync(folder)) return { keys: undefined, without: `there is no ${folder}` };
  try {
    return { keys: await openKeys(named), without: undefined };
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    return { keys: undefined, without: error.message };
  }
}

function verificationText(found: Verification, without: string | undefined): string {
  const { counts } = found;
  const lines = [
    `epoch ${found.epoch}, head ${found.head ?? 'none: the log is empty'}`,
    `${counts.events} events of ${counts.types} types in ${counts.streams} streams of ${counts.homes} homes`,
    `${counts.commitmentsProved} commitments proved, ${counts.commitmentsErased} of erased persons, ` +
      `${counts.commitmentsUnchecked} not checked${without === undefined ? '' : ` (${without})`}`,
    ...(counts.keysOfErased === 0
      ? []
      : [
          `${counts.keysOfErased} keys of persons whom the log calls erased are there: the next start destroys them`,
        ]),
    ...found.faults.map(({ position, what }) => `${position ?? 'the log'}: ${what}`),
  ];
  const more = found.faultCount - found.faults.length;
  if (more > 0) lines.push(`and ${more} more (--faults names more)`);
  lines.push(
    found.ok
      ? 'ok'
      : `NOT ok: ${found.faultCount} fault${found.faultCount === 1 ? '' : 's'}. Keep the folder as it is and restore a backup beside it.`,
  );
  return lines.join('\n');
}

async function verifyTopic(command: BusCommand): Promise<Outcome> {
  const log = examineLog(command.log);
  try {
    return await verifiedTopic(command, log);
  } finally {
    log.close();
  }
}

async function verifiedTopic(command: BusCommand, log: ExaminedLog): Promise<Outcome> {
  const found = await verifyBus({
    url: command.bus,
    logger: createLogger('error', process.stderr),
    epoch: log.epoch,
    events: () => eventsIn(log),
  });
  return {
    exitCode: found.ok ? 0 : 1,
    text: command.json ? JSON.stringify(found) : topicText(found),
  };
}

function topicText({ topic, published, counts, first, differences }: BusComparison): string {
  const lines = [
    `${topic}, published up to ${published ?? 'nothing yet'}`,
    `${counts.events} events and ${counts.markers} markers on the topic, ${counts.again} events there again, ` +
      `${counts.unreadable} messages that are none of ours`,
    `${counts.expired} events of the log have expired there, ${counts.unpublished} are not published yet`,
  ];
  if (first !== null) {
    lines.push(`${first.position}, partition ${first.partition}: ${first.what}`);
  }
  lines.push(
    first === null
      ? 'ok'
      : `NOT ok: ${differences} difference${differences === 1 ? '' : 's'}, this is the first. The log is what counts: ` +
          'delete the topic, and consumers read from the log what they have not seen.',
  );
  return lines.join('\n');
}

async function replay(command: LogCommand, log: ReadLog): Promise<Outcome> {
  const scratch = mkdtempSync(join(tmpdir(), 'bivouac-replay-'));
  try {
    const found = await replayLog({
      log,
      registry: registryOf(allServices),
      services: allServices,
      release: RELEASE,
      views: join(command.data, 'views'),
      scratch,
    });
    const text = command.json
      ? JSON.stringify(found)
      : [
          ...found.services.map(comparisonText),
          found.ok
            ? 'ok'
            : 'NOT ok: what is different was not made by this log and this release alone. ' +
              'Delete the views folder: the next start makes it anew.',
        ].join('\n');
    return { exitCode: found.ok ? 0 : 1, text };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function bills(command: LogCommand, log: ReadLog): Promise<Outcome> {
  const found = await billsOf(log);
  const { ok, invoices, mismatches } = found;
  const text = command.json
    ? JSON.stringify(found)
    : [
        `${invoices} invoices, ${mismatches.length} of them otherwise than worked out again`,
        ...mismatches,
        ok ? 'ok' : 'NOT ok: see the events of these accounts, and void what is wrong.',
      ].join('\n');
  return { exitCode: ok ? 0 : 1, text };
}

function comparisonText(one: Comparison): string {
  const at = `${one.service} at ${one.checkpoint ?? 'nothing'}`;
  switch (one.verdict) {
    case 'equal':
      return `${at}: equal, ${one.rows} rows, ${one.sha256}`;
    case 'different':
      return `${at}: DIFFERENT, first in table ${one.table} at key ${one.key} (${one.how})`;
    case 'incomparable':
      return `${at}: NOT COMPARED, ${one.why}`;
  }
}
