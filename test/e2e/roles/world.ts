/**
 * Accounts in every relation to each other, each with its things, and people of every role: a
 * reseller with two customers below it, a customer elsewhere, the provider.
 */
import { join } from 'node:path';

import { PROVIDER_ID, type Role, TenantCreated } from '@bivouac/events/accounts';
import { deriveId, instantOf, uuidOf } from '@bivouac/events/values';
import { z } from 'zod';

import type { Client } from '../client.ts';
import { limitOf, newFolder, open, type Running } from '../installation.ts';
import { people, rolesOf } from '../people.ts';
import { writeRepository } from '../repository.ts';
import type { Things } from './table.ts';

export type Place = 'reseller' | 'child' | 'sibling' | 'foreign';

export interface Viewer {
  readonly name: string;
  readonly role: Role;
  readonly of: 'provider' | 'reseller' | 'child';
  readonly client: Client;
}

export interface World {
  readonly running: Running;
  readonly things: Readonly<Record<Place, Things>>;
  readonly viewers: readonly Viewer[];
}

const ids: Readonly<Record<Place, string>> = {
  reseller: deriveId('tenant', 'roles: reseller'),
  child: deriveId('tenant', 'roles: child'),
  sibling: deriveId('tenant', 'roles: sibling'),
  foreign: deriveId('tenant', 'roles: foreign'),
};
const places = Object.keys(ids) as Place[];

/** Makes it. Their containers have run, were charged, and are gone again. */
export async function makeWorld(): Promise<World> {
  // Thousands of requests at one moment of the clock: no bucket is to stand in their way.
  const plenty = '1000000000';
  const running = await open({
    settings: { COST_CAPACITY: plenty, STAFF_COST_CAPACITY: plenty },
  });
  const { staff, installation, seeded, clock } = running;
  await makeTenants(running);
  for (const place of places) {
    await staff.mutate('setLimit', {
      accountId: ids[place],
      limit: limitOf(20),
      reason: 'a customer',
    });
  }
  await installation.host.settled();
  const orders = new Map<Place, string>();
  const containers = new Map<Place, string>();
  for (const place of places) {
    const ended = await running.end(
      await running.order(
        { accountId: ids[place], hostname: `${place}.example.com` },
        place,
        staff,
      ),
    );
    if (ended.status !== 'SUCCEEDED') throw new Error(`${place}: ${JSON.stringify(ended)}`);
    orders.set(place, ended.id);
    containers.set(place, ended.targetId);
  }
  for (const place of places) {
    const containerId = containers.get(place);
    await running.end(await staff.mutate('terminateContainer', { containerId, reason: 'to end' }));
  }
  clock.moveTo('2026-05-01T01:00:00.000Z');
  await running.quiet();
  for (const place of places) {
    await running.end(
      await staff.mutate('closeMonth', { accountId: ids[place], month: '2026-04' }),
    );
  }
  await running.quiet();
  const repository = await makeRepository(running);
  // What has an inventory is there as long as its container.
  for (const place of places) {
    await running.end(
      await running.order(
        { accountId: ids[place], hostname: `${place}-stays.example.com`, plan: 'basic' },
        `${place} stays`,
        staff,
      ),
    );
  }
  await running.quiet();
  const things = await Promise.all(
    places.map(async (place) => {
      const made = await thingsOf(running, ids[place]);
      const container = containers.get(place) ?? '';
      const operation = orders.get(place) ?? '';
      const kindBelow = place === 'reseller' ? 'CUSTOMER' : 'SUB_ACCOUNT';
      const platform = { repository, image: seeded.imageId };
      return [place, { ...made, ...platform, container, operation, kindBelow }] as const;
    }),
  );
  await installation.host.settled();
  const viewers: Viewer[] = [];
  for (const tenant of ['provider', 'reseller', 'child'] as const) {
    const provider = tenant === 'provider';
    const account = provider ? installation.provider.tenantId : ids[tenant];
    const clients = await people(running, account, rolesOf(provider));
    for (const [role, client] of clients) {
      viewers.push({ name: `${role} of ${tenant}`, role, of: tenant, client });
    }
  }
  return { running, things: Object.fromEntries(things) as Record<Place, Things>, viewers };
}

