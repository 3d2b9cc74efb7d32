/**
 * Streams that were deleted or truncated: what EventStoreDB keeps of it, in its way. A stream's settings
 * are the last event of `$$<stream>`; a soft delete sets `$tb` so high that nothing is left, and the next
 * append goes on numbering behind. A tombstone is an event of its own and is for ever.
 */
import { createHash } from 'node:crypto';
import type { NewEvent, StoredEvent } from '@bivouac/events/language';
import { z } from 'zod';
import {
  type AppendResult,
  type EventStore,
  EventStoreError,
  type ExpectedRevision,
} from '../../event-store/port.ts';
import { conflict } from '../../event-store/resend.ts';

/** Where the store keeps the tombstone of a stream; to clients it is the stream's last event. */
const TOMBSTONE = '$tombstone-';
/** The number of a tombstone, and the `$tb` of a stream that was soft-deleted. */
export const LAST_NUMBER = 2n ** 63n - 1n;

/** A stream is deleted for ever. */
export class Tombstoned extends Error {
  constructor(stream: string) {
    super(`Event stream '${stream}' is deleted.`);
    this.name = 'Tombstoned';
  }
}

interface Settings {
  readonly tombstoned: boolean;
  readonly truncateBefore: bigint;
  readonly maxCount: bigint | undefined;
}

/** Numbers of 19 digits are beyond what JSON numbers keep; rounded up they mean the same. */
const Metadata = z.looseObject({
  $tb: z.number().nonnegative().optional(),
  $maxCount: z.int().positive().optional(),
});

export class StreamStates {
  readonly #store: EventStore;
  readonly #known = new Map<string, Settings>();

  constructor(store: EventStore) {
    this.#store = store;
  }

  /**
   * The first revision that is still to be read; undefined where a soft delete left none.
   *
   * @throws Tombstoned
   */
  async firstOf(stream: string, head: bigint): Promise<bigint | undefined> {
    const { tombstoned, truncateBefore, maxCount } = await this.#settings(stream);
    if (tombstoned) throw new Tombstoned(stream);
    if (truncateBefore >= LAST_NUMBER) return undefined;
    const kept = maxCount === undefined ? 0n : head - maxCount + 1n;
    return kept > truncateBefore ? kept : truncateBefore;
  }

  /**
   * Appends; behind the events of a stream that was soft-deleted where none is expected.
   *
   * @throws Tombstoned, EventStoreError
   */
  async append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult> {
    const { tombstoned, truncateBefore } = await this.#settings(stream);
    if (tombstoned) throw new Tombstoned(stream);
    if (stream.startsWith('$$')) this.#known.delete(stream.slice(2));
    if (truncateBefore < LAST_NUMBER) return this.#store.append(stream, expected, events);
    const head = await this.#head(stream);
    try {
      if (expected !== head) return await this.#store.append(stream, expected, events);
    } catch (error) {
      const anew = expected === 'no-stream' && head !== 'no-stream';
      if (!anew || !(error instanceof EventStoreError) || error.code !== 'conflict') throw error;
    }
    const next = head === 'no-stream' ? 0n : head + 1n;
    await this.#set(stream, { $tb: Number(next) });
    return this.#store.append(stream, head, events);
  }

  /** Soft delete: nothing is left to read, numbers go on. */
  async delete(stream: string, expected: ExpectedRevision | 'any'): Promise<AppendResult> {
    await this.#expect(stream, expected);
    return this.#set(stream, { $tb: Number(LAST_NUMBER) });
  }

  async tombstone(stream: string, expected: ExpectedRevision | 'any'): Promise<AppendResult> {
    await this.#expect(stream, expected);
    const event = own(`tombstone ${stream}`, '$streamDeleted', {});
    const result = await this.#store.append(TOMBSTONE + stream, 'no-stream', [event]);
    this.#known.delete(stream);
    return result;
  }

  /** The revision that an append expects which expects any. */
  async headOf(stream: string): Promise<ExpectedRevision> {
    return this.#head(stream);
  }

  async #expect(stream: string, expected: ExpectedRevision | 'any'): Promise<void> {
    if ((await this.#settings(stream)).tombstoned) throw new Tombstoned(stream);
    const head = await this.#head(stream);
    if (expected !== 'any' && expected !== head) throw conflict(head);
  }

  async #set(stream: string, metadata: object): Promise<AppendResult> {
    const name = `$$${stream}`;
    const head = await this.#head(name);
    const event = own(`metadata ${stream} ${head}`, '$metadata', metadata);
    const result = await this.#store.append(name, head, [event]);
    this.#known.delete(stream);
    return result;
  }

  async #head(stream: string): Promise<ExpectedRevision> {
    const page = await this.#store.readStream(stream, { direction: 'backwards', limit: 1 });
    return page.exists ? page.head : 'no-stream';
  }

  async #settings(stream: string): Promise<Settings> {
    const known = this.#known.get(stream);
    if (known !== undefined) return known;
    const [page, tombstone] = await Promise.all([
      this.#store.readStream(`$$${stream}`, { direction: 'backwards', limit: 1 }),
      this.#store.readStream(TOMBSTONE + stream, { limit: 1 }),
    ]);
    const last = page.exists ? page.events[0] : undefined;
    const { $tb = 0, $maxCount } =
      last === undefined ? {} : Metadata.parse(JSON.parse(Buffer.from(last.data).toString()));
    const settings = {
      tombstoned: tombstone.exists,
      truncateBefore: BigInt($tb),
      maxCount: $maxCount === undefined ? undefined : BigInt($maxCount),
    };
    this.#known.set(stream, settings);
    return settings;
  }
}

/** An event of the store as clients know it: a tombstone is the last event of the stream that it ends. */
export function toldOf(event: StoredEvent): Pick<StoredEvent, 'stream' | 'revision'> {
  if (!event.stream.startsWith(TOMBSTONE)) return event;
  return { stream: event.stream.slice(TOMBSTONE.length), revision: LAST_NUMBER };
}

/** An event that a client or the server itself writes into its own streams, which have no envelope of ours. */
export function systemEvent(id: string, type: string, data: Uint8Array): NewEvent {
  return {
    ...{ id, type, data, schemaver: 1, time: new Date().toISOString() },
    ...{ tenantid: '$', homeid: '$', actorid: '', correlationid: '', causationid: '' },
    ...{ commandkey: id, inputhash: '' },
  };
}

function own(name: string, type: string, body: object): NewEvent {
  const hex = createHash('sha256').update(name).digest('hex');
  const id = hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5');
  return systemEvent(id, type, new Uint8Array(Buffer.from(JSON.stringify(body))));
}
