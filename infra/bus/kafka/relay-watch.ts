/**
 * Whether anybody publishes the log, by the log alone: what has stood in it for a while, though the relay's
 * checkpoint does not move. For a relay that waits for its turn while nobody can arrange turns.
 */
import {
  EventDecodeError,
  eventRegistry,
  formatPosition,
  is,
  type Position,
  type StoredEvent,
} from '@bivouac/events/language';

import type { EventStore } from '../../event-store/port.ts';
import type { Clock } from '../../runtime/clock.ts';
import { isPublished } from '../partition.ts';
import { relayEvents, RelayCheckpointRecorded } from './relay-events.ts';

/**
 * Milliseconds that something must stand unpublished with nobody moving: ten times what a relay leaves
 * between two checkpoints.
 */
export const STALLED = 10_000;
/** Events read at once, backwards from the end of the log. */
const PAGE = 250;
/** Pages read at most: where so much stands behind the checkpoint, something waits for sure. */
const PAGES = 8;

const registry = eventRegistry(relayEvents);

export interface RelayWatchOptions {
  readonly store: Pick<EventStore, 'readAll'>;
  readonly topic: string;
  /** The network's time. */
  readonly network: Pick<Clock, 'now'>;
}

/** What the end of the log says. */
interface Seen {
  /** Id of the relay's last checkpoint; empty where there is none near the end. */
  readonly checkpoint: string;
  /** Something is to be published behind it. */
  readonly waiting: boolean;
}

export class RelayWatch {
  readonly #options: RelayWatchOptions;
  /** Since when the same checkpoint has been seen with something waiting. */
  #since: { readonly checkpoint: string; readonly at: number } | undefined;

  constructor(options: RelayWatchOptions) {
    this.#options = options;
  }

  /**
   * Whether nobody has published for {@link STALLED} what there is to publish, as far as those know who
   * ask again and again: the first time the answer is no.
   *
   * @throws EventStoreError
   */
  async stalled(): Promise<boolean> {
    const { checkpoint, waiting } = await this.#look();
    const now = this.#options.network.now();
    if (!waiting) this.#since = undefined;
    else if (this.#since?.checkpoint !== checkpoint) this.#since = { checkpoint, at: now };
    return this.#since !== undefined && now - this.#since.at >= STALLED;
  }

  async #look(): Promise<Seen> {
    const { store } = this.#options;
    /** Positions of what is published, from the last one backwards. */
    const published: Position[] = [];
    let recorded: { readonly id: string; readonly position: Position } | undefined;
    let after: Position | undefined;
    for (let page = 0; page < PAGES; page++) {
      const { events, end } = await store.readAll({
        direction: 'backwards',
        limit: PAGE,
        ...(after !== undefined && { after }),
      });
      for (const event of events) {
        if (isPublished(event.stream)) published.push(event.position);
        else recorded ??= this.#checkpointOf(event);
      }
      after = events.at(-1)?.position ?? after;
      // Behind the checkpoint's own event stands what was written while it was on its way.
      const enough = recorded !== undefined && (after ?? '') <= recorded.position;
      if (end || enough || after === undefined) break;
    }
    const { id = '', position = '' } = recorded ?? {};
    return { checkpoint: id, waiting: published.some((each) => each > position) };
  }

  #checkpointOf(event: StoredEvent): { id: string; position: Position } | undefined {
    if (!event.stream.startsWith('relay-')) return undefined;
    const known = registry.decode(event);
    if (known === undefined || !is(known, RelayCheckpointRecorded)) {
      throw new EventDecodeError(
        'unknown-version',
        `${event.stream} has a ${event.type}, which this build does not know: upgrade it`,
      );
    }
    // Of a log that was copied here, or of another bus.
    if (known.data.topic !== this.#options.topic) return undefined;
    return { id: event.id, position: formatPosition(BigInt(known.data.position)) };
  }
}
