/** Package repositories: what transactions take packages from. */
import {
  type OfferedPackage,
  PackagesOfRepository,
  PackagesWithFile,
  Repositories,
  RepositoryById,
  RepositoryChanges,
  RepositoryHistory,
  type RepositoryView,
} from '@bivouac/packages/api';

import { atLeast } from '../language/at-least.ts';
import { builder } from '../language/builder.ts';
import { given } from '../language/given.ts';
import { EventConnection, EventRef, historyConnection } from '../language/history.ts';
import { idArgument, NodeRef, registerNode } from '../language/node.ts';
import { connection, pageRequest, totalOf } from '../language/paging.ts';
import { version } from '../language/version.ts';
import type { Services } from '../request/services.ts';

/** One repository, once per request; null where there is none. */
export function repositoryById(services: Services, id: string): Promise<RepositoryView | null> {
  return services.once(`repository:${id}`, () =>
    services.query(RepositoryById, { repositoryId: id }),
  );
}

export const OfferedPackageRef = builder.objectRef<OfferedPackage>('OfferedPackage').implement({
  description: 'An RPM package as a repository offers it.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name, e.g. `openssl-libs`.' }),
    evr: t.exposeString('evr', {
      description: '`[epoch:]version-release`, the epoch left out where it is 0.',
    }),
    arch: t.exposeString('arch', { description: 'The architecture, e.g. `x86_64`.' }),
    summary: t.string({
      nullable: true,
      description: 'What it is, in a line.',
      resolve: ({ summary }) => summary ?? null,
    }),
    sizeBytes: t.expose('size', { type: 'Bytes', description: 'Of its file.' }),
    installedBytes: t.expose('installedSize', {
      type: 'Bytes',
      description: 'Of what it installs.',
    }),
  }),
});

const OfferedPackageConnection = builder.connectionObject(
  {
    type: OfferedPackageRef,
    name: 'OfferedPackageConnection',
    description: 'A page of packages on offer, by name, then by version as rpm sorts them.',
    fields: (t) => ({
      total: t.int({
        description: 'How many there are in all.',
        resolve: (page) => totalOf(page),
      }),
    }),
  },
  { name: 'OfferedPackageEdge', description: 'A package on offer and where it stands.' },
);

const SnapshotRef = builder
  .objectRef<NonNullable<RepositoryView['snapshot']>>('RepositorySnapshot')
  .implement({
    description: 'What a repository offered when it was last read.',
    fields: (t) => ({
      digest: t.exposeString('digest', { description: 'SHA-256 of what was read, hex.' }),
      revision: t.exposeString('revision', {
        description: 'Of the repository’s metadata, as that says it.',
      }),
      packages: t.exposeInt('packages', { description: 'How many packages.' }),
      readAt: t.expose('readAt', { type: 'DateTime', description: 'When it was read.' }),
    }),
  });

export const RepositoryRef = builder.objectRef<RepositoryView>('Repository').implement({
  description: 'A package repository. Transactions take what enabled ones offered when last read.',
  interfaces: [NodeRef],
  fields: (t) => ({
    version: version(t, (services, repositoryId, page) =>
      services.query(RepositoryChanges, { repositoryId, page }),
    ),
    name: t.exposeString('name', { description: 'Its name, for ever.' }),
    baseUrl: t.exposeString('baseUrl', {
      nullable: true,
      description: 'For the staff: the folder that has `repodata/`.',
    }),
    arch: t.exposeString('arch', { description: 'The architecture, e.g. `x86_64`.' }),
    enabled: t.exposeBoolean('enabled', {
      description: 'Whether transactions take packages from it.',
    }),
    images: t.exposeStringList('images', {
      nullable: true,
      description: 'Names of the images whose containers it is for; null: of all.',
    }),
    snapshot: t.expose('snapshot', {
      type: SnapshotRef,
      nullable: true,
      description: 'What it offers; null before it was read.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was registered.' }),
    packages: t.connection(
      {
        type: OfferedPackageRef,
        description: 'What it offers.',
        args: {
          namePrefix: t.arg.string({
            required: false,
            description: 'Only packages whose names begin so.',
          }),
          arch: t.arg.string({ required: false, description: 'Only of this architecture.' }),
        },
        resolve: async ({ id }, args, { services }) => {
          const { namePrefix, arch } = args;
          const page = await services.query(PackagesOfRepository, {
            repositoryId: id,
            page: pageRequest(args),
            ...given({ namePrefix, arch }),
          });
          return { ...connection(page ?? none), total: page?.total ?? 0 };
        },
      },
      OfferedPackageConnection,
    ),
    history: t.connection(
      {
        type: EventRef,
        description: 'What happened to it.',
        resolve: ({ id }, args, { services }) =>
          historyConnection(args, (page) =>
            services.query(RepositoryHistory, { repositoryId: id, page }),
          ),
      },
      EventConnection,
    ),
  }),
});

const none = { items: [], hasNext: false, hasPrevious: false };

registerNode('repository', 'Repository', (id, { services }) => repositoryById(services, id));

const RepositoryConnection = builder.connectionObject(
  { type: RepositoryRef, name: 'RepositoryConnection', description: 'A page of repositories.' },
  { name: 'RepositoryEdge', description: 'A repository and where it stands.' },
);

builder.queryFields((t) => ({
  repository: t.field({
    type: RepositoryRef,
    nullable: true,
    description: 'One package repository; null where there is none.',
    args: { id: t.arg.id({ description: 'Its id, `rep_…`.' }), atLeast: atLeast(t.arg) },
    resolve: (_root, args, { services }) => {
      services.raiseTo(args.atLeast);
      return repositoryById(services, idArgument('id', 'repository', args.id));
    },
  }),
  repositories: t.connection(
    {
      type: RepositoryRef,
      description: 'The package repositories, oldest first.',
      args: {
        enabled: t.arg.boolean({
          required: false,
          description: 'Only those that are enabled, or only those that are not.',
        }),
        atLeast: atLeast(t.arg),
      },
      resolve: async (_root, args, { services }) => {
        services.raiseTo(args.atLeast);
        const page = { page: pageRequest(args), ...given({ enabled: args.enabled }) };
        return connection(await services.query(Repositories, page));
      },
    },
    RepositoryConnection,
  ),
  packagesWithFile: t.connection(
    {
      type: OfferedPackageRef,
      description:
        'The packages a file belongs to, the newest of each name in the enabled repositories. ' +
        'Metadata lists files below /etc, those in a `bin`, and few others.',
      args: {
        path: t.arg.string({ description: 'The whole path, e.g. `/usr/bin/vim`.' }),
        atLeast: atLeast(t.arg),
      },
      resolve: async (_root, args, { services }) => {
        services.raiseTo(args.atLeast);
        const page = await services.query(PackagesWithFile, {
          path: args.path,
          page: pageRequest(args),
        });
        return { ...connection(page), total: page.total };
      },
    },
    OfferedPackageConnection,
  ),
}));
