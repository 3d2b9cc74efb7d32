/**
 * A snapshot as bytes: a header that says of which stream, fold and log it is, and the folded state
 * in V8's own form, which keeps maps, sets, bigints and typed arrays. A checksum comes before both, so
 * that nothing but what was written here is ever handed to V8.
 */
import { createHash } from 'node:crypto';
import { Deserializer, Serializer } from 'node:v8';
import { z } from 'zod';

import type { Folded } from '../loaded-stream.ts';

const MAGIC = Buffer.from('bvsnap1\n');
const CHECKSUM_BYTES = 32;
const START = MAGIC.length + CHECKSUM_BYTES + 4;

const HeaderSchema = z.strictObject({
  stream: z.string(),
  /** What the state was folded by; see `foldOf`. */
  fold: z.string(),
  /** The last event folded: a decimal revision, and where and which it is, as in a checkpoint. */
  revision: z.string().regex(/^\d+$/),
  epoch: z.string(),
  position: z.string(),
  eventId: z.string(),
});
export type SnapshotHeader = z.output<typeof HeaderSchema>;

const FoldedSchema = z.strictObject({
  state: z.unknown(),
  revision: z.bigint(),
  tenantId: z.string(),
  homeId: z.string(),
  lastTime: z.string(),
  memory: z.strictObject({
    // Long, and made here: the checksum says that they are as they were written.
    keys: z.custom<readonly string[]>(Array.isArray),
    inputHashes: z.custom<readonly string[]>(Array.isArray),
    times: z.custom<readonly string[]>(Array.isArray),
    firsts: z.custom<readonly bigint[]>(Array.isArray),
    counts: z.custom<readonly number[]>(Array.isArray),
  }),
});

/** Throws where the state holds what cannot be copied, such as a function. */
export function bytesOf(folded: Folded): Uint8Array {
  // Not DefaultSerializer: what that reads back are views of the whole file, kept alive by each.
  const serializer = new Serializer();
  serializer.writeHeader();
  serializer.writeValue(folded);
  return serializer.releaseBuffer();
}

/** The file: checksum, header, state. */
export function sealed(header: SnapshotHeader, folded: Uint8Array): Uint8Array {
  const head = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  const checksum = createHash('sha256').update(length).update(head).update(folded).digest();
  return Buffer.concat([MAGIC, checksum, length, head, folded]);
}

/** What a file holds, or undefined where it is not whole or not of this format. */
export function opened(
  file: Uint8Array,
): { readonly header: SnapshotHeader; readonly folded: () => Folded } | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.length < START || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const checksum = bytes.subarray(MAGIC.length, MAGIC.length + CHECKSUM_BYTES);
  const rest = bytes.subarray(MAGIC.length + CHECKSUM_BYTES);
  if (!createHash('sha256').update(rest).digest().equals(checksum)) return undefined;
  const body = START + bytes.readUInt32LE(START - 4);
  const header = HeaderSchema.parse(JSON.parse(bytes.toString('utf8', START, body)));
  return {
    header,
    folded: () => {
      const deserializer = new Deserializer(bytes.subarray(body));
      deserializer.readHeader();
      return FoldedSchema.parse(deserializer.readValue());
    },
  };
}
