/** Tells the gateway when what it follows has changed, as the read models apply it. */
import type { Follower } from '@bivouac/infra/runtime';

/**
 * Hears of every change by the id of what has changed: streams are named `<category>-<typeid>`, so
 * nothing has to be decoded for it. Also again, after a rebuild.
 */
export class ChangeNews {
  readonly #listeners = new Map<string, Set<() => void>>();

  constructor(follower: Pick<Follower, 'onApplied'>) {
    follower.onApplied((_position, events) => {
      // Nearly always nobody listens, and there are many events.
      if (this.#listeners.size === 0) return;
      for (const { stream } of events) {
        const listeners = this.#listeners.get(stream.slice(stream.indexOf('-') + 1));
        for (const listener of listeners ?? []) listener();
      }
    });
  }

  /** Calls back at each change of the thing of this id; answers how to end it. */
  readonly listen = (id: string, listener: () => void): (() => void) => {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(id) === listeners) this.#listeners.delete(id);
    };
  };
}
