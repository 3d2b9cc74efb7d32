/** The command handlers of a person's erasure: whether the tenant has them, and who may. */
import { PROVIDER_ID } from '@bivouac/events/accounts';
import { mayUse, type Principal } from '@bivouac/events/language';
import { type CommandHandler, handler, type LoadAggregate } from '@bivouac/infra/runtime';
import type { z } from 'zod';

import { members, person, retention, tree } from '../aggregates.ts';
import { ErasePerson, EraseRetained, SetRetention } from '../api/persons.ts';
import { effectiveRights } from '../domain/effective-rights.ts';
import { membersStream, personOfMember } from '../domain/members.ts';
import { erasePerson, eraseRetained, personStream } from '../domain/person.ts';
import { retentionStream, setRetention } from '../domain/retention.ts';
import { treeStream } from '../domain/tree.ts';
import { knownMember, knownTenant } from './edge.ts';

type Wish = z.output<typeof ErasePerson.input>;

const erasePersonHandler = handler(ErasePerson, person, {
  stream: ({ personId }) => personStream(personId),
  owner: ({ tenantId, homeId }) => ({ tenantId, homeId }),
  prepare: async (wish, _ports, { principal, load }) => ({
    input: {
      ...wish,
      purposes: wish.purposes,
      retention: (await load(retention, retentionStream(PROVIDER_ID))).state.years,
      known: await isKnown(wish, load),
      mayErase: await mayErase(wish, principal, load),
    },
  }),
  decide: erasePerson,
  result: (_events, { personId }) => ({ personId }),
});

const eraseRetainedHandler = handler(EraseRetained, person, {
  stream: ({ personId }) => personStream(personId),
  decide: eraseRetained,
  result: (_events, { personId }) => ({ personId }),
});

const setRetentionHandler = handler(SetRetention, retention, {
  stream: () => retentionStream(PROVIDER_ID),
  owner: () => ({ tenantId: PROVIDER_ID, homeId: PROVIDER_ID }),
  decide: setRetention,
  result: (_events, { purpose, years }) => ({ purpose, years }),
});

export const personCommands: readonly CommandHandler[] = [
  erasePersonHandler,
  eraseRetainedHandler,
  setRetentionHandler,
];

/** Whether a person is erased as a contact, and so acts for nobody. */
export async function isErasedContact(load: LoadAggregate, personId: string): Promise<boolean> {
  return (await load(person, personStream(personId))).state.erased.has('contact');
}

/** That a tenant has, or had, a person does not change any more. */
async function isKnown(
  { personId, tenantId, homeId, as }: Wish,
  load: LoadAggregate,
): Promise<boolean> {
  const tenant = (await load(tree, treeStream(homeId))).state.tenants.get(tenantId);
  if (tenant === undefined) return false;
  if (as.kind === 'contact') return tenant.contacts.has(personId);
  const people = (await load(members, membersStream(tenantId))).state;
  return personOfMember(people, as.memberId) === personId;
}

/** Themselves, who manages the account, the staff that manage customers. */
async function mayErase(
  { as, tenantId, homeId }: Wish,
  { memberId, reach, rights }: Principal,
  load: LoadAggregate,
): Promise<boolean> {
  if (mayUse(rights, reach === 'all' ? 'customers.manage' : 'account.manage')) return true;
  if (as.kind !== 'member' || memberId !== as.memberId) return false;
  // It cannot be taken back: a key that is confined to less than its member may do, and lies about in
  // some program for that reason, must not do it.
  const tenant = await knownTenant(load, homeId, tenantId);
  const member = await knownMember(load, tenantId, memberId);
  if (tenant === undefined || member === undefined) return false;
  return effectiveRights(member.role, tenant, null).every((right) => mayUse(rights, right));
}
