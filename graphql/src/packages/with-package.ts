/** Which containers have a package, at all or below a version: who is to be upgraded. */
import { ContainersWithPackage } from '@bivouac/packages/api';
import type { z } from 'zod';

import { containerById, ContainerRef } from '../containers/container.ts';
import { atLeast } from '../language/at-least.ts';
import { builder } from '../language/builder.ts';
import { given } from '../language/given.ts';
import { connection, pageRequest } from '../language/paging.ts';
import { PackageRef } from './package.ts';
import { OfferedPackageRef } from './repository.ts';

type Found = z.output<typeof ContainersWithPackage.result>['items'][number]['node'];

const ContainerWithPackageRef = builder.objectRef<Found>('ContainerWithPackage').implement({
  description: 'A container, and what it has of the package asked for.',
  fields: (t) => ({
    containerId: t.exposeID('containerId', { description: 'The container, `ctr_…`.' }),
    container: t.field({
      type: ContainerRef,
      nullable: true,
      description: 'The container.',
      resolve: ({ containerId }, _args, { services }) => containerById(services, containerId),
    }),
    packages: t.expose('packages', {
      type: [PackageRef],
      description: 'The versions it has installed.',
      extensions: { size: 2 },
    }),
  }),
});

const ContainerWithPackageConnection = builder.connectionObject(
  {
    type: ContainerWithPackageRef,
    name: 'ContainerWithPackageConnection',
    description: 'A page of containers with a package, oldest first.',
  },
  { name: 'ContainerWithPackageEdge', description: 'A container and where it stands.' },
);

builder.objectField(OfferedPackageRef, 'containers', (t) =>
  t.connection(
    {
      type: ContainerWithPackageRef,
      description: 'Your containers that have a package of this name installed, oldest first.',
      args: {
        older: t.arg.boolean({
          required: false,
          description: 'Only where a version is installed that rpm sorts below this one.',
        }),
      },
      resolve: async ({ name, evr }, args, { services }) => {
        const page = await services.query(ContainersWithPackage, {
          name,
          page: pageRequest(args),
          ...(args.older === true ? { lessThanEvr: evr } : {}),
        });
        return connection(page, ({ tenantId }) => services.sees(ContainersWithPackage, tenantId));
      },
    },
    ContainerWithPackageConnection,
  ),
);

builder.queryField('containersWithPackage', (t) =>
  t.connection(
    {
      type: ContainerWithPackageRef,
      description: 'Your containers that have a package installed, oldest first.',
      args: {
        name: t.arg.string({ description: 'The package’s name, e.g. `openssl-libs`.' }),
        lessThanEvr: t.arg.string({
          required: false,
          description: 'Only where a version is installed that rpm sorts below, e.g. `1:3.0.8-1`.',
        }),
        atLeast: atLeast(t.arg),
      },
      resolve: async (_root, args, { services }) => {
        services.raiseTo(args.atLeast);
        const { name, lessThanEvr } = args;
        const page = await services.query(ContainersWithPackage, {
          name,
          page: pageRequest(args),
          ...given({ lessThanEvr }),
        });
        return connection(page, ({ tenantId }) => services.sees(ContainersWithPackage, tenantId));
      },
    },
    ContainerWithPackageConnection,
  ),
);
