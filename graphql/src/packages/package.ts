/** RPM packages of images and containers. */
import { PackagesOfContainer, PackagesOfImage, type PackageView } from '@bivouac/packages/api';

import { ContainerRef } from '../containers/container.ts';
import { ImageRef } from '../containers/image.ts';
import { builder } from '../language/builder.ts';
import { connection, pageRequest, totalOf } from '../language/paging.ts';

export const PackageRef = builder.objectRef<PackageView>('Package').implement({
  description: 'An installed RPM package.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name, e.g. `openssl-libs`.' }),
    evr: t.exposeString('evr', {
      description: '`[epoch:]version-release`, the epoch left out where it is 0.',
    }),
    epoch: t.field({
      type: 'Int64',
      description: 'The epoch; 0 where the package states none.',
      resolve: ({ epoch }) => String(epoch),
    }),
    version: t.exposeString('version', { description: 'The version.' }),
    release: t.exposeString('release', { description: 'The release.' }),
    arch: t.exposeString('arch', { description: 'The architecture, e.g. `x86_64`.' }),
    summary: t.string({
      nullable: true,
      description: 'What it is, in a line.',
      resolve: ({ summary }) => summary ?? null,
    }),
  }),
});

const PackageEdge = builder.edgeObject({
  type: PackageRef,
  name: 'PackageEdge',
  description: 'A package and where it stands.',
});

const PackageConnection = builder.connectionObject(
  {
    type: PackageRef,
    name: 'PackageConnection',
    description: 'A page of packages, by name, then by version as rpm sorts them.',
    fields: (t) => ({
      total: t.int({
        description: 'How many there are in all.',
        resolve: (page) => totalOf(page),
      }),
    }),
  },
  PackageEdge,
);

const none = { items: [], hasNext: false, hasPrevious: false, total: 0 };

builder.objectField(ImageRef, 'packages', (t) =>
  t.connection(
    {
      type: PackageRef,
      description: 'What it has installed.',
      resolve: async ({ id }, args, { services }) => {
        const page =
          (await services.query(PackagesOfImage, { imageId: id, page: pageRequest(args) })) ?? none;
        return { ...connection(page), total: page.total };
      },
    },
    PackageConnection,
  ),
);

builder.objectField(ContainerRef, 'packages', (t) =>
  t.connection(
    {
      type: PackageRef,
      description: 'What it has installed, as its node last found it; empty of a deleted one.',
      resolve: async ({ id }, args, { services }) => {
        const page =
          (await services.query(PackagesOfContainer, {
            containerId: id,
            page: pageRequest(args),
          })) ?? none;
        return { ...connection(page), total: page.total };
      },
    },
    PackageConnection,
  ),
);
