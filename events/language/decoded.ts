/**
 * The events decoded last. The read models and every service's reactions see the same event within
 * moments of each other; it is decoded and checked once for all of them.
 */
import type { StoredEvent } from './envelope.ts';
import type { Recorded } from './event.ts';

/** Events that stay decoded at least; at most twice as many do. */
const KEPT = 1024;

/** A body that is a view of more than this is copied: else it would keep a store's whole page. */
const LARGEST_PAGE = 16 * 1024;

interface Entry {
  readonly bytes: Uint8Array;
  readonly recorded: Recorded;
}

export class DecodedEvents {
  // Two generations forget what is old without a list to keep: deleting from a Map's front is slow.
  #young = new Map<string, Entry>();
  #old = new Map<string, Entry>();

  /** The decoded event, if it was this one to the last byte: ids of another log prove nothing. */
  recall(event: StoredEvent): Recorded | undefined {
    const known = this.#young.get(event.id) ?? this.#old.get(event.id);
    if (known === undefined) return undefined;
    const { recorded, bytes } = known;
    const same =
      recorded.position === event.position &&
      recorded.epoch === event.epoch &&
      recorded.stream === event.stream &&
      recorded.type === event.type &&
      recorded.schemaver === event.schemaver &&
      (bytes === event.data || Buffer.compare(bytes, event.data) === 0);
    return same ? recorded : undefined;
  }

  /** @param bytes the body as it was stored. */
  remember(recorded: Recorded, bytes: Uint8Array): void {
    if (this.#young.size >= KEPT) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    const own = bytes.buffer.byteLength > LARGEST_PAGE ? Buffer.from(bytes) : bytes;
    this.#young.set(recorded.id, { recorded, bytes: own });
  }
}
