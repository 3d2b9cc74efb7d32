/** Tenants are walls: what is another customer's reads and answers as if it did not exist. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { idFromUuid } from '@bivouac/events/values';
import { z } from 'zod';

import type { Client, Result } from './client.ts';
import { closeAll, open, type Running } from './installation.ts';

interface Things {
  readonly account: string;
  readonly container: string;
  readonly operation: string;
  readonly invoice: string;
  readonly member: string;
  readonly person: string;
  readonly apiKey: string;
  readonly invitation: string;
  readonly acting: string;
  readonly hold: string;
  readonly hardwareNode: string;
}

let running: Running;
let foreign: Client;
let foreignAccount: string;
let theirs: Things;
/** Ids that fit and name nothing. */
let unknown: Things;

const idsIn = (name: string) =>
  z.object({
    [name]: z.object({ edges: z.array(z.object({ node: z.object({ id: z.string() }) })) }),
  });

async function list(client: Client, field: string): Promise<string[]> {
  const data = await client.read(
    idsIn(field),
    `{ ${field}(first: 100) { edges { node { id } } } }`,
  );
  return (data[field]?.edges ?? []).map(({ node }) => node.id);
}

/** Who is behind the first member. */
async function personOf(client: Client): Promise<string> {
  const { members } = await client.read(
    z.object({
      members: z.object({
        edges: z.tuple([z.object({ node: z.object({ personId: z.string() }) })]),
      }),
    }),
    '{ members(first: 1) { edges { node { personId } } } }',
  );
  return members.edges[0].node.personId;
}

beforeAll(async () => {
  running = await open();
  const { seeded, staff, owner, clock, installation } = running;
  const account = seeded.customer.tenantId;
  const accepted = await running.order();
  const container = (await running.end(accepted)).targetId;
  const suspended = await staff.mutate('suspendContainer', {
    containerId: container,
    kind: 'ABUSE',
    reason: 'a secret tip',
  });
  await running.end(suspended);
  const hold = (await running.container(container)).holds[0]?.id ?? '';
  clock.moveTo('2026-05-01T01:00:00.000Z');
  await installation.host.settled();
  await running.end(await staff.mutate('closeMonth', { accountId: account, month: '2026-04' }));
  const invited = await owner.mutate('inviteMember', {
    accountId: account,
    email: 'guest@example.com',
    role: 'AUDITOR',
  });
  const session = await staff.mutate('startActing', { accountId: account, reason: 'a ticket' });
  await installation.host.settled();
  const first = async (field: string): Promise<string> => (await list(owner, field))[0] ?? '';
  theirs = {
    account,
    container,
    operation: accepted.operationId ?? '',
    invoice: await first('invoices'),
    member: await first('members'),
    person: await personOf(owner),
    apiKey: await first('apiKeys'),
    invitation: invited.invitationId ?? '',
    acting: session.actingId ?? '',
    hold,
    hardwareNode: (await list(staff, 'nodes'))[0] ?? '',
  };
  const other = '01890000-0000-7000-8000-000000000000';
  unknown = {
    account: idFromUuid('tenant', other),
    container: idFromUuid('container', other),
    operation: idFromUuid('operation', other),
    invoice: idFromUuid('invoice', other),
    member: idFromUuid('member', other),
    person: idFromUuid('person', other),
    apiKey: idFromUuid('apiKey', other),
    invitation: idFromUuid('invitation', other),
    acting: idFromUuid('acting', other),
    hold: idFromUuid('hold', other),
    hardwareNode: idFromUuid('node', other),
  };
  const customer = await running.anotherCustomer('neighbour');
  foreign = customer.client;
  foreignAccount = customer.id;
});
afterAll(closeAll);

test('every id is there for its owner (else the walls below prove nothing)', async () => {
  for (const [name, id] of Object.entries(theirs))
    expect(`${name} ${id}`).toMatch(/^\w+ \w+_\w{26}$/);
  for (const field of ['account', 'container', 'operation', 'invoice', 'person'] as const) {
    const { data } = await running.owner.ask(`query ($id: ID!) { it: ${field}(id: $id) { id } }`, {
      id: theirs[field],
    });
    expect(data).toEqual({ it: { id: theirs[field] } });
  }
});

