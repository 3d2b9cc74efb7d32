/** A mirror in memory for tests: files by path, each read counted, and any of them replaced. */
import { readdirSync, readFileSync } from 'node:fs';

import type { RepositorySource } from './adapters/repository-source.ts';
import { RepodataError } from './repodata/repodata-error.ts';

const folder = new URL('./sample-repository/', import.meta.url);

/** The base of the checked-in repository, as it would be registered. */
export const sampleBase = folder.href;

/** The files of the checked-in repository. */
export function sampleFiles(): Map<string, Uint8Array> {
  return new Map(
    readdirSync(new URL('repodata', folder)).map((name) => [
      `repodata/${name}`,
      readFileSync(new URL(`repodata/${name}`, folder)),
    ]),
  );
}

/** Answers from the files given; also to what is changed in them later. */
export function memorySource(files: ReadonlyMap<string, Uint8Array>): RepositorySource {
  return {
    read: (_baseUrl, path, mostBytes) => {
      const content = files.get(path);
      if (content === undefined)
        return Promise.reject(new RepodataError('REPOSITORY_UNREACHABLE', `${path}: it is away`));
      if (content.length > mostBytes)
        return Promise.reject(new RepodataError('REPODATA_TOO_LARGE', `${path}: too long`));
      return Promise.resolve(content);
    },
  };
}
