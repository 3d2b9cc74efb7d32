/** The aggregate of a repository, `repository-<rep id>`: where it is, and the snapshot in force. */
import {
  RepositoryDisabled,
  RepositoryEnabled,
  type repositoryEvents,
  RepositoryRegistered,
  RepositorySnapshotRecorded,
} from '@bivouac/events/packages';
import {
  accept,
  canonicalText,
  type Decision,
  type EventOf,
  refuse,
} from '@bivouac/events/language';

export interface Repository {
  readonly repositoryId: string;
  readonly name: string;
  readonly baseUrl: string;
  readonly arch: string;
  readonly enabled: boolean;
  /** Names of images whose containers are offered its packages; undefined: all. */
  readonly images?: readonly string[] | undefined;
  readonly snapshot: Snapshot | undefined;
}

/** Whether containers of an image are offered what it has. */
export function isFor(
  { images }: { readonly images?: readonly string[] | null | undefined },
  image: string | null | undefined,
): boolean {
  return images === undefined || images === null || images.some((name) => name === image);
}

/** What was read of it: the revision of its metadata, and the blob with its packages. */
export interface Snapshot {
  readonly revision: string;
  readonly repomd: string;
  readonly snapshot: string;
  readonly count: number;
}

export type RepositoryState = Repository | undefined;

export function repositoryStream(repositoryId: string): string {
  return `repository-${repositoryId}`;
}

export function evolveRepository(
  state: RepositoryState,
  event: EventOf<(typeof repositoryEvents)[number]>,
): RepositoryState {
  if (event.type === RepositoryRegistered.type) return { ...event.data, snapshot: undefined };
  if (state === undefined) return state;
  switch (event.type) {
    case RepositoryEnabled.type:
      return { ...state, enabled: true };
    case RepositoryDisabled.type:
      return { ...state, enabled: false };
    case RepositorySnapshotRecorded.type: {
      const { revision, repomd, snapshot, count } = event.data;
      return { ...state, snapshot: { revision, repomd, snapshot, count } };
    }
    default:
      return state;
  }
}

/** Registered once by its name; the same again is nothing new. */
export function registerRepository(
  state: RepositoryState,
  input: Omit<Repository, 'snapshot'>,
): Decision {
  const { images, ...facts } = input;
  if (state === undefined) {
    return accept(
      RepositoryRegistered({ ...facts, ...(images === undefined ? {} : { images: [...images] }) }),
    );
  }
  const same = state.baseUrl === input.baseUrl && state.arch === input.arch;
  if (same && canonicalText(state.images ?? []) === canonicalText(images ?? [])) return accept();
  return refuse(
    'REPOSITORY_EXISTS',
    `The repository ${input.name} is registered with another baseUrl, arch or images; take another name.`,
    { path: ['input', 'name'], details: { repositoryId: input.repositoryId } },
  );
}

export function enableRepository(
  state: RepositoryState,
  { repositoryId }: { readonly repositoryId: string },
): Decision {
  if (state === undefined) return repositoryUnknown(repositoryId);
  return state.enabled ? accept() : accept(RepositoryEnabled({ repositoryId }));
}

export function disableRepository(
  state: RepositoryState,
  { repositoryId }: { readonly repositoryId: string },
): Decision {
  if (state === undefined) return repositoryUnknown(repositoryId);
  return state.enabled ? accept(RepositoryDisabled({ repositoryId })) : accept();
}

/** What became of reading a repository's metadata. */
export type Reading =
  | ({ readonly kind: 'read' } & Snapshot)
  | { readonly kind: 'unknown' }
  | { readonly kind: 'failed'; readonly code: ReadingFailure; readonly message: string };

/** Why metadata could not be read. Each has a sentence that names the file. */
export type ReadingFailure =
  'REPOSITORY_UNREACHABLE' | 'REPODATA_CORRUPT' | 'REPODATA_UNSUPPORTED' | 'REPODATA_TOO_LARGE';

export function recordSnapshot(
  state: RepositoryState,
  { repositoryId, reading }: { readonly repositoryId: string; readonly reading: Reading },
): Decision {
  if (state === undefined || reading.kind === 'unknown') return repositoryUnknown(repositoryId);
  if (reading.kind === 'failed') {
    const { code, message } = reading;
    return refuse(code, message, {
      path: ['input', 'repositoryId'],
      ...(code === 'REPOSITORY_UNREACHABLE' ? { retryable: true } : {}),
    });
  }
  const { kind: _kind, ...read } = reading;
  const { snapshot } = state;
  if (snapshot?.repomd === read.repomd && snapshot.snapshot === read.snapshot) return accept();
  return accept(RepositorySnapshotRecorded({ repositoryId, ...read }));
}

export function repositoryUnknown(repositoryId: string): ReturnType<typeof refuse> {
  return refuse(
    'REPOSITORY_UNKNOWN',
    `There is no repository ${repositoryId}; take an id from repositories.`,
    { path: ['input', 'repositoryId'] },
  );
}
