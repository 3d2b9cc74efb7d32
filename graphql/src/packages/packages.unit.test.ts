/** Packages by way of the gateway: what is asked of the services, and who may ask. */
import { deriveId } from '@bivouac/events/values';
import {
  DisableRepository,
  PackagesOfRepository,
  PackageTransactionOfOperation,
  RegisterRepository,
  RepositoryById,
  SyncRepository,
  UpdatesOfContainer,
} from '@bivouac/packages/api';
import { OperationById, StartOperation } from '@bivouac/provisioning/api';
import { describe, expect, test } from '@jest/globals';

import { setUp } from '../../test/asking.ts';
import { refused } from '../../test/services-in-memory.ts';

const repositoryId = deriveId('repository', 'el9');
const repository = {
  ...{ id: repositoryId, name: 'el9', baseUrl: null, arch: 'x86_64', enabled: true, images: null },
  snapshot: null,
  createdAt: '2026-04-10T09:00:00.000Z',
};
const vim = { name: 'vim', epoch: 2, version: '9.1', release: '1', arch: 'x86_64', evr: '2:9.1-1' };
const page = { hasNext: false, hasPrevious: false };

describe('an order', () => {
  test.each([
    ['installPackages', { packages: ['vim'] }, 'install', ['vim']],
    ['upgradePackages', {}, 'upgrade', []],
    ['upgradePackages', { packages: ['vim'] }, 'upgrade', ['vim']],
    ['removePackages', { packages: ['vim'] }, 'remove', ['vim']],
    ['refreshPackages', {}, 'refresh', []],
  ])(
    '%s with %j is an operation of the container’s tenant',
    async (name, given, action, packages) => {
      const { ask, services, containers, alpha } = setUp();
      services.onCommand(StartOperation, () => ({
        operationId: deriveId('operation', name),
        target: { type: 'container' as const, id: containers[0]?.id ?? '' },
      }));
      const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
      const document = `mutation M($input: ${type}!) {
      it: ${name}(input: $input, idempotencyKey: "k") { __typename ... on UserError { path } } }`;
      const containerId = containers[0]?.id;
      const done = await ask(document, { variables: { input: { ...given, containerId } } });
      expect(done.data).toMatchObject({ it: { __typename: 'OperationAccepted' } });
      expect(services.of(StartOperation)[0]?.input).toEqual({
        tenantId: alpha.id,
        homeId: alpha.homeId,
        order: { kind: 'packages', containerId, action, packages },
      });
      const foreign = containers.at(-1)?.id;
      const no = await ask(document, { variables: { input: { ...given, containerId: foreign } } });
      expect(no.data).toEqual({ it: { __typename: 'NotFound', path: ['input', 'containerId'] } });
    },
  );

  test.each(['installPackages', 'removePackages'])('%s needs a name', async (name) => {
    const { ask, services, containers } = setUp();
    services.onCommand(StartOperation, () => refused('INVALID_INPUT'));
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    const reply = await ask(
      `mutation M($input: ${type}!) { it: ${name}(input: $input, idempotencyKey: "k") {
        __typename ... on UserError { path } } }`,
      { variables: { input: { containerId: containers[0]?.id, packages: [] } } },
    );
    expect(reply.data).toMatchObject({
      it: { __typename: 'ValidationFailed', path: ['input', 'packages'] },
    });
  });

  test('shows what it came to; of another kind nobody is asked', async () => {
    const { ask, services, operations } = setUp();
    const [operation] = operations;
    if (operation === undefined) throw new Error('there is an operation');
    const document = `query ($id: ID!) { operation(id: $id) { packageTransaction {
      install { name evr } report { output configFiles } } } }`;
    services.onQuery(PackageTransactionOfOperation, () => ({
      ...{ install: [vim], upgrade: [], remove: [] },
      report: { added: [vim], removed: [], configFiles: ['/etc/vimrc.rpmnew'], output: 'done' },
    }));
    const other = await ask(document, { variables: { id: operation.id } });
    expect(other.data).toEqual({ operation: { packageTransaction: null } });
    expect(services.of(PackageTransactionOfOperation)).toEqual([]);
    services.onQuery(OperationById, () => ({ ...operation, kind: 'packages' as const }));
    const found = await ask(document, { variables: { id: operation.id } });
    expect(found.data).toEqual({
      operation: {
        packageTransaction: {
          install: [{ name: 'vim', evr: '2:9.1-1' }],
          report: { output: 'done', configFiles: ['/etc/vimrc.rpmnew'] },
        },
      },
    });
  });
});

