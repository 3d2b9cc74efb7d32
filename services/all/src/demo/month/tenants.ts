/** Who takes part in a month: resellers, their customers, direct customers, each with a key. */
import { PROVIDER_ID, TenantCreated } from '@bivouac/events/accounts';
import { deriveId, instantOf, uuidOf } from '@bivouac/events/values';
import { RuntimeError } from '@bivouac/infra/runtime';

import type { GraphqlClient } from '../graphql.ts';
import type { Running } from './running.ts';
import type { MonthSize } from './settings.ts';

export interface Tenant {
  readonly name: string;
  readonly id: string;
  /** Whose prices it pays, and who may charge it. */
  readonly issuerId: string;
  /** Its owner's. */
  readonly key: string;
}

export interface Tenants {
  readonly resellers: readonly Tenant[];
  readonly customers: readonly Tenant[];
}

/** Makes them all. Every third customer is a direct one, the others are the resellers' in turn. */
export async function makeTenants(
  running: Running,
  staff: GraphqlClient,
  { customers, resellers }: MonthSize,
): Promise<Tenants> {
  const made: Tenant[] = [];
  for (let i = 1; i <= resellers; i++) {
    const name = `Reseller ${i}`;
    const id = await createBelow(running, name);
    made.push(await withOwner(running, staff, { name, id, issuerId: PROVIDER_ID }));
  }
  const list: Tenant[] = [];
  for (let i = 1; i <= customers; i++) {
    const name = `Customer ${i}`;
    const above = i % 3 === 0 ? undefined : made[Math.floor((i - 1) / 3 + i) % made.length];
    const id =
      above === undefined
        ? await createCustomer(staff, name)
        : await createBelow(running, name, above.id);
    const issuerId = above?.id ?? PROVIDER_ID;
    list.push(await withOwner(running, staff, { name, id, issuerId }));
  }
  return { resellers: made, customers: list };
}

async function createCustomer(staff: GraphqlClient, name: string): Promise<string> {
  const email = `${name.toLowerCase().replace(' ', '')}@example.com`;
  const select = '... on CustomerCreated { accountId }';
  const { accountId, message } = await staff.mutate(
    'createCustomer',
    { name, email },
    name,
    select,
  );
  if (accountId === undefined) throw new RuntimeError('defect', `${name}: ${message ?? ''}`);
  return accountId;
}

/** A reseller, or a customer of one: the fact itself, as there is no command for it yet. */
async function createBelow(running: Running, name: string, above?: string): Promise<string> {
  const { store, host } = running.installation;
  const tenantId = deriveId('tenant', 'month', name);
  const homeId = above ?? tenantId;
  const created = TenantCreated({
    ...{ tenantId, homeId, name, contact: null },
    kind: above === undefined ? 'reseller' : 'customer',
    parentId: above ?? PROVIDER_ID,
  });
  const commandkey = uuidOf('month', 'tenant', name);
  const stream = `tree-${homeId}`;
  const page = await store.readStream(stream, { direction: 'backwards', limit: 1 });
  await store.append(stream, page.exists ? page.head : 'no-stream', [
    {
      ...{ ...host.registry.encode(created), id: uuidOf(commandkey, '0'), type: created.type },
      ...{ time: instantOf(running.now), tenantid: tenantId, homeid: homeId, commandkey },
      ...{ actorid: 'system:month', correlationid: commandkey, causationid: commandkey },
      inputhash: '',
    },
  ]);
  return tenantId;
}

async function withOwner(
  running: Running,
  staff: GraphqlClient,
  tenant: Omit<Tenant, 'key'>,
): Promise<Tenant> {
  await running.installation.host.settled();
  const { id: accountId, name } = tenant;
  const { memberId } = await staff.mutate(
    'addMember',
    {
      ...{ accountId, role: 'OWNER', name: `Owner of ${name}` },
      email: `owner@${name.toLowerCase().replace(' ', '')}.example`,
    },
    `owner of ${name}`,
    '... on MemberAdded { memberId }',
  );
  await running.installation.host.settled();
  const { key, message } = await staff.mutate(
    'createApiKey',
    { accountId, memberId, label: 'month' },
    `key of ${name}`,
    '... on ApiKeyCreated { key }',
  );
  if (typeof key !== 'string') throw new RuntimeError('defect', `${name}: ${message ?? ''}`);
  return { ...tenant, key };
}
