/** People and accounts over the gateway: from a reseller to an order of its customer's sub-account. */
import { afterEach, expect, test } from '@jest/globals';
import { z } from 'zod';

import type { Client } from './client.ts';
import { closeAll, limitOf, open, type Running } from './installation.ts';

afterEach(closeAll);

const contact = { email: 'anna@example.com', contactName: 'Anna Example' };

/** The result of a mutation that must be done, after everything has come to rest. */
async function done(
  running: Running,
  client: Client,
  name: string,
  input: Record<string, unknown>,
) {
  const result = await client.mutate(name, input);
  if (result.code !== undefined) throw new Error(`${name}: ${result.code} ${result.message}`);
  await running.installation.host.settled();
  return result;
}

/** Somebody who was invited and has accepted: a client by the key they got. */
async function invited(running: Running, by: Client, accountId: string, role: string) {
  const { token } = await done(running, by, 'inviteMember', {
    accountId,
    role,
    email: contact.email,
  });
  const accepted = await done(running, running.client(token ?? ''), 'acceptInvitation', {
    name: 'Berta Example',
  });
  return { client: running.client(accepted.key ?? ''), ...accepted };
}

async function accountOf(client: Client, id: string) {
  const { account } = await client.read(
    z.object({
      account: z.object({
        kind: z.string(),
        parent: z.object({ id: z.string() }).nullable(),
        holds: z.array(z.object({ accountId: z.string(), kind: z.string() })),
        actings: z.object({
          edges: z.array(z.object({ node: z.object({ id: z.string(), reason: z.string() }) })),
        }),
      }),
    }),
    `query ($id: ID!) { account(id: $id) { kind parent { id } holds { accountId kind }
      actings { edges { node { id reason } } } } }`,
    { id },
  );
  return account;
}

/** A reseller with a customer with a sub-account, each with an owner who was invited. */
async function tree(running: Running) {
  const { staff } = running;
  const { accountId: reseller = '' } = await done(running, staff, 'createCustomer', {
    ...{ ...contact, name: 'Reseller', kind: 'RESELLER' },
  });
  const seller = await invited(running, staff, reseller, 'OWNER');
  const { accountId: customer = '' } = await done(running, seller.client, 'createTenant', {
    ...{ ...contact, parentId: reseller, kind: 'CUSTOMER', name: 'Customer' },
  });
  const buyer = await invited(running, seller.client, customer, 'OWNER');
  const { accountId: sub = '' } = await done(running, buyer.client, 'createTenant', {
    ...{ ...contact, parentId: customer, kind: 'SUB_ACCOUNT', name: 'Project' },
  });
  for (const accountId of [reseller, customer, sub]) {
    await done(running, staff, 'setLimit', { accountId, limit: limitOf(5), reason: 'test' });
  }
  return { reseller, customer, sub, seller, buyer };
}

test('whoever was invited comes in by their own key, and is shut out when removed', async () => {
  const running = await open();
  const { owner, seeded } = running;
  const accountId = seeded.customer.tenantId;
  const guest = await invited(running, owner, accountId, 'TECHNICIAN');
  const { viewer } = await guest.client.read(
    z.object({ viewer: z.object({ role: z.string(), memberId: z.string(), rights: z.unknown() }) }),
    '{ viewer { role memberId rights } }',
  );
  expect(viewer).toMatchObject({ role: 'TECHNICIAN', memberId: guest.memberId });
  expect(await running.order({}, undefined, guest.client)).toMatchObject({ code: 'NOT_ALLOWED' });
  const rotated = await done(running, guest.client, 'rotateApiKey', { keyId: guest.keyId });
  const again = running.client(rotated.key ?? '');
  expect((await again.ask('{ viewer { role } }')).status).toBe(200);
  await running.installation.host.settled();
  const lists = await owner.read(
    z.object({
      invitations: z.object({ edges: z.array(z.object({ node: z.unknown() })) }),
      apiKeys: z.object({ edges: z.array(z.object({ node: z.unknown() })) }),
    }),
    `{ invitations { edges { node { role email status } } }
       apiKeys { edges { node { id label scopes usedOn } } } }`,
  );
  expect(lists.invitations.edges.map(({ node }) => node)).toEqual([
    { role: 'TECHNICIAN', email: contact.email, status: 'ACCEPTED' },
  ]);
  const day = new Date(running.clock.now()).toISOString().slice(0, 10);
  expect(lists.apiKeys.edges.map(({ node }) => node)).toContainEqual({
    ...{ id: guest.keyId, label: 'first key', scopes: null, usedOn: day },
  });
  await done(running, owner, 'removeMember', { accountId, memberId: guest.memberId });
  running.clock.moveTo(running.clock.now() + 2000);
  for (const client of [guest.client, again]) {
    expect((await client.ask('{ viewer { role } }')).status).toBe(401);
  }
  expect(
    await owner.mutate('removeMember', { accountId, memberId: seeded.ownerMemberId }),
  ).toMatchObject({ code: 'LAST_OWNER', path: ['input', 'memberId'] });
});

