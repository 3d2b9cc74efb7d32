/** From the events that are heard of to whoever follows the things they are about. */
import type { Position } from '@bivouac/events/language';

import type { ChangeListener, ChangePort } from './changes.ts';

/** As much of an event as is needed: streams are named `<category>-<typeid>`, nothing is decoded. */
export interface HeardEvent {
  readonly stream: string;
  readonly position: Position;
}

/** Tells of every change by the id of what has changed; also again, after a rebuild. */
export class ChangeNews implements ChangePort {
  readonly #listeners = new Map<string, Set<ChangeListener>>();

  /** These have happened. */
  hear(events: readonly HeardEvent[]): void {
    // Nearly always nobody listens, and there are many events.
    if (this.#listeners.size === 0) return;
    for (const { stream, position } of events) {
      const listeners = this.#listeners.get(stream.slice(stream.indexOf('-') + 1));
      for (const listener of listeners ?? []) listener(position);
    }
  }

  /** Something may have happened up to there, or until now, that was not heard of: everybody looks. */
  missed(upTo?: Position): void {
    for (const listeners of this.#listeners.values()) {
      for (const listener of listeners) listener(upTo);
    }
  }

  listen(id: string, listener: ChangeListener): () => void {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(id) === listeners) this.#listeners.delete(id);
    };
  }
}
