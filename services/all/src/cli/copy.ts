/**
 * `bivouac log copy`: moves a stopped embedded log to an EventStoreDB. Every event comes along as it is,
 * in the same order; positions are new, so the log there is of a new epoch, and each service's
 * reactions get a checkpoint at its head.
 */
import type { StoredEvent } from '@bivouac/events/language';
import { instantOf } from '@bivouac/events/values';
import {
  appendRun,
  compareLogs,
  copyEvents,
  type CopyTarget,
  type EventStore,
  EventStoreError,
  type ExaminedLog,
  examineLog,
  type LogComparison,
  type LogFault,
  openCopyTarget,
  openExistingStore,
  type Persistence,
} from '@bivouac/infra/event-store';
import { type Behind, systemClock } from '@bivouac/infra/runtime';

import type { CopyCommand } from './arguments.ts';
import { eventAt, eventsIn } from './log-reader.ts';
import type { Outcome } from './outcome.ts';
import { behindIn, behindText, type Survey, surveyOf } from './survey.ts';

export interface CopyHow {
  /** Told how far it has come. */
  readonly tell: (line: string) => void;
  readonly persistence?: Partial<Persistence>;
}

/**
 * Copies, or goes on with a copy that was cut short, or (`verifyOnly`) compares alone.
 *
 * @throws EventStoreError where the log is in use or missing, the target is away or not empty.
 */
export async function copyLog(command: CopyCommand, how: CopyHow): Promise<Outcome> {
  const log = examineLog(command.from);
  try {
    const found = surveyOf(log);
    if (found.fault !== undefined) return damaged(command, found.fault);
    if (command.verifyOnly) return await verifyCopy(command, log);
    const behind = behindIn(found);
    if (behind.length > 0) return notAtRest(command, behind);
    const target = await openCopyTarget({ url: command.to, origin: found.origin });
    try {
      return await copyTo(target, { command, log, found, how });
    } finally {
      await target.store.close();
    }
  } finally {
    log.close();
  }
}

interface Copying {
  readonly command: CopyCommand;
  readonly log: ExaminedLog;
  readonly found: Survey;
  readonly how: CopyHow;
}

async function copyTo(target: CopyTarget, { command, log, found, how }: Copying): Promise<Outcome> {
  const { store, epoch } = target;
  const { origin, checkpoints } = found;
  if (target.complete) {
    const compared = await compareLogs(eventsIn(log), store);
    return outcome(command, compared, { epoch, from: log.epoch, said: ['it was complete before'] });
  }
  const { tell, persistence = {} } = how;
  const own = checkpoints.ids(epoch);
  const copied = await copyEvents({
    source: () => eventsIn(log),
    target: store,
    own,
    persistence,
    progress: (done) => {
      tell(`${done} of ${origin.events} events`);
    },
  });
  tell('comparing both logs');
  const compared = await compareLogs(eventsIn(log), store);
  const { difference, lastAt, more } = compared;
  const from = log.epoch;
  if (difference !== undefined) return outcome(command, compared, { epoch, from, said: [] });
  const foreign = more.find(({ id }) => !own.has(id));
  if (foreign !== undefined) throw writtenByOthers(foreign);
  const carried =
    lastAt === undefined
      ? []
      : await checkpoints.carried({
          ...{ epoch, head: lastAt, now: instantOf(systemClock.now()) },
          moved: async (at) => movedTo(store, await eventAt(log, at), at),
        });
  for (const checkpoint of carried) await appendRun(store, [checkpoint], persistence);
  await target.completed();
  return outcome(command, compared, {
    ...{ epoch, from },
    said: [
      `${copied.appended} events copied in ${copied.appends} appends` +
        (copied.before === 0 ? '' : `, ${copied.before} were there`),
      `${carried.length} checkpoints of reactions carried to the head`,
    ],
  });
}

async function movedTo(
  store: EventStore,
  event: StoredEvent | undefined,
  at: string,
): Promise<string> {
  const page = event && (await store.readStream(event.stream, { from: event.revision, limit: 1 }));
  const there = page?.exists === true ? page.events[0] : undefined;
  if (there !== undefined && there.id === event?.id) return there.position;
  throw new EventStoreError(
    'corrupt',
    `a home is parked at ${at}, where no event stands: start the installation, replay the home, and copy then`,
  );
}

/** Compares a copy that is complete with its log; what came since is counted only. */
async function verifyCopy(command: CopyCommand, log: ExaminedLog): Promise<Outcome> {
  const store = await openExistingStore({ url: command.to });
  try {
    const compared = await compareLogs(eventsIn(log), store);
    const { epoch } = await store.head();
    return outcome(command, compared, { epoch, from: log.epoch, said: [] });
  } finally {
    await store.close();
  }
}

function outcome(
  { json }: CopyCommand,
  { difference, digests, equal }: LogComparison,
  { epoch, from, said }: { epoch: string; from: string; said: readonly string[] },
): Outcome {
  const ok = difference === undefined;
  const exitCode = ok ? 0 : 1;
  if (json) {
    return {
      exitCode,
      text: JSON.stringify({ ok, epoch, from, events: equal, digests, difference, said }),
    };
  }
  return {
    exitCode,
    text: [
      `epoch ${epoch} (the log it was copied from is of ${from})`,
      ...said,
      `${equal} events are the same in order, stream, revision, id, time, envelope and bytes`,
      `sha256 ${digests.source} of the log`,
      `sha256 ${digests.target} of the target`,
      ...(difference === undefined
        ? ['ok']
        : [
            `event ${difference.event}: ${difference.what}`,
            'NOT ok: this is the first difference. Keep the log as it is, and copy it to an empty EventStoreDB.',
          ]),
    ].join('\n'),
  };
}

function damaged({ json }: CopyCommand, fault: LogFault): Outcome {
  const { position, what } = fault;
  return {
    exitCode: 1,
    text: json
      ? JSON.stringify({ ok: false, position, what })
      : `NOT done, nothing was copied: ${position ?? 'the log'}: ${what}. Restore a backup: log verify names all that is wrong.`,
  };
}

function notAtRest({ json }: CopyCommand, behind: readonly Behind[]): Outcome {
  if (json) return { exitCode: 1, text: JSON.stringify({ ok: false, behind }) };
  return {
    exitCode: 1,
    text: [
      'NOT done, nothing was copied: reactions have not come to the end of the log.',
      ...behind.map(behindText),
      'Let them come to rest: bivouac log settle, with the settings of npm start; then copy.',
    ].join('\n'),
  };
}

function writtenByOthers({ stream, revision }: StoredEvent): EventStoreError {
  return new EventStoreError(
    'invalid',
    `the target has revision ${revision} of ${stream}, which the log that is copied has not: somebody else ` +
      'has written to it. Copy to an empty EventStoreDB',
  );
}
