/** What `viewerCan…` says is what the mutation answers and the container does, by role and lifecycle. */
import { readFileSync } from 'node:fs';

import { type Role, RoleSchema } from '@bivouac/events/accounts';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildSchema, isObjectType } from 'graphql';
import { z } from 'zod';

import type { Client, Result } from './client.ts';
import { closeAll, limitOf, open, type Running } from './installation.ts';
import { people, rolesOf } from './people.ts';

let running: Running;
let own: ReadonlyMap<Role, Client>;
let staff: ReadonlyMap<Role, Client>;

beforeAll(async () => {
  running = await open();
  own = await people(running, running.seeded.customer.tenantId, rolesOf(false));
  staff = await people(running, running.installation.provider.tenantId, rolesOf(true));
  // What is open below the account stands against closing it.
  await running.owner.mutate('createTenant', sub(running.seeded.customer.tenantId));
  await running.installation.host.settled();
});
afterAll(closeAll);

const sdl = buildSchema(
  readFileSync(new URL('../../graphql/schema.graphql', import.meta.url), 'utf8'),
);

function fieldsOf(type: string): string[] {
  const found = sdl.getType(type);
  const fields = isObjectType(found) ? Object.keys(found.getFields()) : [];
  return fields.filter((name) => name.startsWith('viewerCan')).sort();
}

let names = 0;
const sub = (parentId: string, kind = 'SUB_ACCOUNT') => ({
  ...{ parentId, kind, name: `below ${++names}`, email: `x${names}@x.example` },
});

interface Subject {
  readonly id: string;
  readonly leaseIds: readonly string[];
}

/** Each field with the mutation it speaks of. */
const mutations: Readonly<
  Record<string, readonly [string, (container: Subject) => Record<string, unknown>]>
> = {
  viewerCanStart: ['startContainer', () => ({})],
  viewerCanStop: ['stopContainer', () => ({})],
  viewerCanRestart: ['restartContainer', () => ({})],
  viewerCanFreeze: ['freezeContainer', () => ({})],
  viewerCanThaw: ['thawContainer', () => ({})],
  viewerCanRename: ['renameContainer', () => ({ hostname: 'another.example.com' })],
  viewerCanResize: ['resizeContainer', () => ({ plan: '2000' })],
  viewerCanAddAddresses: ['addAddresses', () => ({})],
  viewerCanRemoveAddresses: [
    'removeAddress',
    ({ leaseIds }) => ({ leaseIds: leaseIds.slice(0, 1) }),
  ],
  viewerCanDelete: ['deleteContainer', () => ({ reason: 'not needed' })],
  viewerCanRestore: ['restoreContainer', () => ({})],
  viewerCanTerminate: ['terminateContainer', () => ({ reason: 'not needed' })],
  viewerCanSuspend: ['suspendContainer', () => ({ kind: 'STAFF', reason: 'looked at' })],
};

/** How a container comes to be as it is to be looked at. */
const standings: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
  running: () => Promise.resolve(),
  stopped: (containerId) => done('stopContainer', { containerId }),
  frozen: (containerId) => done('freezeContainer', { containerId }),
  held: (containerId) => done('suspendContainer', { containerId, kind: 'ABUSE', reason: 'a tip' }),
  deleted: (containerId) => done('deleteContainer', { containerId, reason: 'not needed' }),
  gone: (containerId) => done('terminateContainer', { containerId, reason: 'not needed' }),
  'with more addresses': (containerId) => done('addAddresses', { containerId }),
};

async function done(name: string, input: Record<string, unknown>): Promise<void> {
  const ended = await running.end(await running.staff.mutate(name, input));
  if (ended.status !== 'SUCCEEDED') throw new Error(`${name}: ${JSON.stringify(ended)}`);
}

/** What the container itself refuses by how it stands. */
const itsOwn = /^(CONTAINER_|RESTORE_WINDOW_ENDED|LAST_ADDRESS|ADDRESS_UNKNOWN)/;

/** Whether it came to something: accepted, and not refused by the container afterwards. */
async function comesToSomething(result: Result): Promise<boolean> {
  if (result.code !== undefined) return false;
  if (result.operationId === undefined) return true;
  const { error } = await running.end(result);
  return error === null || !itsOwn.test(error.code);
}

async function viewerCan(client: Client, id: string): Promise<Record<string, boolean>> {
  const { container } = await client.read(
    z.object({ container: z.record(z.string(), z.boolean()) }),
    `query ($id: ID!) { container(id: $id) { ${fieldsOf('Container').join(' ')} } }`,
    { id },
  );
  return container;
}

