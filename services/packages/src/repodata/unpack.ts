/** What a metadata file holds: unpacked by its name's ending, piece by piece, bounded. */
import { createGunzip } from 'node:zlib';

import { Decompress } from 'fzstd';

import { RepodataError } from './repodata-error.ts';

/** Bytes handed to a decompressor at once: pieces come out between which others get a turn. */
const PIECE = 64 * 1024;

/** @throws {RepodataError} where it cannot be unpacked, or would be longer than `mostBytes`. */
export async function* unpacked(
  file: string,
  content: Uint8Array,
  mostBytes: number,
): AsyncIterable<Uint8Array> {
  let bytes = 0;
  for await (const piece of unpackedBy(file, content)) {
    bytes += piece.length;
    if (bytes > mostBytes)
      throw new RepodataError(
        'REPODATA_TOO_LARGE',
        `${file} holds more than ${mostBytes} bytes; split the repository.`,
      );
    yield piece;
  }
}

function unpackedBy(file: string, content: Uint8Array): AsyncIterable<Uint8Array> {
  if (file.endsWith('.gz')) return gunzipped(file, content);
  if (file.endsWith('.zst')) return unzstd(file, content);
  if (file.endsWith('.xml')) return pieces(content);
  throw new RepodataError(
    'REPODATA_UNSUPPORTED',
    `${file}: of compressions gzip and zstd are read; make it with createrepo_c --general-compress-type gz.`,
  );
}

async function* gunzipped(file: string, content: Uint8Array): AsyncIterable<Uint8Array> {
  const gunzip = createGunzip();
  gunzip.end(content);
  try {
    for await (const piece of gunzip as AsyncIterable<Uint8Array>) yield piece;
  } catch (cause) {
    throw broken(file, cause);
  }
}

async function* unzstd(file: string, content: Uint8Array): AsyncIterable<Uint8Array> {
  const out: Uint8Array[] = [];
  const stream = new Decompress((piece) => {
    out.push(piece);
  });
  for (let at = 0; at < content.length; at += PIECE) {
    try {
      stream.push(content.subarray(at, at + PIECE), at + PIECE >= content.length);
    } catch (cause) {
      throw broken(file, cause);
    }
    yield* out.splice(0);
    await turn();
  }
}

async function* pieces(content: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < content.length; at += PIECE) {
    yield content.subarray(at, at + PIECE);
    await turn();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function broken(file: string, cause: unknown): RepodataError {
  return new RepodataError(
    'REPODATA_CORRUPT',
    `${file} cannot be unpacked (${String(cause)}); make it anew.`,
    { cause },
  );
}
