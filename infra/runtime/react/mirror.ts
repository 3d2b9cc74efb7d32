/**
 * The reaction checkpoint of a service in its stream `checkpoint-<service>`: read at the start,
 * appended with the exact revision afterwards, so that a second instance is noticed at once.
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

import { type Mark, PARTITIONS } from '../../bus/port.ts';
import { type EventStore, EventStoreError, type ExpectedRevision } from '../../event-store/port.ts';
import type { Clock } from '../clock.ts';
import { RuntimeError } from '../errors.ts';
import { checkpointEvents, CheckpointRecorded } from './checkpoint-events.ts';
import type { ParkedHome } from './reaction.ts';

const registry = eventRegistry(checkpointEvents);

/** How far a service has come. */
export interface ReactionCheckpoint {
  /** By partition. */
  readonly marks: readonly Mark[];
  readonly parked: readonly ParkedHome[];
}

export interface MirrorOptions {
  readonly service: string;
  readonly store: EventStore;
  readonly clock: Clock;
  readonly tenantId: string;
}

export class CheckpointMirror {
  readonly stream: string;
  readonly #options: MirrorOptions;
  /** Makes this instance's events its own: two instances never write the identical append. */
  readonly #instance = crypto.randomUUID();
  #expected: ExpectedRevision = 'no-stream';
  #lastTime = '';
  /** An append whose outcome is unknown: the same is sent again before anything else. */
  #unanswered: NewEvent | undefined;
  /** One after the other: a partition that comes back is loaded while another checkpoint is written. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: MirrorOptions) {
    this.#options = options;
    this.stream = `checkpoint-${options.service}`;
  }

  /** The last checkpoint, or undefined where the service has none. */
  load(): Promise<ReactionCheckpoint | undefined> {
    return this.#inTurn(() => this.#load());
  }

  /**
   * Appends a checkpoint. `later`: the store could not be reached; nothing is lost by trying again.
   *
   * @throws RuntimeError `misconfigured` where another instance writes the same checkpoint.
   */
  save(checkpoint: ReactionCheckpoint): Promise<'written' | 'later'> {
    return this.#inTurn(async () => {
      if (this.#unanswered !== undefined && !(await this.#append(this.#unanswered))) return 'later';
      return (await this.#append(this.#event(checkpoint))) ? 'written' : 'later';
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #load(): Promise<ReactionCheckpoint | undefined> {
    const page = await this.#options.store.readStream(this.stream, {
      direction: 'backwards',
      limit: 1,
    });
    const stored = page.exists ? page.events[0] : undefined;
    if (stored === undefined) return undefined;
    this.#expected = stored.revision;
    this.#lastTime = stored.time;
    const recorded = registry.decode(stored);
    if (recorded === undefined || !is(recorded, CheckpointRecorded)) {
      throw new EventDecodeError(
        'unknown-version',
        `${this.stream} ends with a ${stored.type}, which this build does not know: upgrade it`,
      );
    }
    const { marks, parked } = recorded.data;
    return {
      marks: marks.map((mark) => (mark === '' ? null : formatPosition(BigInt(mark)))),
      parked: parked.map((home) => ({ ...home, from: formatPosition(BigInt(home.from)) })),
    };
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

  #lostRace(cause: EventStoreError): RuntimeError {
    return new RuntimeError(
      'misconfigured',
      `another instance of ${this.#options.service} writes ${this.stream}: it is at revision ` +
        `${String(cause.actual)}, this instance last saw ${String(this.#expected)}. Run one instance`,
      { cause },
    );
  }
}

function compact(position: Position | null): string {
  return position === null ? '' : parsePosition(position).toString();
}
