/**
 * How far the relay came, in its stream of the log itself: read at the start, appended with the exact
 * revision afterwards, so that of two relays the second to write is told and stops.
 */
import {
  EventDecodeError,
  eventRegistry,
  formatPosition,
  is,
  type NewEvent,
  parsePosition,
  type Position,
} from '@bivouac/events/language';
import { instantOf, laterOf, uuidOf } from '@bivouac/events/values';

import { type EventStore, EventStoreError, type ExpectedRevision } from '../../event-store/port.ts';
import type { Clock } from '../../runtime/clock.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { type Mark, PARTITIONS } from '../port.ts';
import { relayEvents, RelayCheckpointRecorded } from './relay-events.ts';

const registry = eventRegistry(relayEvents);

export interface Published {
  /** The last published event that was acknowledged. */
  readonly position: Position;
  readonly eventId: string;
  /** The last one of each partition. */
  readonly lasts: readonly Mark[];
}

export interface RelayCheckpointOptions {
  /** The cluster published to: another one begins at the log's start. */
  readonly clusterId: string;
  readonly topic: string;
  readonly store: Pick<EventStore, 'readStream' | 'append'>;
  readonly clock: Clock;
  readonly tenantId: string;
}

export class RelayCheckpoint {
  readonly stream: string;
  readonly #options: RelayCheckpointOptions;
  /** Makes this instance's events its own: two instances never write the identical append. */
  readonly #instance = crypto.randomUUID();
  #expected: ExpectedRevision = 'no-stream';
  #lastTime = '';
  /** An append whose outcome is unknown: the same is sent again before anything else. */
  #unanswered: NewEvent | undefined;

  constructor(options: RelayCheckpointOptions) {
    this.#options = options;
    this.stream = `relay-${options.clusterId}`;
  }

  /** The last checkpoint, or undefined where nothing was published to this topic yet. */
  async load(): Promise<Published | undefined> {
    const page = await this.#options.store.readStream(this.stream, {
      direction: 'backwards',
      limit: 1,
    });
    const stored = page.exists ? page.events[0] : undefined;
    if (stored === undefined) return undefined;
    this.#expected = stored.revision;
    this.#lastTime = stored.time;
    const recorded = registry.decode(stored);
    if (recorded === undefined || !is(recorded, RelayCheckpointRecorded)) {
      throw new EventDecodeError(
        'unknown-version',
        `${this.stream} ends with a ${stored.type}, which this build does not know: upgrade it`,
      );
    }
    const { topic, position, eventId, lasts } = recorded.data;
    // A log copied into a new epoch brings the stream along; its topic starts empty.
    if (topic !== this.#options.topic) return undefined;
    return {
      position: expanded(position),
      eventId,
      lasts: lasts.map((p) => (p === '' ? null : expanded(p))),
    };
  }

  /**
   * Appends a checkpoint. `later`: the store could not be reached; nothing is lost by trying again.
   *
   * @throws RuntimeError `misconfigured` where another relay has written since.
   */
  async save(published: Published): Promise<'written' | 'later'> {
    if (this.#unanswered !== undefined && !(await this.#append(this.#unanswered))) return 'later';
    return (await this.#append(this.#event(published))) ? 'written' : 'later';
  }

  async #append(event: NewEvent): Promise<boolean> {
    try {
      const { revision } = await this.#options.store.append(this.stream, this.#expected, [event]);
      this.#expected = revision;
      this.#lastTime = event.time;
      this.#unanswered = undefined;
      return true;
    } catch (error) {
      if (!(error instanceof EventStoreError)) throw error;
      if (error.code === 'outcome-unknown') this.#unanswered = event;
      if (error.code === 'outcome-unknown' || error.code === 'unavailable') return false;
      if (error.code === 'conflict') throw this.#lostRace(error);
      throw error;
    }
  }

  #event({ position, eventId, lasts }: Published): NewEvent {
    const { topic, clock, tenantId } = this.#options;
    const encoded = registry.encode(
      RelayCheckpointRecorded({
        topic,
        position: compact(position),
        eventId,
        lasts: Array.from({ length: PARTITIONS }, (_, p) => compact(lasts[p] ?? null)),
      }),
    );
    const commandkey = uuidOf('relay', this.#instance, this.stream, String(this.#expected));
    return {
      ...encoded,
      id: uuidOf(commandkey, '0'),
      type: RelayCheckpointRecorded.type,
      time: laterOf(instantOf(clock.now()), this.#lastTime),
      tenantid: tenantId,
      homeid: this.stream,
      actorid: 'relay',
      correlationid: commandkey,
      causationid: commandkey,
      commandkey,
      inputhash: '',
    };
  }

  #lostRace(cause: EventStoreError): RuntimeError {
    return new RuntimeError(
      'misconfigured',
      `another relay publishes this log: ${this.stream} is at revision ${String(cause.actual)}, this ` +
        `one last saw ${String(this.#expected)}. Nothing is lost or doubled by it; run one relay`,
      { cause },
    );
  }
}

function expanded(compacted: string): Position {
  return formatPosition(BigInt(compacted));
}

function compact(position: Mark): string {
  return position === null ? '' : parsePosition(position).toString();
}
