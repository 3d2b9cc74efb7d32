/**
 * One stream as the command host holds it: the folded state, who owns it, where it ends, and what it
 * remembers of its commands. `catchUp` brings it to the stream's present end.
 */
import type { EventRegistry, Position, StoredEvent } from '@bivouac/events/language';

import type { EventStore } from '../../event-store/port.ts';
import type { Aggregate } from '../definitions.ts';
import { CommandMemory, type MemoryColumns } from './memory.ts';

const PAGE = 500;

/** All that the events of a stream have made of it, as of a revision. */
export interface Folded {
  readonly state: unknown;
  readonly revision: bigint;
  readonly tenantId: string;
  readonly homeId: string;
  readonly lastTime: string;
  readonly memory: MemoryColumns;
}

export class LoadedStream {
  readonly stream: string;
  readonly #aggregate: Aggregate;
  readonly #registry: EventRegistry;
  readonly memory = new CommandMemory();
  state: unknown;
  /** Revision of the last event folded; undefined before the first. */
  revision: bigint | undefined;
  tenantId: string | undefined;
  homeId: string | undefined;
  /** Recorded time of the last event: the next is never earlier. */
  lastTime = '';
  lastId = '';
  /** Where the last event is; empty until what was decided here has been appended. */
  lastPosition: Position = '';

  constructor(stream: string, aggregate: Aggregate, registry: EventRegistry) {
    this.stream = stream;
    this.#aggregate = aggregate;
    this.#registry = registry;
    this.state = aggregate.initial();
  }

  get exists(): boolean {
    return this.revision !== undefined;
  }

  /**
   * Reads what was appended since, up to `upTo` or the end. Answers whether anything was.
   * The read comes from the store's leader: afterwards the state is the stream's present end.
   */
  async catchUp(store: EventStore, upTo?: bigint): Promise<boolean> {
    let changed = false;
    for (;;) {
      const from = this.revision === undefined ? 0n : this.revision + 1n;
      if (upTo !== undefined && from > upTo) return changed;
      const page = await store.readStream(this.stream, { from, limit: PAGE });
      if (!page.exists) return changed;
      for (const event of page.events) {
        if (upTo !== undefined && event.revision > upTo) return changed;
        this.fold(event);
        changed = true;
      }
      if (page.end) return changed;
    }
  }

  /** Folds a stored event. */
  fold(event: StoredEvent): void {
    const recorded = this.#registry.decode(event);
    this.noteEnvelope(event);
    if (recorded !== undefined) this.state = this.#aggregate.evolve(this.state, recorded);
  }

  /** Notes what every event says, whatever its type. */
  noteEnvelope(event: Omit<StoredEvent, 'data'>): void {
    this.memory.note(event, event.revision);
    this.revision = event.revision;
    this.tenantId ??= event.tenantid;
    this.homeId ??= event.homeid;
    this.lastTime = event.time;
    this.lastId = event.id;
    this.lastPosition = event.position;
  }

  /** To be written down at once: it is the state itself, not a copy. */
  folded(): Folded {
    const { state, revision = -1n, tenantId = '', homeId = '', lastTime } = this;
    return { state, revision, tenantId, homeId, lastTime, memory: this.memory.columns() };
  }

  /** Goes on from what the same fold has made of the stream up to `last`. */
  resume(folded: Folded, last: Pick<StoredEvent, 'id' | 'position'>): void {
    this.state = folded.state;
    this.revision = folded.revision;
    this.tenantId = folded.tenantId;
    this.homeId = folded.homeId;
    this.lastTime = folded.lastTime;
    this.lastId = last.id;
    this.lastPosition = last.position;
    this.memory.resume(folded.memory);
  }
}
