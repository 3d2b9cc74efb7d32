/**
 * A durable list of small records in one append-only file: what the fence and the fake engine
 * remember. Appends of one moment share a write and an fdatasync; the file is rewritten by rename.
 */
import { type JournalDisk, type JournalFile, machineDisk } from './journal-disk.ts';
import { readJournal, encodeLine } from './journal-format.ts';

export interface JournalOptions<R> {
  readonly file: string;
  /** What the file is of, e.g. `fence/1`; another kind is refused. */
  readonly kind: string;
  /** Reads one record back; throws on what it does not know. */
  readonly parse: (json: unknown) => R;
  /** What of a record goes into the file as JSON. Default: itself. */
  readonly encode?: (record: R) => unknown;
  /** The records that say the same as all so far: asked for when the file is rewritten. */
  readonly snapshot: () => Iterable<R>;
  /** The file is rewritten when it holds this much and twice its last rewritten size. */
  readonly compactBytes?: number;
  /** Called on the opened handle before use: lets a test break the disk. */
  readonly wrap?: (handle: JournalFile) => JournalFile;
  /** Where the file is. Default: the machine's disk. */
  readonly disk?: JournalDisk | undefined;
}

export interface Journal<R> {
  /** Resolves once the records are on the disk; rejects, and so does all after it, if they may not be. */
  append(...records: readonly R[]): Promise<void>;
  /** Resolves once all appended so far is on the disk. */
  flush(): Promise<void>;
  /** Waits for what was appended and lets the file go. */
  close(): Promise<void>;
}

const COMPACT_BYTES = 1024 * 1024;
/** Records per line of a rewritten file: keeps single lines small. */
const SNAPSHOT_BATCH = 500;

/** Opens the file, making it when absent; `replay` gets every record in the order of their appends. */
export async function openJournal<R>(
  options: JournalOptions<R>,
  replay: (record: R) => void,
): Promise<Journal<R>> {
  const { file, kind, parse, snapshot, disk = machineDisk } = options;
  const compactBytes = options.compactBytes ?? COMPACT_BYTES;
  const wrap = options.wrap ?? ((handle: JournalFile) => handle);
  const encode = options.encode ?? ((record: R) => record);
  const found = await readJournal(file, kind, disk);
  for (const record of found.records) replay(parse(record));
  // The torn tail goes away now: a later line behind it would read as damage in the middle.
  let current = found.bytes === 0 ? await rewrite([]) : await reopen(found.bytes);
  let size = current.bytes;
  let pending: { readonly records: readonly R[]; done(): void; failed(error: unknown): void }[] =
    [];
  let writing: Promise<void> | undefined;
  let broken: unknown;
  let closed = false;

  async function reopen(bytes: number): Promise<Generation> {
    return { handle: wrap(await disk.continue(file, bytes)), bytes };
  }

  async function rewrite(records: readonly R[]): Promise<Generation> {
    const { handle, bytes } = await writeWhole(disk, file, kind, records.map(encode));
    return { handle: wrap(handle), bytes };
  }

  function start(): void {
    // One turn later, so that appends of this turn share the write and `writing` is set by then.
    writing = Promise.resolve().then(drain);
  }

  async function drain(): Promise<void> {
    while (pending.length > 0) {
      const batch = pending;
      pending = [];
      try {
        if (broken !== undefined) throw new JournalBroken(file, broken);
        try {
          await write(batch.flatMap((one) => one.records));
        } catch (error) {
          // After a failed fdatasync the kernel may call the lost pages clean: no retry is safe.
          broken = error;
          throw new JournalBroken(file, error);
        }
        for (const one of batch) one.done();
      } catch (error) {
        for (const one of batch) one.failed(error);
      }
    }
    // In the same turn as the last look at `pending`: an append after it starts the next writer.
    writing = undefined;
  }

  async function write(records: readonly R[]): Promise<void> {
    if (records.length === 0) return;
    const line = encodeLine(records.map(encode));
    await current.handle.appendFile(line);
    await current.handle.datasync();
    size += line.length;
    if (size < compactBytes || size < 2 * current.bytes) return;
    // Records still pending may be in the snapshot already; replaying them again changes nothing.
    const old = current;
    current = await rewrite([...snapshot()]);
    size = current.bytes;
    await old.handle.close();
  }

  function append(...records: readonly R[]): Promise<void> {
    if (closed) return Promise.reject(new Error(`${file} is closed.`));
    return new Promise((done, failed) => {
      pending.push({ records, done, failed });
      if (writing === undefined) start();
    });
  }

  return {
    append,
    flush() {
      if (broken !== undefined) return Promise.reject(new JournalBroken(file, broken));
      return writing === undefined ? Promise.resolve() : append();
    },
    async close() {
      closed = true;
      await writing;
      await current.handle.close();
    },
  };
}

interface Generation {
  readonly handle: JournalFile;
  /** How long the file was when it was last made whole. */
  readonly bytes: number;
}

/** Makes the new file whole and durable beside the old one, then puts it in its place. */
async function writeWhole(
  disk: JournalDisk,
  file: string,
  kind: string,
  records: readonly unknown[],
): Promise<{ readonly handle: JournalFile; readonly bytes: number }> {
  const handle = await disk.create(`${file}.new`);
  let bytes = 0;
  const put = async (batch: readonly unknown[]): Promise<void> => {
    const line = encodeLine(batch);
    await handle.appendFile(line);
    bytes += line.length;
  };
  try {
    await put([{ journal: kind }]);
    for (let from = 0; from < records.length; from += SNAPSHOT_BATCH)
      await put(records.slice(from, from + SNAPSHOT_BATCH));
    await handle.datasync();
    await disk.replace(file, `${file}.new`);
  } catch (error) {
    await handle.close();
    throw error;
  }
  return { handle, bytes };
}

/** The disk failed under the journal; nothing more is accepted until it is opened again. */
export class JournalBroken extends Error {
  constructor(file: string, cause: unknown) {
    super(
      `Writing ${file} failed; what was not acknowledged may be lost. Check the disk and restart.`,
      {
        cause,
      },
    );
    this.name = 'JournalBroken';
  }
}
