/**
 * Bodies this process has validated and written, until they come back with the log: they need no
 * second check. Only the same bytes of the same event pass for them.
 */
import type { StoredEvent, Uuid } from './envelope.ts';

/** Bodies on their way at most; beyond it all are forgotten, and then checked when they come. */
const KEPT = 4096;

interface Written {
  readonly type: string;
  readonly data: Uint8Array;
}

export class WrittenBodies {
  readonly #byId = new Map<Uuid, Written>();

  note(id: Uuid, type: string, data: Uint8Array): void {
    if (this.#byId.size >= KEPT) this.#byId.clear();
    this.#byId.set(id, { type, data });
  }

  /** Whether the body was written here; it is forgotten with the answer. */
  take({ id, type, data }: Pick<StoredEvent, 'id' | 'type' | 'data'>): boolean {
    const written = this.#byId.get(id);
    if (written === undefined) return false;
    this.#byId.delete(id);
    return written.type === type && Buffer.compare(written.data, data) === 0;
  }
}
