/**
 * Where the snapshots of streams are kept: bytes by stream, of this process alone. They may be lost,
 * cut short or of another log at any moment; whoever reads one finds that out.
 */
export interface SnapshotFiles {
  /** Whether there may be one. Answers at once: most streams have none. */
  has(stream: string): boolean;
  /** The bytes written last, or undefined where there are none (any more). */
  read(stream: string): Promise<Uint8Array | undefined>;
  /** Replaces them. One write of a stream at a time. */
  write(stream: string, bytes: Uint8Array): Promise<void>;
  remove(stream: string): Promise<void>;
}

/** Snapshots that end with the process: for tests. */
export function memorySnapshots(): SnapshotFiles {
  const kept = new Map<string, Uint8Array>();
  return {
    has: (stream) => kept.has(stream),
    read: (stream) => Promise.resolve(kept.get(stream)),
    write: (stream, bytes) => {
      kept.set(stream, Uint8Array.from(bytes));
      return Promise.resolve();
    },
    remove: (stream) => {
      kept.delete(stream);
      return Promise.resolve();
    },
  };
}