async function subject(id: string): Promise<Subject> {
  const { container } = await running.staff.read(
    z.object({
      container: z.object({ addresses: z.array(z.object({ leaseId: z.string() })) }),
    }),
    'query ($id: ID!) { container(id: $id) { addresses { leaseId } } }',
    { id },
  );
  return { id, leaseIds: container.addresses.map(({ leaseId }) => leaseId) };
}

const fresh = (): Promise<string> =>
  running.running({ hostname: `c${++names}.example.com`, plan: 'basic' });

test('each viewerCan… of a container has its mutation here', () => {
  expect(Object.keys(mutations).sort()).toEqual(fieldsOf('Container'));
});

describe.each(Object.keys(standings))('a container that is %s', (standing) => {
  test('does what the owner and the staff are told they can, and nothing else', async () => {
    const tried: Record<string, boolean> = {};
    const told: Record<string, boolean> = {};
    for (const [field, [mutation, input]] of Object.entries(mutations)) {
      const id = await fresh();
      await standings[standing]?.(id);
      const who = field === 'viewerCanSuspend' ? running.staff : running.owner;
      told[field] = (await viewerCan(who, id))[field] ?? false;
      const result = await who.mutate(mutation, { containerId: id, ...input(await subject(id)) });
      tried[field] = await comesToSomething(result);
    }
    expect(told).toEqual(tried);
  }, 600_000);

  test('says no to every role whose rights the mutation refuses, and only to those', async () => {
    const id = await fresh();
    await standings[standing]?.(id);
    const container = await subject(id);
    const possible = await viewerCan(running.staff, id);
    for (const [role, client] of [...own, ...staff]) {
      const can = await viewerCan(client, id);
      for (const [field, [mutation, input]] of Object.entries(mutations)) {
        // What is possible and allowed was tried above, and would change it here.
        if (can[field] === true) {
          expect([role, field, possible[field]]).toEqual([role, field, true]);
          continue;
        }
        if (possible[field] !== true) continue;
        const answer = await client.mutate(mutation, { containerId: id, ...input(container) });
        expect([role, field, answer.__typename]).toEqual([role, field, 'NotAllowed']);
      }
    }
  });
});

