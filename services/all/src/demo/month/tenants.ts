/**
 * Who takes part in a month: resellers, whom the staff enter, their customers, whom they enter with
 * their own keys, direct customers, and the owner of each with a key.
 */
import { PROVIDER_ID } from '@bivouac/events/accounts';
import { RuntimeError } from '@bivouac/infra/runtime';

import type { GraphqlClient } from '../graphql.ts';
import { type Gateway, type People, personOf } from './people.ts';
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
  people: People,
): Promise<Tenants> {
  const as: Gateway = (key) => running.as(key);
  const settled = () => running.installation.host.settled();
  const made: Tenant[] = [];
  for (let i = 1; i <= resellers; i++) {
    const name = `Reseller ${i}`;
    const id = await enter(staff, 'createCustomer', { name, kind: 'RESELLER' }, people);
    await settled();
    const key = await addOwner({ name, id }, staff, as, people, settled);
    await people.invite(
      as(key),
      { accountId: id, role: 'billing', ...personOf(`Cashier of ${name}`) },
      name,
    );
    await settled();
    await people.accept(as, id, name);
    made.push({ name, id, issuerId: PROVIDER_ID, key });
  }
  const list: Tenant[] = [];
  for (let i = 1; i <= customers; i++) {
    const name = `Customer ${i}`;
    const above = i % 3 === 0 ? undefined : made[Math.floor((i - 1) / 3 + i) % made.length];
    const by = above === undefined ? staff : as(above.key);
    const id =
      above === undefined
        ? await enter(by, 'createCustomer', { name }, people)
        : await enter(by, 'createTenant', { name, kind: 'CUSTOMER', parentId: above.id }, people);
    await settled();
    // Some owners are entered with a key, others come by an invitation.
    const bring = i % 2 === 0 ? inviteOwner : addOwner;
    const key = await bring({ name, id }, by, as, people, settled);
    list.push({ name, id, issuerId: above?.id ?? PROVIDER_ID, key });
  }
  return { resellers: made, customers: list };
}

type Named = Pick<Tenant, 'name' | 'id'>;
type Settled = () => Promise<void>;

async function enter(
  by: GraphqlClient,
  mutation: 'createCustomer' | 'createTenant',
  input: { readonly name: string; readonly [field: string]: string },
  people: People,
): Promise<string> {
  const contact = personOf(`Contact of ${input.name}`);
  const payload = mutation === 'createCustomer' ? 'CustomerCreated' : 'TenantCreated';
  const { accountId, message } = await by.mutate(
    mutation,
    { ...input, contactName: contact.name, email: contact.email },
    input.name,
    `... on ${payload} { accountId }`,
  );
  if (accountId === undefined) throw new RuntimeError('defect', `${input.name}: ${message ?? ''}`);
  people.contact(accountId, contact);
  return accountId;
}

async function addOwner(
  { id: accountId, name }: Named,
  by: GraphqlClient,
  _as: Gateway,
  people: People,
  settled: Settled,
): Promise<string> {
  const owner = personOf(`Owner of ${name}`);
  const { memberId, message } = await by.mutate(
    'addMember',
    { accountId, role: 'OWNER', ...owner },
    `owner of ${name}`,
    '... on MemberAdded { memberId }',
  );
  if (memberId === undefined) throw new RuntimeError('defect', `${name}: ${message ?? ''}`);
  await settled();
  const { key, message: why } = await by.mutate(
    'createApiKey',
    { accountId, memberId, label: 'month' },
    `key of ${name}`,
    '... on ApiKeyCreated { key }',
  );
  if (typeof key !== 'string') throw new RuntimeError('defect', `${name}: ${why ?? ''}`);
  people.joined({ accountId, memberId, role: 'owner', ...owner, key });
  await settled();
  return key;
}

async function inviteOwner(
  { id: accountId, name }: Named,
  by: GraphqlClient,
  as: Gateway,
  people: People,
  settled: Settled,
): Promise<string> {
  const owner = personOf(`Owner of ${name}`);
  await people.invite(by, { accountId, role: 'owner', ...owner }, `owner of ${name}`);
  await settled();
  const key = await people.accept(as, accountId, `owner of ${name}`);
  await settled();
  if (key === undefined) throw new RuntimeError('defect', `${name} has no owner`);
  return key;
}
