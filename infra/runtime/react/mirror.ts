/**
 * The reaction checkpoint of a service in its stream `checkpoint-<service>`, which all its instances
 * write: each appends with the exact revision, and whoever loses the race reads what was written, puts
 * its own part into it and appends that. Why no event can be passed over: ADR 12.
 */
import {
  EventDecodeError,
  eventRegistry,
  formatPosition,
  is,
  MAX_EVENT_BYTES,
  type NewEvent,
  parsePosition,
  type Position,
} from '@bivouac/events/language';
import { instantOf, laterOf, uuidOf } from '@bivouac/events/values';

import { partitionOf } from '../../bus/partition.ts';
import { type Mark, PARTITIONS } from '../../bus/port.ts';
import { type EventStore, EventStoreError, type ExpectedRevision } from '../../event-store/port.ts';
import type { Clock } from '../clock.ts';
import { isTransient, RuntimeError } from '../errors.ts';
import { checkpointEvents, CheckpointRecorded } from './checkpoint-events.ts';
import type { ParkedHome } from './reaction.ts';

const registry = eventRegistry(checkpointEvents);

/** How far a service has come. */
export interface ReactionCheckpoint {
  /** By partition. */
  readonly marks: readonly Mark[];
  readonly parked: readonly ParkedHome[];
}

/**
 * How far one partition has come: the mark says nothing without the homes parked there, and is only ever
 * taken over together with them.
 */
export interface PartitionCheckpoint {
  readonly mark: Mark;
  readonly parked: readonly ParkedHome[];
}

/** What a service has that never reacted to anything. */
export const NOTHING: ReactionCheckpoint = {
  marks: new Array<Mark>(PARTITIONS).fill(null),
  parked: [],
};

/** The part of one partition. */
export function partOf(checkpoint: ReactionCheckpoint, partition: number): PartitionCheckpoint {
  return {
    mark: checkpoint.marks[partition] ?? null,
    parked: checkpoint.parked.filter(({ homeId }) => partitionOf(homeId) === partition),
  };
}

/** Whether two checkpoints say the same of a partition, in the same words. */
export function agree(a: ReactionCheckpoint, b: ReactionCheckpoint, partition: number): boolean {
  return wordsOf(partOf(a, partition)) === wordsOf(partOf(b, partition));
}

function wordsOf({ mark, parked }: PartitionCheckpoint): string {
  const homes = parked.map((h) => [h.homeId, h.from, h.eventId, h.reaction, h.reason, h.since]);
  return JSON.stringify([mark, homes.sort()]);
}

export interface MirrorOptions {
  readonly service: string;
  readonly store: EventStore;
  readonly clock: Clock;
  readonly tenantId: string;
  /**
   * Another instance has written: what was known, and what is. Called before anything of this instance
   * is put into it, so that what is held here can begin anew where the two differ.
   */
  readonly overtaken?: (known: ReactionCheckpoint, now: ReactionCheckpoint) => void;
}

/** Something sent whose answer did not come. */
interface Unanswered {
  readonly event: NewEvent;
  readonly expected: ExpectedRevision;
  readonly checkpoint: ReactionCheckpoint;
}

/** Races lost in a row before writing is left for later: a second on, others have written too. */
const RACES = 16;

export class CheckpointMirror {
  readonly stream: string;
  readonly #options: MirrorOptions;
  /** Makes this instance's events its own: two instances never write the identical append. */
  readonly #instance = crypto.randomUUID();
  #expected: ExpectedRevision = 'no-stream';
  #lastTime = '';
  #last: ReactionCheckpoint | undefined;
  /** The same is sent again before anything else: it may be written yet. */
  #unanswered: Unanswered | undefined;
  /** A reading that has not begun: whoever asks meanwhile shares it. */
  #reading: Promise<void> | undefined;
  /** One after the other: a partition that comes back is loaded while another checkpoint is written. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: MirrorOptions) {
    this.#options = options;
    this.stream = `checkpoint-${options.service}`;
  }

  /** The last checkpoint known; undefined where there is none. */
  get last(): ReactionCheckpoint | undefined {
    return this.#last;
  }