test('a sub-account orders, what holds its reseller holds it, and another born below too', async () => {
  const running = await open();
  const { reseller, customer, sub, buyer } = await tree(running);
  const first = await running.order({ accountId: sub }, undefined, buyer.client);
  const ended = await running.end(first);
  expect(ended).toMatchObject({ status: 'SUCCEEDED' });

  const hold = async (accountId: string, kind: string) =>
    (await done(running, running.staff, 'placeHold', { accountId, kind, reason: 'because' }))
      .holdId ?? '';
  const above = await hold(reseller, 'BILLING');
  const own = await hold(customer, 'ABUSE');
  await running.quiet();
  expect(await running.container(ended.targetId)).toMatchObject({
    observed: { state: 'STOPPED' },
  });
  const { accountId: born = '' } = await done(running, buyer.client, 'createTenant', {
    ...{ ...contact, parentId: customer, kind: 'SUB_ACCOUNT', name: 'Born later' },
  });
  expect((await accountOf(running.staff, born)).holds).toEqual([
    { accountId: customer, kind: 'ABUSE' },
    { accountId: reseller, kind: 'BILLING' },
  ]);
  const { accounts } = await running.staff.read(
    z.object({
      accounts: z.object({ edges: z.array(z.object({ node: z.object({ id: z.string() }) })) }),
    }),
    `query ($parent: ID!) { accounts(filter: { parentId: $parent, held: true, closed: false, kind: SUB_ACCOUNT }) {
      edges { node { id } } } }`,
    { parent: customer },
  );
  expect(accounts.edges.map(({ node }) => node.id)).toEqual([sub, born]);
  for (const accountId of [sub, born]) {
    const refused = await running.order({ accountId }, undefined, running.staff);
    expect(await running.end(refused)).toMatchObject({
      status: 'FAILED',
      error: { code: 'TENANT_ON_HOLD' },
    });
  }

  await done(running, running.staff, 'liftHold', { accountId: reseller, holdId: above });
  await running.quiet();
  expect(await running.container(ended.targetId)).toMatchObject({
    observed: { state: 'STOPPED' },
  });
  await done(running, running.staff, 'liftHold', { accountId: customer, holdId: own });
  await running.quiet();
  expect(await running.container(ended.targetId)).toMatchObject({
    observed: { state: 'RUNNING' },
  });
});

test('staff act for an account within it alone, and the account and its log show that they did', async () => {
  const running = await open();
  const { staff, seeded, owner, keys } = running;
  const accountId = seeded.customer.tenantId;
  const { actingId = '' } = await done(running, staff, 'startActing', {
    ...{ accountId, reason: 'Ticket 4711', minutes: 30 },
  });
  const acting = running.client(keys.staff, { 'acting-id': actingId });
  const { accounts } = await acting.read(
    z.object({
      accounts: z.object({ edges: z.array(z.object({ node: z.object({ id: z.string() }) })) }),
    }),
    '{ accounts { edges { node { id } } } }',
  );
  expect(accounts.edges.map(({ node }) => node.id)).toEqual([accountId]);
  expect(await acting.mutate('renameTenant', { accountId, name: 'Mine' })).toMatchObject({
    code: 'NOT_ALLOWED',
  });
  const ordered = await running.order({}, undefined, acting);
  expect(await running.end(ordered)).toMatchObject({ status: 'SUCCEEDED' });
  // Also what the contexts did about it; what a node answers begins a correlation of its own.
  const { events } = await running.installation.store.readHome(accountId, { limit: 10_000 });
  const carried = events.filter((event) => event.correlationid.startsWith(`${actingId}/`));
  expect([...new Set(carried.map((event) => event.type.split('.')[0]))]).toEqual(
    expect.arrayContaining(['provisioning', 'operations', 'quotas', 'containers']),
  );
  const { viewer } = await staff.read(
    z.object({ viewer: z.object({ keyId: z.string() }) }),
    '{ viewer { keyId } }',
  );
  expect(carried.map((event) => event.actorid)).toContain(viewer.keyId);
  expect((await accountOf(owner, accountId)).actings.edges).toEqual([
    { node: { id: actingId, reason: 'Ticket 4711' } },
  ]);
  await done(running, owner, 'endActing', { actingId });
  running.clock.moveTo(running.clock.now() + 2000);
  expect((await acting.ask('{ viewer { role } }')).status).toBe(401);
  expect((await staff.ask('{ viewer { role } }')).status).toBe(200);
});

test('a closed account is read, and nothing is changed in it', async () => {
  const running = await open();
  const { staff, owner, seeded } = running;
  const accountId = seeded.customer.tenantId;
  const containerId = await running.running();
  expect(await owner.mutate('closeTenant', { accountId, reason: 'x' })).toMatchObject({
    code: 'NOT_BELOW_YOU',
  });
  await done(running, staff, 'closeTenant', { accountId, reason: 'Moved away' });
  running.clock.moveTo(running.clock.now() + 2000);
  expect(await running.knows(containerId, owner)).toBe(true);
  expect(await running.order()).toMatchObject({ code: 'NOT_ALLOWED' });
  const ordered = await running.order({}, undefined, staff);
  expect(await running.end(ordered)).toMatchObject({ error: { code: 'TENANT_CLOSED' } });
  const ended = await staff.mutate('terminateContainer', { containerId, reason: 'closed' });
  expect(await running.end(ended)).toMatchObject({ status: 'SUCCEEDED' });
});
