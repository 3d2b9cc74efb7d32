/**
 * The agent's samples on its disk: one file a day, kept for two billing periods, so that whoever
 * doubts a report can add it up again and compare the digest. Each file begins with the meter's
 * state; a sample counts once it is durable, so a kill between any two lines loses none that did.
 */
import { mkdir, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

import { MOST_IN_PART } from '@bivouac/events/node';

import { openJournal, type Journal } from '../fence/journal.ts';
import { readJournal } from '../fence/journal-format.ts';
import { emptyMeter, finalHours, isNews, type MeterState, takeSample } from './meter.ts';
import { encodeSample, type Sample, SampleSchema } from './sample.ts';
import { restoredState, StateSchema, storedState } from './state.ts';

const KIND = 'usage-samples/1';
/** Two months, however long. */
const KEPT_DAYS = 62;
const DAY = 86_400_000;

/** Bytes at which a file would be rewritten, which would lose its samples: never. */
const NEVER = Number.MAX_SAFE_INTEGER;

const PartSchema = z.object({ hour: z.number(), part: z.number() });

const RecordSchema = z.union([
  z.object({
    meterId: z.string(),
    state: StateSchema,
    noted: z.array(PartSchema),
  }),
  z.object({ sample: SampleSchema }),
  z.object({ noted: PartSchema }),
]);
type Entry =
  | { readonly meterId: string; readonly state: MeterState; readonly noted: readonly Part[] }
  | { readonly sample: Sample }
  | { readonly noted: Part };

/** A part of an hour's report. `hour` is its beginning, in milliseconds since 1970. */
export type Part = z.output<typeof PartSchema>;

export interface SampleStore {
  /** Another one where earlier samples were lost. */
  readonly meterId: string;
  readonly state: MeterState;
  /** Keeps a sample and then takes it in; one that says nothing new is neither. */
  take(sample: Sample): Promise<void>;
  /** A part of a report need not be sent again. */
  note(part: Part): Promise<void>;
  /** Parts of final hours that are not noted, oldest first. */
  unnoted(): readonly Part[];
  close(): Promise<void>;
}

export interface SampleStoreOptions {
  readonly folder: string;
  /** Makes the id of a meter that begins here. */
  readonly newId: () => string;
}

/** Opens the samples of one node; with none there, an empty meter. */
export async function openSamples(options: SampleStoreOptions): Promise<SampleStore> {
  const { folder } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  let meterId = '';
  let state = emptyMeter();
  const noted = new Map<number, Set<number>>();
  let file: { readonly day: string; readonly journal: Journal<Entry> } | undefined;

  function fold(entry: Entry): void {
    if ('state' in entry) {
      meterId = entry.meterId;
      state = restoredState(storedState(entry.state));
      noted.clear();
      for (const part of entry.noted) notedParts(part.hour).add(part.part);
    } else if ('sample' in entry) takeSample(state, entry.sample);
    else notedParts(entry.noted.hour).add(entry.noted.part);
    for (const hour of finalHours(state)) {
      if ((noted.get(hour)?.size ?? 0) < partsOf(state, hour)) continue;
      state.hours.delete(hour);
      noted.delete(hour);
    }
  }

  function notedParts(hour: number): Set<number> {
    const parts = noted.get(hour) ?? new Set();
    noted.set(hour, parts);
    return parts;
  }

  function beginning(): Entry {
    const parts = [...noted].flatMap(([hour, set]) => [...set].map((part) => ({ hour, part })));
    return { meterId, state, noted: parts };
  }

  async function open(day: string): Promise<Journal<Entry>> {
    return openJournal<Entry>(
      {
        file: join(folder, fileOf(day)),
        kind: KIND,
        parse: parseEntry,
        encode: encodeEntry,
        snapshot: () => [beginning()],
        compactBytes: NEVER,
      },
      fold,
    );
  }

  const days = await daysFromLastState(folder);
  for (const day of days) {
    const journal = await open(day);
    if (day === days.at(-1)) file = { day, journal };
    else await journal.close();
  }
  if (meterId === '') meterId = options.newId();

  /** The file of the day, begun where it is not there yet. */
  async function fileFor(at: number): Promise<Journal<Entry>> {
    const day = new Date(at).toISOString().slice(0, 10);
    if (file !== undefined && file.day >= day) return file.journal;
    const journal = await open(day);
    await journal.append(beginning());
    const before = file;
    file = { day, journal };
    await before?.journal.close();
    const oldest = new Date(at - KEPT_DAYS * DAY).toISOString().slice(0, 10);
    for (const old of await daysOf(folder))
      if (old < oldest) await unlink(join(folder, fileOf(old)));
    return journal;
  }

  return {
    get meterId() {
      return meterId;
    },
    get state() {
      return state;
    },
    async take(sample) {
      if (!isNews(state, sample)) return;
      const journal = await fileFor(sample.at);
      await journal.append({ sample });
      fold({ sample });
    },
    async note(part) {
      if (!state.hours.has(part.hour)) return;
      fold({ noted: part });
      // Lost, the part is sent once more and noted again.
      await file?.journal.append({ noted: part });
    },
    unnoted: () =>
      finalHours(state).flatMap((hour) =>
        Array.from({ length: partsOf(state, hour) }, (_, part) => ({ hour, part })).filter(
          ({ part }) => noted.get(hour)?.has(part) !== true,
        ),
      ),
    close: async () => {
      await file?.journal.close();
    },
  };
}

/** How many parts an hour's report has; none where nothing was there. */
export function partsOf(state: MeterState, hour: number): number {
  return Math.ceil((state.hours.get(hour)?.uses.size ?? 0) / MOST_IN_PART);
}

/** Sets the files aside, so that counting begins anew: what they held and did not report is a gap. */
export async function setAside(folder: string): Promise<void> {
  for (const day of await daysOf(folder))
    await rename(join(folder, fileOf(day)), join(folder, `${fileOf(day)}.aside`));
}

/**
 * The files to be read: a file begins with all that those before it said, unless it was begun by a
 * process that was killed then.
 */
async function daysFromLastState(folder: string): Promise<readonly string[]> {
  const days = await daysOf(folder);
  for (const [index, day] of [...days.entries()].reverse()) {
    const { records } = await readJournal(join(folder, fileOf(day)), KIND);
    if (z.object({ state: z.unknown() }).safeParse(records[0]).success) return days.slice(index);
  }
  return days;
}

async function daysOf(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder);
  return names
    .flatMap((name) => /^samples-(\d{4}-\d\d-\d\d)\.journal$/.exec(name)?.[1] ?? [])
    .sort();
}

function fileOf(day: string): string {
  return `samples-${day}.journal`;
}

function parseEntry(json: unknown): Entry {
  const entry = RecordSchema.parse(json);
  return 'state' in entry ? { ...entry, state: restoredState(storedOf(json)) } : entry;
}

function storedOf(json: unknown): unknown {
  return z.object({ state: z.unknown() }).parse(json).state;
}

function encodeEntry(entry: Entry): unknown {
  if ('state' in entry) return { ...entry, state: storedState(entry.state) };
  return 'sample' in entry ? { sample: encodeSample(entry.sample) } : entry;
}
