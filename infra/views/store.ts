/**
 * A view store: the tables of one service's read model with the checkpoint they are of. Disposable:
 * whatever is lost here is replayed from the log. `sqlite.ts` and `memory.ts` are its engines.
 */
import type { Checkpoint } from '../event-store/port.ts';
import type { Dump, DumpedRow } from './dump.ts';
import type { Table, View, WritableView } from './port.ts';

/** What a read model consists of. Another one than the stored leads to a reset. */
export interface ViewSchema {
  readonly tables: readonly Table[];
  /** Changes whenever the projections' code may put other rows. */
  readonly version: string;
}

export interface ViewStore {
  /** Sees everything put so far. Stays the same object across resets and successions. */
  readonly view: View;

  /**
   * Runs `fn` on the tables; what it puts belongs to the checkpoint. Where it throws, the store falls
   * back to its last commit, rows and checkpoint together, and the error goes on to the caller.
   *
   * @throws Error where the checkpoint is not beyond the present one: an event would apply twice.
   */
  apply(checkpoint: Checkpoint, fn: (view: WritableView) => void): void;

  /** Of the last `apply`. Undefined: nothing was applied since the beginning. */
  checkpoint(): Checkpoint | undefined;

  /** Makes rows and checkpoint durable together. Cheap where nothing was applied. */
  commit(): void;

  /** Drops all rows and the checkpoint. */
  reset(): void;

  /** The canonical dump: equal for equal rows, whatever the engine and the history of writes. */
  dump(): Dump;

  /** What {@link dump} hashes, to find where two of them differ. Not while writing. */
  rows(): Iterable<DumpedRow>;

  /** An empty store of the same schema, to rebuild into while this one goes on answering. */
  successor(): ViewStore;

  /** Takes over all that a successor holds, at once, and commits. The successor is closed by it. */
  succeed(successor: ViewStore): void;

  /** Frees the files. What was not committed is dropped, as a crash would. Safe to call twice. */
  close(): void;
}

/** Refuses what would apply an event twice: law "nobody skips", seen from the rows. */
export function checkAdvance(present: Checkpoint | undefined, next: Checkpoint): void {
  if (present !== undefined && next.position <= present.position) {
    throw new Error(
      `the view is at ${present.position} and cannot apply ${next.position}: each event applies once, in order`,
    );
  }
}

/** The error of a store used after it was closed. */
export function closedError(): Error {
  return new Error('the view store is closed');
}
