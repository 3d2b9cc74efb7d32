/**
 * `bivouac log verify`: whether a log is what was written, and means what it says. Holds every row
 * against the laws of the log, and names what is wrong with its position.
 */
import { PersonErased } from '@bivouac/events/accounts';
import {
  canonicalBytes,
  EventDecodeError,
  type EventRegistry,
  is,
  type Position,
  type Recorded,
  type Sealed,
  SealedSchema,
  type StoredEvent,
} from '@bivouac/events/language';
import type { LogFault } from '@bivouac/infra/event-store';
import { KeyError, type Keys } from '@bivouac/infra/keys';

import type { ReadLog } from './log-reader.ts';

export interface Verification {
  readonly ok: boolean;
  readonly epoch: string;
  readonly head: Position | null;
  readonly counts: {
    readonly events: number;
    readonly streams: number;
    readonly homes: number;
    readonly types: number;
    /** Sealed values whose commitment was proved, whose person is erased, and that nothing could open. */
    readonly commitmentsProved: number;
    readonly commitmentsErased: number;
    readonly commitmentsUnchecked: number;
    /** Keys that open values of persons whom the log calls erased: a start destroys them. */
    readonly keysOfErased: number;
  };
  /** The first of them, in order of position; those of the log as a whole come first. */
  readonly faults: readonly LogFault[];
  readonly faultCount: number;
}

export interface VerifyOptions {
  readonly log: ReadLog;
  readonly registry: EventRegistry;
  /** Undefined: the installation's keys are not there, so commitments are only counted. */
  readonly keys: Pick<Keys, 'open'> | undefined;
  /** Most faults to name; all are counted. */
  readonly most: number;
}

/** What is known of a stream so far. */
interface Stream {
  next: bigint;
  time: string;
  readonly tenantid: string;
  readonly homeid: string;
}

/** Reads the whole log once. */
export async function verifyLog(options: VerifyOptions): Promise<Verification> {
  const { log, registry, keys, most } = options;
  const faults: LogFault[] = [];
  let faultCount = 0;
  const say = (...found: readonly LogFault[]): void => {
    faultCount += found.length;
    faults.push(...found.slice(0, Math.max(0, most - faults.length)));
  };
  const streams = new Map<string, Stream>();
  const homes = new Set<string>();
  const types = new Set<string>();
  const ids = new Map<string, IdUse>();
  let events = 0;
  const sealed = { proved: 0, erased: 0, unchecked: 0 };
  /** By key, how many values it has opened. */
  const openedBy = new Map<string, number>();
  const erasedKeys = new Set<string>();

  say(...log.wholeFaults());
  for await (const row of log.rows()) {
    events += 1;
    say(...row.faults);
    const { event, position } = row;
    if (event === undefined) continue;
    homes.add(event.homeid);
    types.add(event.type);
    const here = (what: string): void => {
      say({ position, what });
    };
    checkStream(event, streams, here);
    checkId(event, ids, here);
    const recorded = decoded(event, registry, here);
    if (recorded === undefined) continue;
    if (is(recorded, PersonErased)) {
      const { personId, purposes } = recorded.data;
      for (const purpose of purposes) erasedKeys.add(keyName(personId, purpose));
    }
    for (const value of sealedIn(recorded.data)) {
      const found = await proof(value, keys, here);
      sealed[found] += 1;
      if (found !== 'proved') continue;
      const name = keyName(value.person, value.purpose);
      openedBy.set(name, (openedBy.get(name) ?? 0) + 1);
    }
  }
  // Who is erased is so by the log's word, also where an old folder of keys says otherwise.
  const keysOfErased = [...openedBy].filter(([name]) => erasedKeys.has(name));
  for (const [, values] of keysOfErased) {
    sealed.proved -= values;
    sealed.erased += values;
  }
  return {
    ok: faultCount === 0,
    epoch: log.epoch,
    head: log.head,
    counts: {
      events,
      streams: streams.size,
      homes: homes.size,
      types: types.size,
      commitmentsProved: sealed.proved,
      commitmentsErased: sealed.erased,
      commitmentsUnchecked: sealed.unchecked,
      keysOfErased: keysOfErased.length,
    },
    faults,
    faultCount,
  };
}

/** Revisions without a gap, recorded time never backwards, one tenant and one home for ever. */
function checkStream(
  event: StoredEvent,
  streams: Map<string, Stream>,
  say: (what: string) => void,
): void {
  const { stream, revision, time, tenantid, homeid } = event;
  const known = streams.get(stream);
  const expected = known?.next ?? 0n;
  if (revision !== expected) {
    say(`revision ${revision} of ${stream} stands where ${expected} must`);
  }
  if (known === undefined) {
    streams.set(stream, { next: revision + 1n, time, tenantid, homeid });
    return;
  }
  if (time < known.time) say(`its recorded time ${time} is before ${known.time} in ${stream}`);
  if (tenantid !== known.tenantid || homeid !== known.homeid) {
    say(`${stream} changes its tenant or home, which are fixed when a stream begins`);
  }
  known.next = revision + 1n;
  known.time = time > known.time ? time : known.time;
}

interface IdUse {
  readonly stream: string;
  readonly commandkey: string;
  readonly time: string;
}

/** How long a stream remembers a command; the same one given later is a new one with the old ids. */
const REMEMBERED_MILLISECONDS = 7 * 24 * 60 * 60 * 1000;

function checkId(event: StoredEvent, ids: Map<string, IdUse>, say: (what: string) => void): void {
  const { id, stream, commandkey, time } = event;
  const other = ids.get(id);
  ids.set(id, { stream, commandkey, time });
  if (other === undefined) return;
  const again =
    other.stream === stream &&
    other.commandkey === commandkey &&
    Date.parse(time) - Date.parse(other.time) >= REMEMBERED_MILLISECONDS;
  if (!again) say(`its id ${id} is also that of an earlier event in ${other.stream}`);
}

function keyName(person: string, purpose: string): string {
  return `${person}.${purpose}`;
}

/** The event, if its body is canonical JSON and fits the schema of its type and version. */
function decoded(
  event: StoredEvent,
  registry: EventRegistry,
  say: (what: string) => void,
): Recorded | undefined {
  try {
    const recorded = registry.decode(event);
    if (recorded === undefined) {
      say(`its type ${event.type} is not known to this release`);
      return undefined;
    }
    const body: unknown = JSON.parse(Buffer.from(event.data).toString());
    if (!Buffer.from(canonicalBytes(body)).equals(event.data)) {
      say(`the body of ${event.type} is not canonical JSON`);
    }
    return recorded;
  } catch (error) {
    if (!(error instanceof EventDecodeError)) throw error;
    say(error.message);
    return undefined;
  }
}

/** Every sealed value in a body, however deep. */
function* sealedIn(value: unknown): Generator<Sealed, void, undefined> {
  if (value === null || typeof value !== 'object') return;
  if ('commitment' in value && 'box' in value) {
    const parsed = SealedSchema.safeParse(value);
    if (parsed.success) {
      yield parsed.data;
      return;
    }
  }
  for (const part of Object.values(value)) yield* sealedIn(part);
}

async function proof(
  value: Sealed,
  keys: VerifyOptions['keys'],
  say: (what: string) => void,
): Promise<'proved' | 'erased' | 'unchecked'> {
  if (keys === undefined) return 'unchecked';
  try {
    return (await keys.open(value)) === undefined ? 'erased' : 'proved';
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    say(`a commitment is not proved: ${error.message}`);
    return 'unchecked';
  }
}
