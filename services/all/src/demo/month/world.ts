/** What there is before the first order of a month: the catalog, price lists, limits, payment terms. */
import { PROVIDER_ID } from '@bivouac/events/accounts';
import { RuntimeError } from '@bivouac/infra/runtime';
import { z } from 'zod';

import { Draws } from '../../draws.ts';
import type { GraphqlClient } from '../graphql.ts';
import { newKey, seed as seedInstallation } from '../../seed/seed.ts';
import { offerPackages, repositoryOf } from './packages.ts';
import { People } from './people.ts';
import type { Running } from './running.ts';
import type { MonthSize } from './settings.ts';
import { makeTenants, type Tenants } from './tenants.ts';

export interface World extends Tenants {
  readonly imageId: string;
  /** The staff's. */
  readonly staffKey: string;
  readonly people: People;
}

/** What is ordered, by code; that of Berlin is charged by another calendar. */
export const PLANS = ['basic', '1000', '2000', 'berlin'] as const;

/** Of every other node, and asked for now and then. */
export const LABEL = 'ssd';

const GIB = 1024n ** 3n;

export function eur(cents: number) {
  return { amount: (cents / 100).toFixed(2), currency: 'EUR' };
}

/** Room for so many containers, of which not all can be large. */
export function limitOf(containers: number) {
  return {
    containers,
    cpuMillis: containers * 1500,
    memoryBytes: (BigInt(containers) * GIB * 5n) / 4n + '',
    diskBytes: (BigInt(containers) * GIB * 6n).toString(),
    addresses: containers * 3,
  };
}

/** Makes it on an empty installation. */
export async function makeWorld(running: Running, seed: number, size: MonthSize): Promise<World> {
  const { host, provider } = running.installation;
  const seeded = await seedInstallation(host, provider);
  const staffKey = await newKey(host, provider, seeded.staffMemberId, 'staff', 'month staff');
  await host.settled();
  const staff = running.as(staffKey);
  const does = async (
    name: string,
    input: Record<string, unknown>,
    key: string,
    client = staff,
  ): Promise<void> => {
    const { code, message } = await client.mutate(name, input, `world ${key}`);
    if (code !== undefined) throw new RuntimeError('defect', `${key}: ${message ?? code}`);
  };

  const limits = { cpuMillis: 700, processes: 200, cpuUnits: 700 };
  const sizes = { memoryBytes: ((GIB * 3n) / 4n).toString(), diskBytes: (3n * GIB).toString() };
  await does(
    'definePlan',
    {
      ...{ code: 'berlin', name: 'Berlin', zone: 'Europe/Berlin', includedAddresses: 2 },
      limits: { ...limits, ...sizes },
      ...{ monthly: eur(1777), setup: eur(0), extraAddressMonthly: eur(133) },
    },
    'plan berlin',
  );
  const labelled = await nodesToLabel(staff);
  for (const nodeId of labelled) {
    await does('labelNode', { nodeId, labels: [LABEL] }, `label of ${nodeId}`);
  }
  await offerPackages(running.folder, '1', async (baseUrl) => {
    const register = { name: 'el9-month', baseUrl, arch: 'x86_64' };
    await does('registerRepository', register, 'repository');
  });
  await host.settled();
  await does('syncRepository', { repositoryId: await repositoryOf(staff) }, 'first sync');
  const people = new People(() => running.now);
  const tenants = await makeTenants(running, staff, size, people);
  await host.settled();
  const draws = new Draws(seed, 'world');
  await does('setPaymentTerm', { issuerId: PROVIDER_ID, days: 2 }, 'payment term');
  for (const { id, name } of tenants.customers) {
    const limit = limitOf(draws.between(2, 6));
    await does('setLimit', { accountId: id, limit, reason: 'a customer' }, `limit of ${name}`);
  }
  for (const { id, name, key } of tenants.resellers) {
    const below = tenants.customers.filter(({ issuerId }) => issuerId === id).length;
    const limit = limitOf(below * 3);
    await does('setLimit', { accountId: id, limit, reason: 'a reseller' }, `limit of ${name}`);
    await does('setPaymentTerm', { issuerId: id, days: 1 }, `payment term of ${name}`);
    for (const [i, planCode] of PLANS.entries()) {
      // What a list does not name costs what it costs the reseller.
      if (!draws.chance(0.7)) continue;
      const monthly = eur(900 + 700 * i + draws.between(0, 299));
      const setup = eur(draws.chance(0.5) ? draws.between(100, 1500) : 0);
      const extraAddressMonthly = eur(draws.between(90, 310));
      const price = { issuerId: id, planCode, monthly, setup, extraAddressMonthly };
      await does('setPrice', price, `price of ${name} for ${planCode}`, running.as(key));
    }
  }
  await host.settled();
  return { ...tenants, imageId: seeded.imageId, staffKey, people };
}

/** Every other node. */
async function nodesToLabel(staff: GraphqlClient): Promise<string[]> {
  const { nodes } = await staff.send(
    z.object({
      nodes: z.object({ edges: z.array(z.object({ node: z.object({ id: z.string() }) })) }),
    }),
    '{ nodes(first: 100) { edges { node { id } } } }',
  );
  return nodes.edges.flatMap(({ node }, i) => (i % 2 === 0 ? [node.id] : []));
}
