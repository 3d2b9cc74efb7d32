/** A change that names the version of what it was decided on is done on that version or not at all. */
import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildSchema } from 'graphql';
import { z } from 'zod';

import type { Client } from './client.ts';
import { closeAll, open, type Running } from './installation.ts';

let running: Running;
const ids: Record<string, string> = {};

beforeAll(async () => {
  running = await open();
  const { staff, seeded } = running;
  ids['container'] = await running.running();
  ids['image'] = seeded.imageId;
  const first = z.object({ edges: z.array(z.object({ node: z.object({ id: z.string() }) })) });
  const lists = await staff.read(
    z.object({ nodes: first, plans: first }),
    '{ nodes(first: 1) { edges { node { id } } } plans(first: 1) { edges { node { id } } } }',
  );
  ids['node'] = lists.nodes.edges[0]?.node.id ?? '';
  ids['plan'] = lists.plans.edges[0]?.node.id ?? '';
  const order = await running.order({ hostname: 'cancelled.example.com' });
  await running.end(order);
  ids['operation'] = order.operationId ?? '';
  const registered = await staff.mutate('registerRepository', {
    ...{ name: 'el9', baseUrl: 'https://packages.example/', arch: 'x86_64' },
  });
  ids['repository'] = registered.repositoryId ?? '';
  await running.quiet();
});
afterAll(closeAll);

const money = (amount: string) => ({ amount, currency: 'EUR' });
const terms = {
  name: 'VPS',
  limits: {
    cpuMillis: 1000,
    memoryBytes: '1073741824',
    diskBytes: '10737418240',
    processes: 200,
    cpuUnits: 1000,
  },
  includedAddresses: 1,
  monthly: money('20.00'),
  setup: money('10.00'),
  extraAddressMonthly: money('2.00'),
};

/** Every mutation that takes a version: of what, and with which further input. */
const versioned: Readonly<Record<string, readonly [string, Record<string, unknown>]>> = {
  renameContainer: ['container', { hostname: 'renamed.example.com' }],
  labelNode: ['node', { labels: ['ssd'] }],
  drainNode: ['node', { reason: 'a new disk' }],
  undrainNode: ['node', {}],
  testImage: ['image', { checks: [{ name: 'boots', passed: true }] }],
  publishImage: ['image', {}],
  deprecateImage: ['image', { reason: 'a better one' }],
  withdrawImage: ['image', { reason: 'a hole' }],
  replacePlanTerms: ['plan', terms],
  retirePlan: ['plan', {}],
  cancelOperation: ['operation', {}],
  retryOperation: ['operation', { reason: 'mended' }],
  resolveOperation: ['operation', { reason: 'by hand' }],
  disableRepository: ['repository', {}],
  enableRepository: ['repository', {}],
  releaseOperation: ['operation', { reason: 'given up' }],
};

const sdl = buildSchema(
  readFileSync(new URL('../../graphql/schema.graphql', import.meta.url), 'utf8'),
);

test('every mutation that takes a version is tried below', () => {
  const fields = Object.values(sdl.getMutationType()?.getFields() ?? {});
  const takers = fields.filter(({ args }) => args.some(({ name }) => name === 'expectedVersion'));
  expect(takers.map(({ name }) => name).sort()).toEqual(Object.keys(versioned).sort());
});

const typenames: Readonly<Record<string, string>> = {
  container: 'Container',
  node: 'HardwareNode',
  image: 'Image',
  plan: 'Plan',
  operation: 'Operation',
  repository: 'Repository',
};

async function versionOf(kind: string): Promise<string> {
  const { node } = await running.staff.read(
    z.object({ node: z.object({ version: z.string() }) }),
    `query ($id: ID!) { node(id: $id) { ... on ${typenames[kind] ?? ''} { version } } }`,
    { id: ids[kind] },
  );
  return node.version;
}

const AnswerSchema = z.object({
  it: z.object({
    __typename: z.string(),
    repeated: z.boolean().optional(),
    code: z.string().optional(),
    path: z.array(z.string()).nullish(),
    actualVersion: z.string().nullish(),
  }),
});

async function change(
  name: string,
  key: string,
  expected: string | null,
  client: Client,
  other: Record<string, unknown> = {},
) {
  const [kind = '', more = {}] = versioned[name] ?? [];
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  const { it } = await client.read(
    AnswerSchema,
    `mutation ($key: String!, $input: ${type}!, $expected: Revision) {
      it: ${name}(idempotencyKey: $key, input: $input, expectedVersion: $expected) {
        __typename ... on MutationPayload { repeated } ... on UserError { code path }
        ... on VersionConflict { actualVersion } } }`,
    { key, expected, input: { [`${kind}Id`]: ids[kind], ...more, ...other } },
  );
  return it;
}

describe.each(Object.entries(versioned))('%s', (name, [kind]) => {
  test('on a version that is past or to come is a conflict that tells the present one, and does nothing', async () => {
    const actual = await versionOf(kind);
    const before = await running.lastFact();
    const others = [String(BigInt(actual) + 1n), '9223372036854775807'];
    if (actual !== '0') others.push('0', String(BigInt(actual) - 1n));
    for (const expected of others) {
      expect(await change(name, `${name} ${expected}`, expected, running.staff)).toEqual({
        __typename: 'VersionConflict',
        code: 'VERSION_CONFLICT',
        path: ['expectedVersion'],
        actualVersion: actual,
      });
    }
    expect(await running.lastFact()).toBe(before);
  });

  test('on the version that was read is answered as without one, and only once', async () => {
    const read = await versionOf(kind);
    const first = await change(name, `${name} first`, read, running.staff);
    expect(first.__typename).not.toBe('VersionConflict');
    await running.installation.host.settled();
    const now = await versionOf(kind);
    if (first.repeated === undefined) {
      // The object refused it by what it is: nothing has changed.
      expect(now).toBe(read);
      return;
    }
    const again = await change(name, `${name} first`, read, running.staff);
    expect(again).toEqual({ ...first, repeated: now !== read });
    if (now === read) return;
    const late = await change(name, `${name} late`, read, running.staff);
    expect(late).toMatchObject({ __typename: 'VersionConflict', actualVersion: now });
  });
});

test('of many who decided on the same version, one wins', async () => {
  const read = await versionOf('container');
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      change('renameContainer', `racer ${i}`, read, i % 2 === 0 ? running.staff : running.owner, {
        hostname: `racer${i}.example.com`,
      }),
    ),
  );
  const done = answers.filter(({ __typename }) => __typename === 'ContainerRenamed');
  expect(done).toHaveLength(1);
  const others = answers.filter(({ __typename }) => __typename === 'VersionConflict');
  expect(others).toHaveLength(19);
});

test('the version of a page’s items is that of the moment they were read', async () => {
  const { containers } = await running.owner.read(
    z.object({
      containers: z.object({
        edges: z.array(z.object({ node: z.object({ id: z.string(), version: z.string() }) })),
      }),
    }),
    '{ containers(first: 10) { edges { node { id version } } } }',
  );
  const listed = containers.edges.find(({ node }) => node.id === ids['container']);
  expect(listed?.node.version).toBe(await versionOf('container'));
});
