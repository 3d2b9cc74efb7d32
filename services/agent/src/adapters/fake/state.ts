/** What a fake node remembers: images and instances, kept in a journal in the node's folder. */
import { join } from 'node:path';
import { z } from 'zod';
import { type JournalDisk, machineDisk } from '../../fence/journal-disk.ts';
import { openJournal } from '../../fence/journal.ts';

const Bytes = z.codec(z.string().regex(/^\d+$/), z.bigint(), {
  decode: (text) => BigInt(text),
  encode: (bytes) => bytes.toString(),
});

const Instance = z.object({
  containerId: z.string(),
  generation: z.number(),
  state: z.enum(['stopped', 'running', 'frozen']),
  digest: z.string(),
  limits: z.object({
    cpuMillis: z.number(),
    memoryBytes: Bytes,
    diskBytes: Bytes,
    processes: z.number(),
    cpuUnits: z.number(),
  }),
  network: z.object({
    hostname: z.string(),
    addresses: z.array(z.object({ address: z.string(), family: z.enum(['ipv4', 'ipv6']) })),
  }),
  /** Once a transaction has changed them; until then they are its image's. */
  packages: z
    .array(
      z.object({
        name: z.string(),
        epoch: z.number(),
        version: z.string(),
        release: z.string(),
        arch: z.string(),
      }),
    )
    .optional(),
  /** What its counters go by: absent before it was started first. */
  meter: z
    .object({
      /** Raised by each start: counters begin again. */
      boot: z.number(),
      /** Milliseconds that it has run since then, up to `since`. */
      ranMs: z.number(),
      /** Runs since, in milliseconds since 1970; null while it does not. */
      since: z.number().nullable(),
    })
    .optional(),
});
export type FakeInstance = Readonly<z.output<typeof Instance>>;

const Change = z.union([
  z.object({ put: Instance }),
  z.object({ gone: z.string() }),
  z.object({ image: z.string() }),
  z.object({ boot: z.number() }),
]);
type Change = z.output<typeof Change>;

/** A change is seen by the next call at once; it has happened when its promise resolves. */
export interface FakeState {
  /** Which time this node was opened, from 1. */
  readonly boot: number;
  readonly instances: ReadonlyMap<string, FakeInstance>;
  readonly images: ReadonlySet<string>;
  put(instance: FakeInstance): Promise<void>;
  remove(containerId: string): Promise<void>;
  addImage(digest: string): Promise<void>;
  /** Resolves once every change so far has happened. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export async function openFakeState(
  folder: string,
  disk: JournalDisk = machineDisk,
): Promise<FakeState> {
  const instances = new Map<string, FakeInstance>();
  const images = new Set<string>();
  let boot = 0;
  await disk.mkdir(folder);
  const journal = await openJournal<Change>(
    {
      file: join(folder, 'node.journal'),
      kind: 'fake-node/1',
      disk,
      parse: (json) => Change.parse(json),
      encode: (change) => z.encode(Change, change),
      *snapshot() {
        yield { boot };
        for (const digest of images) yield { image: digest };
        for (const instance of instances.values()) yield { put: instance };
      },
    },
    (change) => {
      if ('put' in change) instances.set(change.put.containerId, change.put);
      else if ('gone' in change) instances.delete(change.gone);
      else if ('image' in change) images.add(change.image);
      else boot = change.boot;
    },
  );
  boot += 1;
  await journal.append({ boot });

  return {
    boot,
    instances,
    images,
    put(instance) {
      instances.set(instance.containerId, instance);
      return journal.append({ put: instance });
    },
    remove(containerId) {
      instances.delete(containerId);
      return journal.append({ gone: containerId });
    },
    addImage(digest) {
      images.add(digest);
      return journal.append({ image: digest });
    },
    settled: () => journal.flush(),
    close: () => journal.close(),
  };
}