describe('an account', () => {
  const changes: Readonly<
    Record<string, (id: string, below?: string) => readonly [string, object]>
  > = {
    viewerCanRename: (accountId) => ['renameTenant', { accountId, name: `Name ${++names}` }],
    viewerCanCreateTenant: (accountId, below) => ['createTenant', sub(accountId, below)],
    viewerCanClose: (accountId) => ['closeTenant', { accountId, reason: 'not needed' }],
    viewerCanActFor: (accountId) => ['startActing', { accountId, reason: 'asked to', minutes: 1 }],
    viewerCanManagePeople: (accountId) => [
      'addMember',
      { accountId, email: `x${++names}@x.example`, name: 'X', role: 'MEMBER' },
    ],
    viewerCanOrder: (accountId) => [
      'provisionContainer',
      {
        ...{ accountId, hostname: `o${++names}.example.com`, plan: 'basic' },
        imageId: running.seeded.imageId,
      },
    ],
    viewerCanHold: (accountId) => ['placeHold', { accountId, kind: 'STAFF', reason: 'looked at' }],
  };

  test.each(RoleSchema.options)('lets a %s do what it says, and nothing else', async (role) => {
    const account = running.seeded.customer.tenantId;
    expect(Object.keys(changes).sort()).toEqual(fieldsOf('Account'));
    for (const client of [own.get(role), staff.get(role)]) {
      if (client === undefined) continue;
      for (const [field, change] of Object.entries(changes)) {
        const { account: seen } = await client.read(
          z.object({ account: z.record(z.string(), z.boolean()) }),
          `query ($id: ID!) { account(id: $id) { ${field} } }`,
          { id: account },
        );
        const [name, input] = change(account);
        const answer = await client.mutate(name, { ...input });
        expect([role, field, answer.__typename !== 'NotAllowed']).toEqual([
          role,
          field,
          seen[field],
        ]);
        if (field !== 'viewerCanHold' || typeof answer.holdId !== 'string') continue;
        await running.installation.host.settled();
        await running.staff.mutate('liftHold', { accountId: account, holdId: answer.holdId });
        await running.installation.host.settled();
      }
    }
  });

  /** What each field says, and whether its change came to something when it was tried then. */
  async function looked(client: Client, account: string, below: string) {
    const told: Record<string, boolean | undefined> = {};
    const tried: Record<string, boolean> = {};
    for (const [field, change] of Object.entries(changes)) {
      const { account: seen } = await client.read(
        z.object({ account: z.record(z.string(), z.boolean()) }),
        `query ($id: ID!) { account(id: $id) { ${field} } }`,
        { id: account },
      );
      told[field] = seen[field];
      const [name, input] = change(account, below);
      const answer = await client.mutate(name, { ...input });
      // What is closed already stays so, and nothing is done.
      tried[field] =
        answer.code === undefined
          ? answer.position !== null
          : answer.__typename !== 'NotAllowed' && answer.code !== 'TENANT_CLOSED';
      if (answer.operationId !== undefined) {
        tried[field] = (await running.end(answer)).error?.code !== 'TENANT_CLOSED';
      }
      await running.installation.host.settled();
      if (typeof answer.holdId !== 'string') continue;
      await running.staff.mutate('liftHold', { accountId: account, holdId: answer.holdId });
      await running.installation.host.settled();
    }
    return { told, tried };
  }
  const allowed = ({ told }: Awaited<ReturnType<typeof looked>>): string[] =>
    Object.keys(told).filter((field) => told[field] === true);

  test('says so to who is above it, to the staff who act for it, and once it is closed', async () => {
    const { staff: provider, installation, clock } = running;
    const settled = (): Promise<void> => installation.host.settled();
    const { accountId: reseller = '' } = await provider.mutate('createCustomer', {
      ...{ name: 'Reseller', email: 'r@x.example', kind: 'RESELLER' },
    });
    await settled();
    const { accountId: child = '' } = await provider.mutate(
      'createTenant',
      sub(reseller, 'CUSTOMER'),
    );
    await settled();
    await provider.mutate('createTenant', sub(child));
    for (const accountId of [reseller, child]) {
      await provider.mutate('setLimit', { accountId, limit: limitOf(20), reason: 'a customer' });
    }
    await settled();
    const above = (await people(running, reseller, ['owner'])).get('owner');
    const inside = (await people(running, child, ['owner'])).get('owner');
    const { actingId = '' } = await provider.mutate('startActing', {
      ...{ accountId: child, reason: 'asked to' },
    });
    await settled();
    const acting = running.client(running.keys.staff, { 'acting-id': actingId });
    if (above === undefined || inside === undefined) throw new Error('no owners');
    const all = Object.keys(changes);
    const ofStaff = ['viewerCanActFor', 'viewerCanHold'];
    const without = (...fields: readonly string[]) => all.filter((one) => !fields.includes(one));
    const expected = [
      [above, reseller, without(...ofStaff, 'viewerCanClose')],
      [above, child, without(...ofStaff)],
      [inside, child, without(...ofStaff, 'viewerCanClose')],
      [acting, child, ['viewerCanOrder']],
      [provider, child, all],
    ] as const;
    for (const [client, account, fields] of expected) {
      const seen = await looked(client, account, account === reseller ? 'CUSTOMER' : 'SUB_ACCOUNT');
      expect(seen.told).toEqual(seen.tried);
      expect(allowed(seen)).toEqual(fields);
    }

    const { accounts } = await provider.read(
      z.object({
        accounts: z.object({ edges: z.array(z.object({ node: z.object({ id: z.string() }) })) }),
      }),
      'query ($id: ID!) { accounts(first: 100, filter: { parentId: $id }) { edges { node { id } } } }',
      { id: child },
    );
    for (const accountId of [...accounts.edges.map(({ node }) => node.id), child]) {
      const closed = await provider.mutate('closeTenant', { accountId, reason: 'not needed' });
      expect(closed.code).toBeUndefined();
    }
    await settled();
    // What a gateway remembers of a key is forgotten by then.
    clock.moveTo(clock.now() + 2000);
    const closed = [
      [above, ['viewerCanRename']],
      [inside, []],
      [acting, []],
      [provider, ['viewerCanRename', 'viewerCanActFor', 'viewerCanHold']],
    ] as const;
    for (const [client, fields] of closed) {
      const seen = await looked(client, child, 'SUB_ACCOUNT');
      expect(seen.told).toEqual(seen.tried);
      expect(allowed(seen)).toEqual(fields);
    }
  });
});

// The last: afterwards no node answers any more.
test('while an operation is at work on a container, only its name can be changed', async () => {
  const id = await fresh();
  await running.installation.nodes.stop();
  const stopping = await running.owner.mutate('stopContainer', { containerId: id });
  await running.whenStep(stopping, 'power');
  await running.installation.host.settled();
  const can = Object.entries(await viewerCan(running.owner, id)).filter(([, yes]) => yes);
  expect(can.map(([field]) => field)).toEqual(['viewerCanRename']);
});