describe('a repository', () => {
  test.each([
    ['registerRepository', { name: 'el9', baseUrl: 'https://m/', arch: 'x86_64' }],
    ['disableRepository', { repositoryId }],
  ])('%s is for the staff, and answers the repository', async (name, input) => {
    const { ask, services } = setUp();
    services.onCommand(RegisterRepository, () => ({ repositoryId }));
    services.onCommand(DisableRepository, () => ({ repositoryId }));
    services.onQuery(RepositoryById, () => repository);
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    const document = `mutation M($input: ${type}!) { it: ${name}(input: $input, idempotencyKey: "k") {
      __typename ... on RepositoryChanged { repositoryId repository { name enabled } } } }`;
    const done = await ask(document, { as: 'Provider', variables: { input } });
    expect(done.data).toEqual({
      it: {
        ...{ __typename: 'RepositoryChanged', repositoryId },
        repository: { name: 'el9', enabled: true },
      },
    });
    const no = await ask(document, { variables: { input } });
    expect(no.data).toMatchObject({ it: { __typename: 'NotAllowed' } });
  });

  test('that cannot be read is unavailable, that is damaged a conflict of states', async () => {
    const { ask, services } = setUp();
    const document = `mutation { it: syncRepository(input: { repositoryId: "${repositoryId}" },
      idempotencyKey: "k") { __typename ... on UserError { code path } } }`;
    for (const [code, type] of [
      ['REPOSITORY_UNREACHABLE', 'Unavailable'],
      ['REPODATA_CORRUPT', 'StateConflict'],
    ] as const) {
      services.onCommand(SyncRepository, () => refused(code));
      const reply = await ask(document, { as: 'Provider' });
      expect(reply.data).toMatchObject({ it: { __typename: type, code } });
    }
  });

  test('lists what it offers, by the beginning of names', async () => {
    const { ask, services } = setUp();
    services.onQuery(RepositoryById, () => repository);
    services.onQuery(PackagesOfRepository, () => ({
      ...{ ...page, total: 7 },
      items: [{ cursor: 'c', node: { ...vim, size: '5', installedSize: '9007199254740993' } }],
    }));
    const reply = await ask(
      `{ repository(id: "${repositoryId}") { baseUrl packages(namePrefix: "v", first: 1) {
         total edges { node { name sizeBytes installedBytes } } } } }`,
    );
    expect(reply.data).toEqual({
      repository: {
        baseUrl: null,
        packages: {
          total: 7,
          edges: [{ node: { name: 'vim', sizeBytes: '5', installedBytes: '9007199254740993' } }],
        },
      },
    });
    expect(services.of(PackagesOfRepository)[0]?.input).toMatchObject({
      ...{ repositoryId, namePrefix: 'v', page: { limit: 1 } },
    });
  });
});

test('updates of a container name what is installed, what there is, and who has it', async () => {
  const { ask, services, containers } = setUp();
  const available = { ...vim, version: '9.2', evr: '2:9.2-1', size: '5', installedSize: '6' };
  services.onQuery(UpdatesOfContainer, () => ({
    ...{ ...page, total: 1 },
    items: [{ cursor: 'c', node: { installed: vim, available, repository: 'el9' } }],
  }));
  const reply = await ask(
    `query ($id: ID!) { container(id: $id) { updates { total edges { node {
       installed { evr } available { evr } repository } } } } }`,
    { variables: { id: containers[0]?.id } },
  );
  expect(reply.data).toEqual({
    container: {
      updates: {
        total: 1,
        edges: [
          {
            node: {
              installed: { evr: '2:9.1-1' },
              available: { evr: '2:9.2-1' },
              repository: 'el9',
            },
          },
        ],
      },
    },
  });
});