test('a foreign id reads as null in every field that takes one, and exactly as an unknown id', async () => {
  for (const field of ['account', 'container', 'operation', 'invoice', 'person'] as const) {
    for (const document of [
      `query ($id: ID!) { it: ${field}(id: $id) { id } }`,
      'query ($id: ID!) { it: node(id: $id) { id } }',
    ]) {
      const foreignReply = await foreign.ask(document, { id: theirs[field] });
      expect(foreignReply).toMatchObject({ data: { it: null }, errors: [] });
      expect(await foreign.ask(document, { id: unknown[field] })).toEqual(foreignReply);
    }
  }
  // Staff things are told apart from missing ones by nobody else either.
  for (const field of ['hardwareNode', 'node']) {
    const document = `query ($id: ID!) { it: ${field}(id: $id) { id } }`;
    const seen = await foreign.ask(document, { id: theirs.hardwareNode });
    expect(seen.data?.['it'] ?? null).toBeNull();
    expect(await foreign.ask(document, { id: unknown.hardwareNode })).toEqual(seen);
  }
});

test('lists have only what is one’s own, also when they are asked for another account', async () => {
  const accounts = await list(foreign, 'accounts');
  expect(accounts).toEqual([foreignAccount]);
  expect(await list(foreign, 'containers')).toEqual([]);
  expect(await list(foreign, 'operations')).toEqual([]);
  expect(await list(foreign, 'invoices')).toEqual([]);
  expect(await list(foreign, 'members')).not.toContain(theirs.member);
  expect(await list(foreign, 'apiKeys')).not.toContain(theirs.apiKey);

  expect(await list(foreign, 'invitations')).toEqual([]);
  const lists = ['containers', 'operations', 'invoices', 'members', 'apiKeys', 'invitations'];
  for (const field of lists) {
    const document = `query ($id: ID!) { it: ${field}(first: 10, accountId: $id) { edges { node { id } } } }`;
    const seen = await foreign.ask(document, { id: theirs.account });
    const edges = z
      .object({ it: z.object({ edges: z.array(z.unknown()) }) })
      .nullable()
      .safeParse(seen.data);
    expect(edges.data?.it.edges ?? []).toEqual([]);
    expect(await foreign.ask(document, { id: unknown.account })).toEqual(seen);
  }
  const target = await foreign.ask(
    'query ($id: ID!) { it: operations(first: 10, targetId: $id) { edges { node { id } } } }',
    { id: theirs.container },
  );
  expect(target.data).toEqual({ it: { edges: [] } });
  for (const field of ['nodes', 'addressRanges']) {
    const { data, errors } = await foreign.ask(
      `{ it: ${field}(first: 10) { edges { node { id } } } }`,
    );
    expect(data?.['it'] ?? null).toBeNull();
    expect(errors.map(({ code }) => code)).toEqual(['FORBIDDEN']);
  }
});

