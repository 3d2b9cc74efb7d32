/** Months of those below: whoever invoices them runs them, through the gateway, and nobody else. */
import { afterEach, expect, test } from '@jest/globals';
import { TenantCreated } from '@bivouac/events/accounts';
import { deriveId, instantOf, uuidOf } from '@bivouac/events/values';
import { z } from 'zod';

import { closeAll, limitOf, open, type Running } from './installation.ts';

afterEach(closeAll);

/** A tenant below the demo customer, recorded as its tree would. */
async function below(running: Running, name: string): Promise<string> {
  const { store, host } = running.installation;
  const { tenantId: parentId, homeId } = running.seeded.customer;
  const tenantId = deriveId('tenant', name);
  const stream = `tree-${homeId}`;
  const page = await store.readStream(stream, { direction: 'backwards', limit: 1 });
  const last = page.exists ? page.events[0] : undefined;
  if (last === undefined) throw new Error('the customer has no tree');
  const body = { tenantId, homeId, parentId, name, kind: 'sub-account', contact: null } as const;
  const { type, ...rest } = {
    ...host.registry.encode(TenantCreated(body)),
    type: TenantCreated.type,
  };
  const key = uuidOf('below', name);
  await store.append(stream, last.revision, [
    {
      ...{ ...rest, type, id: key, commandkey: key, correlationid: key, causationid: key },
      ...{ time: instantOf(running.clock.now()), inputhash: '', actorid: 'system:test' },
      ...{ tenantid: tenantId, homeid: homeId },
    },
  ]);
  await host.settled();
  return tenantId;
}

async function invoicesOf(running: Running, id: string): Promise<(string | undefined)[]> {
  const { account } = await running.owner.read(
    z.object({
      account: z.object({
        invoices: z.object({
          edges: z.array(z.object({ node: z.object({ issuer: z.object({ id: z.string() }) }) })),
        }),
      }),
    }),
    `query ($id: ID!) { account(id: $id) { invoices { edges { node { issuer { id } } } } } }`,
    { id },
  );
  return account.invoices.edges.map(({ node }) => node.issuer.id);
}

async function childCount({ staff }: Running, id: string): Promise<number> {
  const { operation } = await staff.read(
    z.object({ operation: z.object({ childCounts: z.object({ total: z.int() }) }) }),
    'query ($id: ID!) { operation(id: $id) { childCounts { total } } }',
    { id },
  );
  return operation.childCounts.total;
}

test('a reseller’s own staff close and run the months of its customers, not its own', async () => {
  const running = await open();
  const { owner, staff, clock, seeded } = running;
  const reseller = seeded.customer.tenantId;
  const customer = await below(running, 'a customer of the customer');
  const limit = { accountId: customer, limit: limitOf(5), reason: 'a customer' };
  await staff.mutate('setLimit', limit);
  await running.running({ accountId: customer });
  const now = new Date(clock.now());
  const month = now.toISOString().slice(0, 7);
  clock.moveTo(new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1)).toISOString());

  // It owes its own month to the provider: that is not its to rate.
  expect(await owner.mutate('closeMonth', { accountId: reseller, month })).toMatchObject({
    ...{ __typename: 'NotAllowed', code: 'NOT_ALLOWED', path: ['input', 'accountId'] },
  });
  const run = await owner.mutate('runMonth', { issuerId: reseller, month });
  expect(await running.end(run)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await invoicesOf(running, customer)).toEqual([reseller]);
  expect(await invoicesOf(running, reseller)).toEqual([]);
  // Again, one account alone: what is closed stays.
  const again = await owner.mutate('closeMonth', { accountId: customer, month });
  expect(await running.end(again)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await invoicesOf(running, customer)).toEqual([reseller]);
  // Who invoices nobody has nobody's month closed, and not its own.
  const nobody = await owner.mutate('runMonth', { issuerId: customer, month });
  expect(await running.end(nobody)).toMatchObject({ status: 'SUCCEEDED', targetId: customer });
  expect(await childCount(running, nobody.operationId ?? '')).toBe(0);
  expect(await invoicesOf(running, customer)).toEqual([reseller]);

  const { client: stranger } = await running.anotherCustomer('neighbour');
  for (const [name, input] of [
    ['closeMonth', { accountId: customer, month }],
    ['runMonth', { issuerId: reseller, month }],
  ] as const) {
    expect(await stranger.mutate(name, input)).toMatchObject({ __typename: 'NotFound' });
  }
});

test('a month takes the right to manage money, whoever is reached', async () => {
  const running = await open();
  const { owner, staff, seeded, installation } = running;
  const { tenantId: reseller } = seeded.customer;
  const customer = await below(running, 'a customer of the customer');
  const member = await staff.mutate('addMember', {
    ...{ accountId: reseller, email: 'tech@example.com', name: 'Tech', role: 'TECHNICIAN' },
  });
  await installation.host.settled();
  const { key } = await staff.mutate('createApiKey', {
    ...{ accountId: reseller, memberId: member.memberId, label: 'tech' },
  });
  await installation.host.settled();
  const month = '2020-01';
  for (const [client, answer] of [
    [running.client(key ?? ''), { __typename: 'NotAllowed' }],
    [owner, { __typename: 'OperationAccepted' }],
  ] as const) {
    expect(await client.mutate('closeMonth', { accountId: customer, month })).toMatchObject(answer);
  }
});
