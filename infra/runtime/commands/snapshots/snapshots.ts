/**
 * Local snapshots of long streams: a state as of a revision, so that a stream is folded from its
 * beginning once, not once per process. Disposable: whatever is wrong with one, it is dropped and the
 * stream is read from its beginning.
 */
import { createHash } from 'node:crypto';

import type { EventStore } from '../../../event-store/port.ts';
import type { Aggregate } from '../../definitions.ts';
import type { Logger } from '../../logging.ts';
import type { LoadedStream } from '../loaded-stream.ts';
import { bytesOf, opened, sealed } from './format.ts';
import type { SnapshotFiles } from './port.ts';

/** Fewest events between two snapshots of a stream. */
const EVERY = 500;
/**
 * And at least one event for so many bytes of the last one: writing a large state costs what folding
 * a few thousand events does, and must stay rare beside it.
 */
const BYTES_PER_EVENT = 1000;

export interface StreamSnapshotsOptions {
  readonly files: SnapshotFiles;
  readonly store: EventStore;
  readonly logger: Logger;
  /** Fewest events between two snapshots of a stream. */
  readonly every?: number;
}

export class StreamSnapshots {
  readonly #options: StreamSnapshotsOptions;
  readonly #every: bigint;
  /** How far the last snapshot of a loaded stream goes, and its size. */
  readonly #covered = new WeakMap<
    LoadedStream,
    { readonly next: bigint; readonly bytes: number }
  >();
  readonly #writing = new Map<string, Promise<void>>();
  readonly #folds = new WeakMap<Aggregate, string>();
  /** Categories whose states cannot be written down. */
  readonly #unable = new Set<string>();

  constructor(options: StreamSnapshotsOptions) {
    this.#options = options;
    this.#every = BigInt(options.every ?? EVERY);
  }

  /** Whether {@link StreamSnapshots.restore} has something to look at. */
  has(stream: string): boolean {
    return this.#options.files.has(stream);
  }

  /**
   * Brings a stream that has folded nothing yet to its snapshot, if there is one of this fold and this
   * log. Throws only where the log cannot be read.
   */
  async restore(loaded: LoadedStream, aggregate: Aggregate): Promise<void> {
    const { store } = this.#options;
    const { stream } = loaded;
    const file = await this.#read(stream);
    if (file === undefined) return;
    const snapshot = readable(file);
    if (snapshot === undefined) {
      await this.#drop(stream, 'it is damaged');
      return;
    }
    const { header } = snapshot;
    if (header.stream !== stream || header.fold !== this.#foldOf(aggregate)) {
      await this.#drop(stream, 'it is of another stream or of another version of its fold');
      return;
    }
    const revision = BigInt(header.revision);
    const page = await store.readStream(stream, { from: revision, limit: 1 });
    const [event] = page.exists ? page.events : [];
    if (
      event?.revision !== revision ||
      event.id !== header.eventId ||
      event.position !== header.position ||
      event.epoch !== header.epoch
    ) {
      await this.#drop(stream, 'it is of another log, or the log ends before it');
      return;
    }
    const folded = snapshot.folded();
    if (folded?.revision !== revision) {
      await this.#drop(stream, 'its state cannot be read');
      return;
    }
    loaded.resume(folded, event);
    this.#covered.set(loaded, { next: revision + 1n, bytes: file.length });
  }

  /** Writes a snapshot if one is due. To be called between two batches: the state is in the log. */
  note(loaded: LoadedStream, aggregate: Aggregate): void {
    const { revision, lastPosition, lastId, stream } = loaded;
    if (revision === undefined || revision + 1n < this.#every || lastPosition === '') return;
    const { next, bytes } = this.#covered.get(loaded) ?? { next: 0n, bytes: 0 };
    const since = revision + 1n - next;
    if (since < this.#every || since * BigInt(BYTES_PER_EVENT) < BigInt(bytes)) return;
    if (this.#writing.has(stream) || this.#unable.has(aggregate.category)) return;
    let state: Uint8Array;
    try {
      state = bytesOf(loaded.folded());
    } catch (error) {
      this.#unable.add(aggregate.category);
      this.#options.logger.error(
        { category: aggregate.category, error: String(error) },
        'states of this kind cannot be written down: no snapshots of them',
      );
      return;
    }
    this.#covered.set(loaded, { next: revision + 1n, bytes: state.length });
    const header = { stream, fold: this.#foldOf(aggregate), revision: revision.toString() };
    const writing = this.#write({ ...header, position: lastPosition, eventId: lastId }, state);
    this.#writing.set(
      stream,
      writing.finally(() => this.#writing.delete(stream)),
    );
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    await Promise.all([...this.#writing.values()]);
  }

  async #write(
    header: Omit<Parameters<typeof sealed>[0], 'epoch'>,
    state: Uint8Array,
  ): Promise<void> {
    const { store, files, logger } = this.#options;
    try {
      const { epoch } = await store.head();
      await files.write(header.stream, sealed({ ...header, epoch }, state));
    } catch (error) {
      logger.warn({ stream: header.stream, error: String(error) }, 'a snapshot was not written');
    }
  }

  async #read(stream: string): Promise<Uint8Array | undefined> {
    const { files, logger } = this.#options;
    try {
      return await files.read(stream);
    } catch (error) {
      logger.warn({ stream, error: String(error) }, 'a snapshot could not be read');
      return undefined;
    }
  }

  async #drop(stream: string, reason: string): Promise<void> {
    const { files, logger } = this.#options;
    logger.warn(
      { stream, reason },
      'a snapshot was dropped; the stream is read from its beginning',
    );
    await files.remove(stream).catch((error: unknown) => {
      logger.warn({ stream, error: String(error) }, 'a snapshot could not be removed');
    });
  }

  #foldOf(aggregate: Aggregate): string {
    let fold = this.#folds.get(aggregate);
    if (fold === undefined) this.#folds.set(aggregate, (fold = foldOf(aggregate)));
    return fold;
  }
}

/**
 * What a state was folded by: the declared version, the events with their newest versions, and the
 * text of the fold. What the fold imports is covered by the declared version alone.
 */
export function foldOf(aggregate: Aggregate): string {
  const { category, version = 1, events } = aggregate;
  const hash = createHash('sha256').update(`${category} ${version}\n`);
  for (const part of ['initial', 'evolve'] as const) {
    hash.update(`${textOf(aggregate, part)}\n`);
  }
  const types = events.map((definition) => `${definition.type} ${definition.version}\n`);
  for (const type of types.sort()) hash.update(type);
  return hash.digest('hex');
}

function textOf(holder: object, name: string): string {
  return String(Reflect.get(holder, name));
}

/** What can be read of a file; its state on demand. */
function readable(file: Uint8Array) {
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch {
      return undefined;
    }
  };
  const snapshot = attempt(() => opened(file));
  if (snapshot === undefined) return undefined;
  return { header: snapshot.header, folded: () => attempt(snapshot.folded) };
}