/** Every mutation that takes an id, with that of another customer; and whether it is the staff's. */
const mutations: readonly (readonly [string, boolean, (ids: Things) => Record<string, unknown>])[] =
  [
    ['addAddresses', false, (ids) => ({ containerId: ids.container })],
    [
      'addMember',
      false,
      (ids) => ({ accountId: ids.account, email: 'm@x.example', name: 'M', role: 'OWNER' }),
    ],
    ['cancelOperation', false, (ids) => ({ operationId: ids.operation })],
    [
      'changeMemberRole',
      false,
      (ids) => ({ accountId: ids.account, memberId: ids.member, role: 'AUDITOR' }),
    ],
    ['removeMember', false, (ids) => ({ accountId: ids.account, memberId: ids.member })],
    [
      'inviteMember',
      false,
      (ids) => ({ accountId: ids.account, email: 'm@x.example', role: 'OWNER' }),
    ],
    [
      'withdrawInvitation',
      false,
      (ids) => ({ accountId: ids.account, invitationId: ids.invitation }),
    ],
    ['rotateApiKey', false, (ids) => ({ keyId: ids.apiKey })],
    ['startActing', true, (ids) => ({ accountId: ids.account, reason: 'envy' })],
    ['endActing', false, (ids) => ({ actingId: ids.acting })],
    [
      'createTenant',
      false,
      (ids) => ({
        ...{ parentId: ids.account, kind: 'SUB_ACCOUNT' },
        ...{ name: 'Below', email: 'm@x.example' },
      }),
    ],
    ['closeTenant', false, (ids) => ({ accountId: ids.account, reason: 'envy' })],
    ['closeMonth', true, (ids) => ({ accountId: ids.account, month: '2026-04' })],
    [
      'createApiKey',
      false,
      (ids) => ({ accountId: ids.account, memberId: ids.member, label: 'mine' }),
    ],
    ['erasePerson', false, (ids) => ({ personId: ids.person, reason: 'OBJECTION' })],
    ['liftHold', true, (ids) => ({ accountId: ids.account, holdId: ids.hold })],
    ['placeHold', true, (ids) => ({ accountId: ids.account, kind: 'ABUSE', reason: 'envy' })],
    [
      'provisionContainer',
      false,
      (ids) => ({
        accountId: ids.account,
        hostname: 'x.example.com',
        plan: '1000',
        imageId: running.seeded.imageId,
      }),
    ],
    [
      'renameContainer',
      false,
      (ids) => ({ containerId: ids.container, hostname: 'x.example.com' }),
    ],
    ['renameTenant', false, (ids) => ({ accountId: ids.account, name: 'Mine now' })],
    ['resumeContainer', true, (ids) => ({ containerId: ids.container, holdId: ids.hold })],
    ['revokeApiKey', false, (ids) => ({ keyId: ids.apiKey })],
    ['setLimit', true, (ids) => ({ accountId: ids.account, limit: null, reason: 'envy' })],
    [
      'suspendContainer',
      true,
      (ids) => ({ containerId: ids.container, kind: 'ABUSE', reason: 'envy' }),
    ],
    ['terminateContainer', false, (ids) => ({ containerId: ids.container, reason: 'envy' })],
  ];

test.each(mutations)(
  '%s on what is another’s does nothing and answers as on nothing',
  async (name, forStaff, input) => {
    const before = await running.lastFact();
    const answer = await foreign.mutate(name, input(theirs), 'wall');
    expect(answer.__typename).toBe(
      forStaff && answer.__typename === 'NotAllowed' ? 'NotAllowed' : 'NotFound',
    );
    expect(answer.message).toMatch(/\w{4,}/);
    // A message may repeat the id it was given, and nothing else may differ.
    const nowhere = await foreign.mutate(name, input(unknown), 'wall');
    expect(withoutIds(nowhere)).toEqual(withoutIds(answer));
    expect(await running.lastFact()).toBe(before);
  },
);

function withoutIds(answer: Result): Result {
  return { ...answer, message: answer.message?.replaceAll(/[a-z]+_[0-9a-z]{26}/g, 'ID') };
}

test('a member of one account gets no key for another: neither side of the pair may be foreign', async () => {
  const answer = await foreign.mutate('createApiKey', {
    accountId: foreignAccount,
    memberId: theirs.member,
    label: 'theirs for mine',
  });
  expect(answer).toMatchObject({ __typename: 'NotFound' });
});

const HistorySchema = z.object({
  it: z.object({
    history: z.object({
      edges: z.array(z.object({ node: z.object({ type: z.string(), data: z.unknown() }) })),
    }),
  }),
});

test('the history of an object has for its owner no field that is the staff’s', async () => {
  const document = (field: string) =>
    `query ($id: ID!) { it: ${field}(id: $id) { history(first: 100) { edges { node { type data } } } } }`;
  const read = async (client: Client, field: string, id: string) =>
    (await client.read(HistorySchema, document(field), { id })).it.history.edges.map((e) => e.node);
  const forOwner = await read(running.owner, 'container', theirs.container);
  const forStaff = await read(running.staff, 'container', theirs.container);
  expect(forOwner.length).toBeGreaterThan(3);
  expect(forStaff.length).toBeGreaterThanOrEqual(forOwner.length);
  const { hardwareNode } = theirs;
  // The node it is on, and where nodes get its image.
  for (const staffs of [hardwareNode, 'builtin:skel']) {
    expect(JSON.stringify(forStaff)).toContain(staffs);
    expect(JSON.stringify(forOwner)).not.toContain(staffs);
  }

  const operation = await read(running.owner, 'operation', theirs.operation);
  expect(operation.map(({ type }) => type)).toContain('provisioning.OperationSucceeded');
  expect(JSON.stringify(operation)).not.toContain(hardwareNode);
  expect(JSON.stringify(await read(running.staff, 'operation', theirs.operation))).toContain(
    hardwareNode,
  );
});
