/** What could be, was and will be changed in a container's packages. */
import {
  PackageChangesOfContainer,
  PackageTransactionOfOperation,
  UpdatesOfContainer,
} from '@bivouac/packages/api';
import type { z } from 'zod';

import { ContainerRef } from '../containers/container.ts';
import { builder } from '../language/builder.ts';
import { connection, pageRequest, totalOf } from '../language/paging.ts';
import { operationById, OperationRef } from '../provisioning/operation.ts';
import { PackageRef } from './package.ts';
import { OfferedPackageRef } from './repository.ts';

type Item<C extends { readonly result: z.ZodType }> =
  NonNullable<z.output<C['result']>> extends {
    readonly items: readonly { readonly node: infer N }[];
  }
    ? N
    : never;

type Update = Item<typeof UpdatesOfContainer>;
type Change = Item<typeof PackageChangesOfContainer>;

const PackageUpdateRef = builder.objectRef<Update>('PackageUpdate').implement({
  description: 'An installed package of which an enabled repository has a newer version.',
  fields: (t) => ({
    installed: t.expose('installed', { type: PackageRef, description: 'What is installed.' }),
    available: t.expose('available', {
      type: OfferedPackageRef,
      description: 'The newest of its name, or what takes its place.',
    }),
    repository: t.exposeString('repository', { description: 'The name of who offers it.' }),
  }),
});

const PackageUpdateConnection = builder.connectionObject(
  {
    type: PackageUpdateRef,
    name: 'PackageUpdateConnection',
    description: 'A page of updates, by the name of what is installed.',
    fields: (t) => ({
      total: t.int({
        description: 'How many there are in all.',
        resolve: (page) => totalOf(page),
      }),
    }),
  },
  { name: 'PackageUpdateEdge', description: 'An update and where it stands.' },
);

const PackageChangeRef = builder.objectRef<Change>('PackageChange').implement({
  description: 'What was installed or gone in a container at one moment.',
  fields: (t) => ({
    observedAt: t.expose('observedAt', { type: 'DateTime', description: 'When it was seen.' }),
    added: t.expose('added', {
      type: [PackageRef],
      description: 'What came; of the first record nothing.',
      extensions: { size: 10 },
    }),
    removed: t.expose('removed', {
      type: [PackageRef],
      description: 'What went.',
      extensions: { size: 10 },
    }),
    operation: t.field({
      type: OperationRef,
      nullable: true,
      description: 'The operation that did it; null where it was only seen.',
      resolve: ({ operationId }, _args, { services }) =>
        operationId === null ? null : operationById(services, operationId),
    }),
  }),
});

const PackageChangeConnection = builder.connectionObject(
  {
    type: PackageChangeRef,
    name: 'PackageChangeConnection',
    description: 'A page of package changes, oldest first.',
  },
  { name: 'PackageChangeEdge', description: 'A package change and where it stands.' },
);

const none = { items: [], hasNext: false, hasPrevious: false };

builder.objectField(ContainerRef, 'updates', (t) =>
  t.connection(
    {
      type: PackageUpdateRef,
      description:
        'What could be upgraded, by what the enabled repositories offer; whether all fits together ' +
        'is found out when it is ordered.',
      resolve: async ({ id }, args, { services }) => {
        const page = await services.query(UpdatesOfContainer, {
          containerId: id,
          page: pageRequest(args),
        });
        return { ...connection(page ?? none), total: page?.total ?? 0 };
      },
    },
    PackageUpdateConnection,
  ),
);

builder.objectField(ContainerRef, 'packageChanges', (t) =>
  t.connection(
    {
      type: PackageChangeRef,
      description: 'How its packages came to be what they are; empty of a deleted one.',
      resolve: async ({ id }, args, { services }) =>
        connection(
          (await services.query(PackageChangesOfContainer, {
            containerId: id,
            page: pageRequest(args),
          })) ?? none,
        ),
    },
    PackageChangeConnection,
  ),
);

type Transaction = NonNullable<z.output<typeof PackageTransactionOfOperation.result>>;

const PackageReportRef = builder
  .objectRef<NonNullable<Transaction['report']>>('PackageReport')
  .implement({
    description: 'What a package transaction has done.',
    fields: (t) => ({
      added: t.expose('added', {
        type: [PackageRef],
        description: 'What is installed by it.',
        extensions: { size: 10 },
      }),
      removed: t.expose('removed', {
        type: [PackageRef],
        description: 'What is gone by it.',
        extensions: { size: 10 },
      }),
      configFiles: t.exposeStringList('configFiles', {
        description: 'Files that rpm left as `.rpmnew`, `.rpmsave` or `.rpmorig`.',
      }),
      output: t.exposeString('output', { description: 'The end of what rpm printed.' }),
    }),
  });

const PackageTransactionRef = builder.objectRef<Transaction>('PackageTransaction').implement({
  description: 'The exact packages an order came to.',
  fields: (t) => ({
    install: t.expose('install', {
      type: [PackageRef],
      description: 'To be installed: what was ordered, and what that requires.',
      extensions: { size: 10 },
    }),
    upgrade: t.expose('upgrade', {
      type: [PackageRef],
      description: 'To be installed in place of older ones.',
      extensions: { size: 10 },
    }),
    remove: t.expose('remove', {
      type: [PackageRef],
      description: 'To be removed.',
      extensions: { size: 10 },
    }),
    report: t.expose('report', {
      type: PackageReportRef,
      nullable: true,
      description: 'What became of it; null before it is done, and where it was not.',
    }),
  }),
});

builder.objectField(OperationRef, 'packageTransaction', (t) =>
  t.field({
    type: PackageTransactionRef,
    nullable: true,
    description: 'Of PACKAGES: what it comes to; null until that is resolved.',
    resolve: ({ id, kind }, _args, { services }) =>
      kind === 'packages'
        ? services.query(PackageTransactionOfOperation, { operationId: id })
        : null,
  }),
);
