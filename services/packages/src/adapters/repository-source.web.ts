/**
 * Repositories on web servers and in local folders. A redirect is followed only to where a repository
 * could be registered; what does not come in time, or is too long, is left.
 */
import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { BaseUrlSchema } from '@bivouac/events/packages';

import { RepodataError } from '../repodata/repodata-error.ts';
import type { RepositorySource } from './repository-source.ts';

/** For a whole file, in milliseconds. */
const PATIENCE = 60_000;
const REDIRECTS = 5;

export function webSource(patience = PATIENCE): RepositorySource {
  return {
    read: (baseUrl, path, mostBytes) => {
      const url = new URL(path, baseUrl);
      return url.protocol === 'file:'
        ? readLocal(url, mostBytes)
        : download(url, mostBytes, AbortSignal.timeout(patience), REDIRECTS);
    },
  };
}

async function readLocal(url: URL, mostBytes: number): Promise<Uint8Array> {
  try {
    const file = fileURLToPath(url);
    const { size } = await stat(file);
    if (size > mostBytes) throw tooLarge(url, mostBytes);
    return await readFile(file);
  } catch (error) {
    throw error instanceof RepodataError ? error : unreachable(url, String(error), error);
  }
}

async function download(
  url: URL,
  mostBytes: number,
  signal: AbortSignal,
  redirects: number,
): Promise<Uint8Array> {
  try {
    const response = await fetch(url, { signal, redirect: 'manual' });
    const location = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && location !== null) {
      await response.body?.cancel();
      const next = new URL(location, url);
      if (redirects === 0 || !BaseUrlSchema.safeParse(next.origin).success)
        throw unreachable(url, `it sends on to ${next.origin}, which is not followed`);
      return await download(next, mostBytes, signal, redirects - 1);
    }
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw unreachable(url, `the server answers ${response.status}`);
    }
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of response.body as AsyncIterable<Uint8Array>) {
      bytes += part.length;
      if (bytes > mostBytes) throw tooLarge(url, mostBytes);
      parts.push(part);
    }
    return Buffer.concat(parts);
  } catch (error) {
    if (error instanceof RepodataError) throw error;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw unreachable(url, String(cause), error);
  }
}

function unreachable(url: URL, why: string, cause?: unknown): RepodataError {
  return new RepodataError(
    'REPOSITORY_UNREACHABLE',
    `${url.href} cannot be read: ${why}. See that it is there, then send the same again.`,
    { cause },
  );
}

function tooLarge(url: URL, mostBytes: number): RepodataError {
  return new RepodataError(
    'REPODATA_TOO_LARGE',
    `${url.href} is longer than ${mostBytes} bytes; split the repository.`,
  );
}
