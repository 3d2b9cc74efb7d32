/** Commands on repositories. Reading one happens before deciding: whole, or not at all. */
import { is } from '@bivouac/events/language';
import { RepositorySnapshotRecorded } from '@bivouac/events/packages';
import { deriveId } from '@bivouac/events/values';
import { type CommandHandler, type EdgePorts, handler } from '@bivouac/infra/runtime';

import type { RepositorySource } from '../adapters/repository-source.ts';
import { repository } from '../aggregates.ts';
import {
  DisableRepository,
  EnableRepository,
  RegisterRepository,
  SyncRepository,
} from '../api/index.ts';
import {
  disableRepository,
  enableRepository,
  type Reading,
  recordSnapshot,
  registerRepository,
  type RepositoryState,
  repositoryStream,
} from '../domain/repository.ts';
import { readRepository } from '../repodata/read-repository.ts';
import { RepodataError } from '../repodata/repodata-error.ts';
import { storeSnapshot } from '../snapshots.ts';

/** Two are not read at once: each takes much memory while it is. */
let reading: Promise<unknown> = Promise.resolve();

export function repositoryCommands(source: RepositorySource): readonly CommandHandler[] {
  const of = ({ repositoryId }: { readonly repositoryId: string }): string =>
    repositoryStream(repositoryId);
  return [
    handler(RegisterRepository, repository, {
      stream: ({ name }) => repositoryStream(idOfRepository(name)),
      owner: () => 'platform',
      prepare: async (input) => ({
        input: { repositoryId: idOfRepository(input.name), ...input },
      }),
      decide: registerRepository,
      result: (_events, { name }) => ({ repositoryId: idOfRepository(name) }),
    }),
    handler(EnableRepository, repository, {
      stream: of,
      decide: enableRepository,
      result: (_events, { repositoryId }) => ({ repositoryId }),
    }),
    handler(DisableRepository, repository, {
      stream: of,
      decide: disableRepository,
      result: (_events, { repositoryId }) => ({ repositoryId }),
    }),
    handler(SyncRepository, repository, {
      stream: of,
      prepare: async ({ repositoryId }, ports, { load }) => {
        const { state } = await load(repository, repositoryStream(repositoryId));
        const mine = reading.then(() => read(state, source, ports));
        reading = mine.catch(() => undefined);
        return { input: { repositoryId, reading: await mine } };
      },
      decide: recordSnapshot,
      result: (events, { repositoryId }) => {
        const recorded = events.find((event) => is(event, RepositorySnapshotRecorded));
        if (recorded === undefined || !is(recorded, RepositorySnapshotRecorded))
          return { repositoryId, snapshot: null, count: null };
        const { snapshot, count } = recorded.data;
        return { repositoryId, snapshot, count };
      },
    }),
  ];
}

/** A repository is known by its name: registering it twice makes one. */
function idOfRepository(name: string): string {
  return deriveId('repository', name);
}

async function read(
  state: RepositoryState,
  source: RepositorySource,
  ports: EdgePorts,
): Promise<Reading> {
  if (state === undefined) return { kind: 'unknown' };
  try {
    const { revision, repomd, packages } = await readRepository(state.baseUrl, source);
    return { kind: 'read', revision, repomd, ...(await storeSnapshot(packages, ports.blobs)) };
  } catch (error) {
    if (!(error instanceof RepodataError)) throw error;
    return { kind: 'failed', code: error.code, message: error.message };
  }
}
