/**
 * Reaction checkpoints where a log becomes another one with the same events: positions are of one log
 * alone, so each service gets a new checkpoint behind all that was copied. That says the truth only
 * where its reactions had come to the head.
 */
import {
  EventDecodeError,
  eventRegistry,
  formatPosition,
  is,
  parsePosition,
  type Position,
  type StoredEvent,
} from '@bivouac/events/language';
import { laterOf, uuidOf } from '@bivouac/events/values';

import { isPublished, partitionOf } from '../../bus/partition.ts';
import { PARTITIONS } from '../../bus/port.ts';
import { checkpointEvents, CheckpointRecorded } from './checkpoint-events.ts';

const registry = eventRegistry(checkpointEvents);
const PREFIX = 'checkpoint-';

/** A service whose reactions have not come to the end of the log. */
export interface Behind {
  readonly service: string;
  /** Of its 64 partitions so many have events that it has not reacted to. */
  readonly partitions: number;
  /** Where it stands on the one that is furthest behind; null: nowhere, it has no checkpoint there. */
  readonly at: Position | null;
  /** The last event of a home that waits. */
  readonly upTo: Position;
}

/** One event to append behind everything that was copied. */
export type CarriedCheckpoint = Omit<StoredEvent, 'position' | 'epoch'>;

export interface CarryOptions {
  /** Of the log that it becomes. */
  readonly epoch: string;
  /** Where its last copied event stands. */
  readonly head: Position;
  /** RFC 3339 UTC. */
  readonly now: string;
  /** Where the event that stood at a position of the old log stands in the new one. */
  readonly moved: (from: Position) => Promise<Position>;
}

/** What a log says of its services' reactions; hand it every event, in order. */
export class CarriedCheckpoints {
  /** By stream, the last checkpoint. */
  readonly #last = new Map<string, StoredEvent>();
  /** By partition, the last event that reactions get. */
  readonly #horizon = new Map<number, Position>();

  note(event: StoredEvent): void {
    if (isPublished(event.stream)) this.#horizon.set(partitionOf(event.homeid), event.position);
    else if (event.stream.startsWith(PREFIX)) this.#last.set(event.stream, event);
  }

  /**
   * The services that are not at the head: of those that react, and of all that have a checkpoint.
   *
   * @throws EventDecodeError where a checkpoint is of a later release.
   */
  behind(reacting: readonly string[]): readonly Behind[] {
    const streams = new Set([...reacting.map((service) => PREFIX + service), ...this.#last.keys()]);
    return [...streams].sort().flatMap((stream) => {
      const last = this.#last.get(stream);
      const marks = last === undefined ? [] : bodyOf(last).marks;
      const waiting = [...this.#horizon].flatMap(([partition, upTo]) => {
        const mark = marks[partition] ?? '';
        const at = mark === '' ? null : formatPosition(BigInt(mark));
        return at !== null && at >= upTo ? [] : [{ at, upTo }];
      });
      const [first] = waiting.sort((a, b) => ((a.at ?? '') < (b.at ?? '') ? -1 : 1));
      if (first === undefined) return [];
      const upTo = waiting.map((each) => each.upTo).reduce((a, b) => (a > b ? a : b));
      const service = stream.slice(PREFIX.length);
      return [{ service, partitions: waiting.length, at: first.at, upTo }];
    });
  }

  /** Ids of what {@link carried} will make for a log of this epoch. */
  ids(epoch: string): ReadonlySet<string> {
    return new Set([...this.#last.keys()].map((stream) => idOf(stream, epoch)));
  }

  /**
   * Checkpoints at the head, with the homes that are parked: one for each stream that has any. Made
   * again for the same epoch, they have the same ids.
   */
  async carried(options: CarryOptions): Promise<readonly CarriedCheckpoint[]> {
    const { epoch, head, now, moved } = options;
    const made: CarriedCheckpoint[] = [];
    for (const [stream, last] of this.#last) {
      const parked = [];
      for (const home of bodyOf(last).parked) {
        parked.push({ ...home, from: compact(await moved(formatPosition(BigInt(home.from)))) });
      }
      const marks = new Array<string>(PARTITIONS).fill(compact(head));
      const { schemaver, data } = registry.encode(CheckpointRecorded({ marks, parked }));
      const commandkey = commandKeyOf(stream, epoch);
      made.push({
        ...{ stream, revision: last.revision + 1n, id: idOf(stream, epoch) },
        ...{ type: CheckpointRecorded.type, schemaver, data, time: laterOf(now, last.time) },
        ...{ tenantid: last.tenantid, homeid: last.homeid, actorid: last.actorid },
        ...{ correlationid: commandkey, causationid: commandkey, commandkey, inputhash: '' },
      });
    }
    return made;
  }
}

function bodyOf(stored: StoredEvent) {
  const recorded = registry.decode(stored);
  if (recorded !== undefined && is(recorded, CheckpointRecorded)) return recorded.data;
  throw new EventDecodeError(
    'unknown-version',
    `${stored.stream} ends with a ${stored.type}, which this build does not know: upgrade it`,
  );
}

function commandKeyOf(stream: string, epoch: string): string {
  return uuidOf('carried checkpoint', epoch, stream);
}

function idOf(stream: string, epoch: string): string {
  return uuidOf(commandKeyOf(stream, epoch), '0');
}

function compact(position: Position): string {
  return parsePosition(position).toString();
}
