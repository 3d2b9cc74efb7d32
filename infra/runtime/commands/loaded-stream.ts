/**
 * One stream as the command host holds it: the folded state, who owns it, where it ends, and what it
 * remembers of its commands. `catchUp` brings it to the stream's present end.
 */
import type { EventRegistry, StoredEvent } from '@bivouac/events/language';

import type { EventStore } from '../../event-store/port.ts';
import type { Aggregate } from '../definitions.ts';
import { CommandMemory } from './memory.ts';

const PAGE = 500;

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
  }
}