  /** Reads the last checkpoint; undefined where the service has none. */
  async load(): Promise<ReactionCheckpoint | undefined> {
    this.#reading ??= this.#inTurn(async () => {
      this.#reading = undefined;
      if (this.#unanswered !== undefined) await this.#again(this.#unanswered);
      await this.#load();
    });
    await this.#reading;
    return this.#last;
  }

  /**
   * Appends a checkpoint. `later`: the store could not be reached, or others were faster each time;
   * nothing is lost by trying again.
   *
   * @param merge puts what is this instance's into the last checkpoint; run again after a lost race.
   * undefined: there is nothing to write.
   */
  save(
    merge: (last: ReactionCheckpoint | undefined) => ReactionCheckpoint | undefined,
  ): Promise<'written' | 'same' | 'later'> {
    return this.#inTurn(async () => {
      if (this.#unanswered !== undefined && (await this.#again(this.#unanswered)) === 'later') {
        return 'later';
      }
      for (let race = 0; race < RACES; race++) {
        const checkpoint = merge(this.#last);
        if (checkpoint === undefined) return 'same';
        const event = this.#event(checkpoint);
        const outcome = await this.#append({ event, expected: this.#expected, checkpoint });
        if (outcome !== 'lost') return outcome;
        if (!(await this.#reload())) return 'later';
      }
      return 'later';
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  /** Sends again what has no answer. Lost: it never was written and never will be. */
  async #again(unanswered: Unanswered): Promise<'written' | 'later'> {
    const outcome = await this.#append(unanswered);
    if (outcome !== 'lost') return outcome;
    this.#unanswered = undefined;
    return (await this.#reload()) ? 'written' : 'later';
  }

  /** Reads after a lost race; answers whether the store could be reached. */
  async #reload(): Promise<boolean> {
    try {
      await this.#load();
      return true;
    } catch (error) {
      if (isTransient(error)) return false;
      throw error;
    }
  }

  async #load(): Promise<void> {
    const page = await this.#options.store.readStream(this.stream, {
      direction: 'backwards',
      limit: 1,
    });
    const stored = page.exists ? page.events[0] : undefined;
    if (stored === undefined || this.#isKnown(stored.revision)) return;
    const recorded = registry.decode(stored);
    if (recorded === undefined || !is(recorded, CheckpointRecorded)) {
      throw new EventDecodeError(
        'unknown-version',
        `${this.stream} ends with a ${stored.type}, which this build does not know: upgrade it`,
      );
    }
    const { marks, parked } = recorded.data;
    const known = this.#last ?? NOTHING;
    const now: ReactionCheckpoint = {
      marks: marks.map((mark) => (mark === '' ? null : formatPosition(BigInt(mark)))),
      parked: parked.map((home) => ({ ...home, from: formatPosition(BigInt(home.from)) })),
    };
    this.#knows(now, stored.revision, stored.time);
    this.#options.overtaken?.(known, now);
  }

  async #append(sent: Unanswered): Promise<'written' | 'later' | 'lost'> {
    const { event, expected, checkpoint } = sent;
    try {
      const { revision } = await this.#options.store.append(this.stream, expected, [event]);
      this.#unanswered = undefined;
      // One sent again may have been written long before what others wrote since.
      if (!this.#isKnown(revision)) this.#knows(checkpoint, revision, event.time);
      return 'written';
    } catch (error) {
      if (!(error instanceof EventStoreError)) throw error;
      if (error.code === 'outcome-unknown') this.#unanswered = sent;
      if (error.code === 'outcome-unknown' || error.code === 'unavailable') return 'later';
      if (error.code === 'conflict') return 'lost';
      throw error;
    }
  }

  #isKnown(revision: bigint): boolean {
    return typeof this.#expected === 'bigint' && revision <= this.#expected;
  }

  #knows(checkpoint: ReactionCheckpoint, revision: bigint, time: string): void {
    this.#last = checkpoint;
    this.#expected = revision;
    this.#lastTime = time;
  }

  #event({ marks, parked }: ReactionCheckpoint): NewEvent {
    const { service, clock, tenantId } = this.#options;
    const encoded = registry.encode(
      CheckpointRecorded({
        marks: Array.from({ length: PARTITIONS }, (_, p) => compact(marks[p] ?? null)),
        parked: parked.map((home) => ({ ...home, from: compact(home.from) })),
      }),
    );
    if (encoded.data.length > MAX_EVENT_BYTES) {
      throw new RuntimeError(
        'defect',
        `${parked.length} homes are parked, more than a checkpoint holds: this is a defect of the ` +
          `release or of what ${service} depends on, not of so many homes; correct it and start again`,
      );
    }
    const commandkey = uuidOf('checkpoint', this.#instance, this.stream, String(this.#expected));
    return {
      ...encoded,
      id: uuidOf(commandkey, '0'),
      type: CheckpointRecorded.type,
      time: laterOf(instantOf(clock.now()), this.#lastTime),
      tenantid: tenantId,
      homeid: this.stream,
      actorid: `reactions:${service}`,
      correlationid: commandkey,
      causationid: commandkey,
      commandkey,
      inputhash: '',
    };
  }
}

function compact(position: Position | null): string {
  return position === null ? '' : parsePosition(position).toString();
}
