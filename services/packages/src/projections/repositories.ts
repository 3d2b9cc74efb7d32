/** Repositories and their snapshots in force. */
import {
  RepositoryDisabled,
  RepositoryEnabled,
  RepositoryRegistered,
  RepositorySnapshotRecorded,
} from '@bivouac/events/packages';
import { on, projection } from '@bivouac/infra/runtime';
import { table, type WritableView } from '@bivouac/infra/views';

import type { RepositoryView } from '../api/repository-queries.ts';

export interface RepositoryRow extends RepositoryView {
  /** Of its registration: the order of lists. */
  readonly position: string;
}

export const repositories = table<RepositoryRow>()({
  name: 'repositories',
  key: (row) => row.id,
  indexes: { byPosition: (row) => [row.position] },
});

export const repositoriesProjection = projection({
  name: 'packages.repositories',
  tables: [repositories],
  on: [
    on(RepositoryRegistered, (event, view) => {
      const { repositoryId, images = null, ...facts } = event.data;
      view.put(repositories, {
        ...{ id: repositoryId, ...facts, images, snapshot: null },
        ...{ createdAt: event.time, position: event.position },
      });
    }),
    on(RepositoryEnabled, ({ data }, view) => {
      change(view, data.repositoryId, { enabled: true });
    }),
    on(RepositoryDisabled, ({ data }, view) => {
      change(view, data.repositoryId, { enabled: false });
    }),
    on(RepositorySnapshotRecorded, ({ data, time }, view) => {
      const { snapshot: digest, revision, count: packages } = data;
      change(view, data.repositoryId, {
        snapshot: { digest, revision, packages, readAt: time },
      });
    }),
  ],
});

function change(view: WritableView, id: string, changed: Partial<RepositoryRow>): void {
  const row = view.get(repositories, id);
  if (row !== undefined) view.put(repositories, { ...row, ...changed });
}
