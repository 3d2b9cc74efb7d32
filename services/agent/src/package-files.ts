/**
 * Package files for a transaction: fetched from where the instruction says, each held against its
 * checksum, into a folder of their own that is gone afterwards.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

import type { PackageNameVersion } from '@bivouac/events/operations';
import { BaseUrlSchema } from '@bivouac/events/packages';

import { systemClock, type Clock } from './driver-clock.ts';
import { DriverError } from './driver.ts';
import { unreadable } from './system-code.ts';
import { nevra } from './transaction.ts';

export interface FetchedFiles {
  /** Where each file lies, by its checksum. */
  readonly paths: ReadonlyMap<string, string>;
  readonly dispose: () => Promise<void>;
}

export interface PackageFiles {
  /**
   * @param signal ends it, with the signal's reason; no file is left then.
   * @throws {DriverError} `package-unavailable`, naming the package; no file is left then.
   */
  fetch(packages: readonly PackageNameVersion[], signal: AbortSignal): Promise<FetchedFiles>;
}

/** No package that anybody installs in a container is larger. */
const MOST_BYTES = 1024 * 1024 * 1024;
/** For one file, in milliseconds. */
const PATIENCE = 300_000;
/** Waits before another try, in milliseconds: a mirror may be away for a moment. */
const TRIES = [500, 2_000, undefined] as const;
const REDIRECTS = 5;

export function webPackageFiles({
  clock = systemClock,
  mostBytes = MOST_BYTES,
}: { readonly clock?: Clock; readonly mostBytes?: number } = {}): PackageFiles {
  const fetchOne = async (
    wanted: PackageNameVersion,
    folder: string,
    signal: AbortSignal,
  ): Promise<[string, string]> => {
    const { url, checksum } = wanted;
    if (url === undefined || checksum === undefined)
      throw unavailable(wanted, 'the instruction does not say where it is');
    const path = join(folder, `${checksum}.rpm`);
    for (const wait of TRIES) {
      try {
        await download(new URL(url), path, { checksum, mostBytes, signal });
        return [checksum, path];
      } catch (error) {
        signal.throwIfAborted();
        const isLocal = url.startsWith('file:');
        if (wait === undefined || isLocal || error instanceof WrongFile)
          throw unavailable(wanted, whyOf(error), error);
        await clock.sleep(wait, signal);
      }
    }
    throw unavailable(wanted, 'it was not fetched');
  };
  return {
    async fetch(packages, signal) {
      const folder = await mkdtemp(join(tmpdir(), 'bivouac-packages-'));
      const dispose = (): Promise<void> => rm(folder, { recursive: true, force: true });
      try {
        const paths = new Map<string, string>();
        for (const wanted of packages) paths.set(...(await fetchOne(wanted, folder, signal)));
        return { paths, dispose };
      } catch (error) {
        await dispose();
        throw error;
      }
    },
  };
}

/** Why there is no file, in words that name no place. */
class NoFile extends Error {}

/** It came, and is not what was asked for: another try would bring the same. */
class WrongFile extends NoFile {}

async function download(
  url: URL,
  path: string,
  options: {
    readonly checksum: string;
    readonly mostBytes: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { checksum, mostBytes } = options;
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(PATIENCE)]);
  const hash = createHash('sha256');
  let bytes = 0;
  const counted = new Transform({
    transform(part: Buffer, _encoding, done) {
      bytes += part.length;
      hash.update(part);
      if (bytes > mostBytes) done(new WrongFile(`it is longer than ${mostBytes} bytes`));
      else done(null, part);
    },
  });
  const content =
    url.protocol === 'file:'
      ? createReadStream(fileURLToPath(url))
      : await get(url, signal, REDIRECTS);
  await pipeline(content, counted, createWriteStream(path), { signal });
  const found = hash.digest('hex');
  if (found !== checksum) throw new WrongFile(`its SHA-256 is ${found}, not ${checksum}`);
}

async function get(url: URL, signal: AbortSignal, redirects: number): Promise<Readable> {
  // Where a repository could not be registered, no package is fetched from either.
  if (!BaseUrlSchema.safeParse(url.origin).success)
    throw new WrongFile('it is said to be at a place that is not fetched from');
  const response = await fetch(url, { signal, redirect: 'manual' });
  const location = response.headers.get('location');
  if (response.status >= 300 && response.status < 400 && location !== null && redirects > 0) {
    await response.body?.cancel();
    return get(new URL(location, url), signal, redirects - 1);
  }
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new NoFile(`the server says ${response.status}`);
  }
  return Readable.from(response.body as AsyncIterable<Uint8Array>);
}

function unavailable(wanted: PackageNameVersion, why: string, cause?: unknown): DriverError {
  return new DriverError('package-unavailable', `${nevra(wanted)} cannot be had: ${why}.`, {
    cause,
  });
}

function whyOf(error: unknown): string {
  return error instanceof NoFile ? error.message : unreadable(error);
}