/** As the accounts service would write it: a tree is its home and what is below. */
async function makeTenants({ installation, staff }: Running): Promise<void> {
  const { host, store } = installation;
  const tree = async (home: Place, kinds: Partial<Record<Place, 'reseller' | 'customer'>>) => {
    const commandkey = uuidOf('roles', home);
    const events = Object.entries(kinds).map(([place, kind], i) => {
      const tenantId = ids[place as Place];
      const body = TenantCreated({
        ...{ tenantId, homeId: ids[home], kind, name: place, contact: null },
        parentId: place === home ? PROVIDER_ID : ids[home],
      });
      return {
        ...host.registry.encode(body),
        ...{ id: uuidOf(commandkey, String(i)), type: body.type },
        ...{ time: instantOf(Date.parse('2026-04-10T09:00:00.000Z')), tenantid: tenantId },
        ...{ homeid: ids[home], actorid: 'system:test', correlationid: commandkey },
        ...{ causationid: commandkey, commandkey, inputhash: 'none' },
      };
    });
    await store.append(`tree-${ids[home]}`, 'no-stream', events);
  };
  await tree('reseller', { reseller: 'reseller', child: 'customer', sibling: 'customer' });
  await tree('foreign', { foreign: 'customer' });
  await host.settled();
  // What is open below a customer stands against closing it.
  for (const place of places.filter((one) => one !== 'reseller')) {
    await staff.mutate('createTenant', {
      ...{ parentId: ids[place], kind: 'SUB_ACCOUNT', name: `below ${place}` },
      email: `below@${place}.example`,
    });
  }
  await host.settled();
}

/** One that offers a package with a file. */
async function makeRepository({ staff }: Running): Promise<string> {
  const baseUrl = await writeRepository(join(await newFolder(), 'repository'), [
    { name: 'offered', version: '1.0', release: '1', files: ['/usr/bin/offered'] },
  ]);
  const { repositoryId = '' } = await staff.mutate('registerRepository', {
    ...{ name: 'offers', baseUrl, arch: 'x86_64' },
  });
  const read = await staff.mutate('syncRepository', { repositoryId });
  if (read.code !== undefined) throw new Error(JSON.stringify(read));
  return repositoryId;
}

const ids1 = z.object({ edges: z.array(z.object({ node: z.object({ id: z.string() }) })) });

/**
 * The account's invoice taken back, a payment, a member with a key that was revoked, an invitation
 * withdrawn, a session of the staff that has ended.
 */
async function thingsOf(running: Running, accountId: string) {
  const { staff, installation } = running;
  const settled = (): Promise<void> => installation.host.settled();
  const invoices = await first(staff, `invoices(first: 1, accountId: "${accountId}")`);
  await staff.mutate('voidInvoice', { accountId, invoiceId: invoices, reason: 'a mistake' });
  await staff.mutate('recordPayment', {
    ...{ accountId, reference: 'paid' },
    amount: { amount: '1.00', currency: 'EUR' },
  });
  const { memberId = '' } = await staff.mutate('addMember', {
    ...{ accountId, email: 'spare@people.example', name: 'Spare', role: 'MEMBER' },
  });
  await settled();
  const { keyId = '' } = await staff.mutate('createApiKey', {
    ...{ accountId, memberId, label: 'spare' },
  });
  await settled();
  await staff.mutate('revokeApiKey', { keyId });
  const { invitationId = '' } = await staff.mutate('inviteMember', {
    ...{ accountId, email: 'guest@people.example', role: 'AUDITOR' },
  });
  const { actingId = '' } = await staff.mutate('startActing', { accountId, reason: 'asked to' });
  await settled();
  await staff.mutate('withdrawInvitation', { accountId, invitationId });
  await staff.mutate('endActing', { actingId });
  await settled();
  const { members } = await staff.read(
    z.object({
      members: z.object({
        edges: z.array(z.object({ node: z.object({ id: z.string(), personId: z.string() }) })),
      }),
    }),
    `{ members(accountId: "${accountId}") { edges { node { id personId } } } }`,
  );
  const { account } = await staff.read(
    z.object({ account: z.object({ creditNotes: ids1 }) }),
    `{ account(id: "${accountId}") { creditNotes { edges { node { id } } } } }`,
  );
  return {
    account: accountId,
    invoice: invoices,
    creditNote: account.creditNotes.edges[0]?.node.id ?? '',
    member: memberId,
    person: members.edges.find(({ node }) => node.id === memberId)?.node.personId ?? '',
    apiKey: keyId,
    invitation: invitationId,
    acting: actingId,
    plan: await planId(staff),
    node: await first(staff, 'nodes(first: 1)'),
    range: await first(staff, 'addressRanges(first: 1)'),
  };
}

async function planId(staff: Client): Promise<string> {
  const { plan } = await staff.read(
    z.object({ plan: z.object({ id: z.string() }) }),
    '{ plan(code: "1000") { id } }',
  );
  return plan.id;
}

async function first(client: Client, field: string): Promise<string> {
  const { it } = await client.read(
    z.object({ it: ids1 }),
    `{ it: ${field} { edges { node { id } } } }`,
  );
  const id = it.edges[0]?.node.id;
  if (id === undefined) throw new Error(`${field} is empty`);
  return id;
}
