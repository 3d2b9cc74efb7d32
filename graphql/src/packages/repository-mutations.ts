/** Registering package repositories, reading them, and taking them in and out of use. */
import {
  DisableRepository,
  EnableRepository,
  RegisterRepository,
  SyncRepository,
} from '@bivouac/packages/api';

import { builder } from '../language/builder.ts';
import { given } from '../language/given.ts';
import { mutation, type Payload, PayloadRef } from '../language/mutation.ts';
import { repositoryById, RepositoryRef } from './repository.ts';

interface RepositoryPayload extends Payload {
  readonly repositoryId: string;
}

const RepositoryChanged = builder.objectRef<RepositoryPayload>('RepositoryChanged').implement({
  description: 'The repository is as asked for.',
  interfaces: [PayloadRef],
  fields: (t) => ({
    repositoryId: t.exposeID('repositoryId', { description: 'The repository.' }),
    repository: t.field({
      type: RepositoryRef,
      nullable: true,
      description: 'The repository as it is after the change.',
      resolve: ({ repositoryId }, _args, { services }) => repositoryById(services, repositoryId),
    }),
  }),
});

const payload = ({ repositoryId }: { readonly repositoryId: string }) => ({ repositoryId });

mutation('registerRepository', {
  description:
    'For the staff: makes a package repository known. Read it with syncRepository before it is used.',
  input: builder.inputType('RegisterRepositoryInput', {
    description: 'Where it is.',
    fields: (t) => ({
      name: t.string({ description: 'Its name, for ever, e.g. `el9-baseos`.' }),
      baseUrl: t.string({
        description: 'The folder that has `repodata/`: `https://…` or `file:///…`.',
      }),
      arch: t.string({ description: 'The architecture, e.g. `x86_64`.' }),
      images: t.stringList({
        required: false,
        description: 'Names of the images whose containers it is for; all unless told.',
      }),
      enabled: t.boolean({
        required: false,
        description: 'Whether transactions take packages from it; true unless told.',
      }),
    }),
  }),
  type: RepositoryChanged,
  act: ({ name, baseUrl, arch, enabled, images }, key, { services }) =>
    services.command(
      RegisterRepository,
      { ...{ name, baseUrl, arch }, ...given({ enabled, images }) },
      key,
    ),
  payload,
});

const simple = [
  ['enableRepository', EnableRepository, 'For the staff: transactions take packages from it.'],
  [
    'disableRepository',
    DisableRepository,
    'For the staff: transactions take nothing from it any more. What is installed stays.',
  ],
] as const;

for (const [name, contract, description] of simple) {
  mutation(name, {
    description,
    input: builder.inputType(`${name.charAt(0).toUpperCase()}${name.slice(1)}Input`, {
      description: 'Which repository.',
      fields: (t) => ({ repositoryId: t.id({ description: 'The repository, `rep_…`.' }) }),
    }),
    versioned: true,
    type: RepositoryChanged,
    act: ({ repositoryId }, key, { services }) => services.command(contract, { repositoryId }, key),
    payload,
  });
}

mutation('syncRepository', {
  description:
    'For the staff: reads a repository’s metadata, checksums verified, and has what it offers now in ' +
    'use. What cannot be read leaves all as it was.',
  input: builder.inputType('SyncRepositoryInput', {
    description: 'Which repository.',
    fields: (t) => ({ repositoryId: t.id({ description: 'The repository, `rep_…`.' }) }),
  }),
  type: RepositoryChanged,
  act: ({ repositoryId }, key, { services }) =>
    services.command(SyncRepository, { repositoryId }, key),
  payload,
});
