/** Storing package lists, and recording what an image has installed. */
import { RecordImageInventory, RecordPackageList } from '@bivouac/packages/api';

import { imageById, ImageRef } from '../containers/image.ts';
import { builder } from '../language/builder.ts';
import { given } from '../language/given.ts';
import { mutation, type Payload, PayloadRef } from '../language/mutation.ts';

interface InventoryPayload extends Payload {
  readonly imageId: string;
  readonly inventory: string;
  readonly count: number;
}

const ImageInventoryRecorded = builder
  .objectRef<InventoryPayload>('ImageInventoryRecorded')
  .implement({
    description: 'The package list is stored and belongs to the image.',
    interfaces: [PayloadRef],
    fields: (t) => ({
      imageId: t.exposeID('imageId', { description: 'The image.' }),
      inventory: t.exposeString('inventory', { description: 'SHA-256 of the stored list, hex.' }),
      count: t.exposeInt('count', { description: 'How many packages it has.' }),
      image: t.field({
        type: ImageRef,
        nullable: true,
        description: 'The image.',
        resolve: ({ imageId }, _args, { services }) => imageById(services, imageId),
      }),
    }),
  });

const PackageInput = builder.inputType('PackageInput', {
  description: 'An installed RPM package, as `rpm -qa` tells it.',
  fields: (t) => ({
    name: t.string({ description: 'Its name, e.g. `openssl-libs`.' }),
    epoch: t.field({
      type: 'Int64',
      required: false,
      description: 'The epoch; 0 where the package states none.',
    }),
    version: t.string({ description: 'The version.' }),
    release: t.string({ description: 'The release.' }),
    arch: t.string({ description: 'The architecture, e.g. `x86_64`.' }),
    summary: t.string({ required: false, description: 'What it is, in a line.' }),
  }),
});

interface PackageFacts {
  readonly name: string;
  readonly epoch?: bigint | number | string | null | undefined;
  readonly version: string;
  readonly release: string;
  readonly arch: string;
  readonly summary?: string | null | undefined;
}

function asPackage({ epoch, summary, ...rest }: PackageFacts) {
  return { ...rest, epoch: Number(epoch ?? 0), ...given({ summary }) };
}

interface PackageListPayload extends Payload {
  readonly inventory: string;
  readonly count: number;
}

const PackageListRecorded = builder.objectRef<PackageListPayload>('PackageListRecorded').implement({
  description: 'The package list is stored: an image can be drafted with its digest.',
  interfaces: [PayloadRef],
  fields: (t) => ({
    inventory: t.exposeString('inventory', { description: 'SHA-256 of the stored list, hex.' }),
    count: t.exposeInt('count', { description: 'How many packages it has.' }),
  }),
});

mutation('recordPackageList', {
  description:
    'For the staff: stores a package list, so that an image can be drafted with it. The image then has it as its inventory.',
  input: builder.inputType('RecordPackageListInput', {
    description: 'The whole list.',
    fields: (t) => ({
      packages: t.field({ type: [PackageInput], description: 'Every package, in any order.' }),
    }),
  }),
  type: PackageListRecorded,
  act: ({ packages }, key, { services }) =>
    services.command(RecordPackageList, { packages: packages.map(asPackage) }, key),
  payload: (result) => result,
});

mutation('recordImageInventory', {
  description:
    'For the staff: stores an image’s package list, once: an image’s content never changes.',
  input: builder.inputType('RecordImageInventoryInput', {
    description: 'The whole list.',
    fields: (t) => ({
      imageId: t.id({ description: 'The image.' }),
      packages: t.field({ type: [PackageInput], description: 'Every package, in any order.' }),
    }),
  }),
  type: ImageInventoryRecorded,
  act: ({ imageId, packages }, key, { services }) =>
    services.command(
      RecordImageInventory,
      {
        imageId,
        packages: packages.map(asPackage),
      },
      key,
    ),
  payload: (result) => result,
});
