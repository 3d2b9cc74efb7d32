/** What a stopped log is before it is copied: whole or not, and how far its reactions have come. */
import type { StoredEvent } from '@bivouac/events/language';
import type { CopyOrigin, ExaminedLog, LogFault } from '@bivouac/infra/event-store';
import { type Behind, CarriedCheckpoints } from '@bivouac/infra/runtime';

import { allServices } from '../services.ts';

/** What the log is before anything of it is copied. */
export interface Survey {
  readonly origin: CopyOrigin;
  readonly checkpoints: CarriedCheckpoints;
  readonly fault: LogFault | undefined;
}

/** Reads all of it, up to what is wrong. */
export function surveyOf(log: ExaminedLog): Survey {
  const checkpoints = new CarriedCheckpoints();
  let events = 0;
  let last: string | null = null;
  let fault: LogFault | undefined = log.wholeFaults()[0];
  for (const row of log.rows()) {
    const { event } = row;
    events += 1;
    fault ??= row.faults[0];
    if (event === undefined) continue;
    fault ??= unstorable(event);
    checkpoints.note(event);
    last = event.id;
    if (fault !== undefined) return { ...surveyed(), fault };
  }
  return { ...surveyed(), fault };

  function surveyed() {
    return { origin: { epoch: log.epoch, events, last }, checkpoints };
  }
}

/** Names that EventStoreDB, or the adapter on it, keeps for itself. */
function unstorable({ stream, type, position }: StoredEvent): LogFault | undefined {
  if (!stream.startsWith('$') && !type.startsWith('$') && stream !== 'epoch-log') return undefined;
  return { position, what: `an EventStoreDB keeps the name of ${stream} or ${type} for itself` };
}

/** The services that are expected to have reacted to everything. */
function reacting(): readonly string[] {
  return allServices
    .filter(({ policies, responders }) => policies.length + responders.length > 0)
    .map(({ name }) => name);
}

/** The services that have not come to the end of the log. */
export function behindIn({ checkpoints }: Survey): readonly Behind[] {
  return checkpoints.behind(reacting());
}

/** One of them, as a line. */
export function behindText({ service, partitions, at, upTo }: Behind): string {
  return `${service}: ${partitions} of 64 partitions wait, the furthest behind at ${at ?? 'the beginning'}, of events up to ${upTo}`;
}
