/** The command handlers of a person's erasure: whether the tenant has them, and who may. */
import { mayUse, type Principal } from '@bivouac/events/language';
import { type CommandHandler, handler, type LoadAggregate } from '@bivouac/infra/runtime';
import type { z } from 'zod';

import { member, person, tree } from './aggregates.ts';
import { ErasePerson, EraseRetained } from './api/persons.ts';
import { memberStream } from './domain/member.ts';
import { erasePerson, eraseRetained, personStream, type Retention } from './domain/person.ts';
import { treeStream } from './domain/tree.ts';

type Wish = z.output<typeof ErasePerson.input>;

/** What laws of most of our customers' countries have invoices and audit trails kept for, in years. */
const retention: Retention = { contact: 0, invoice: 10, audit: 1 };

const erasePersonHandler = handler(ErasePerson, person, {
  stream: ({ personId }) => personStream(personId),
  owner: ({ tenantId, homeId }) => ({ tenantId, homeId }),
  prepare: async (wish, _ports, { principal, load }) => ({
    input: {
      ...wish,
      purposes: wish.purposes,
      retention,
      known: await isKnown(wish, load),
      mayErase: mayErase(wish, principal),
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

export const personCommands: readonly CommandHandler[] = [erasePersonHandler, eraseRetainedHandler];

/** Whether a person is erased as a contact, and so acts for nobody. */
export async function isErasedContact(load: LoadAggregate, personId: string): Promise<boolean> {
  return (await load(person, personStream(personId))).state.erased.has('contact');
}

/** That a tenant has, or had, a person does not change any more. */
async function isKnown(
  { personId, tenantId, homeId, as }: Wish,
  load: LoadAggregate,
): Promise<boolean> {
  if (as.kind === 'contact') {
    const { tenants } = (await load(tree, treeStream(homeId))).state;
    return tenants.get(tenantId)?.contacts.has(personId) === true;
  }
  const { added } = (await load(member, memberStream(as.memberId))).state;
  return added?.personId === personId && added.tenantId === tenantId && added.homeId === homeId;
}

/** Themselves, by any key; who manages the account; the staff that manage customers. */
function mayErase({ as }: Wish, principal: Principal): boolean {
  if (as.kind === 'member' && principal.memberId === as.memberId) return true;
  return mayUse(
    principal.rights,
    principal.reach === 'all' ? 'customers.manage' : 'account.manage',
  );
}
