/** The command handlers of a person's erasure: whether the tenant has them, and who may. */
import { PROVIDER_ID } from '@bivouac/events/accounts';
import { mayUse, type Principal } from '@bivouac/events/language';
import { type CommandHandler, handler, type LoadAggregate } from '@bivouac/infra/runtime';
import type { z } from 'zod';

import { member, person, retention, tree } from '../aggregates.ts';
import { ErasePerson, EraseRetained, SetRetention } from '../api/persons.ts';
import { memberStream } from '../domain/member.ts';
import { erasePerson, eraseRetained, personStream } from '../domain/person.ts';
import { retentionStream, setRetention } from '../domain/retention.ts';
import { treeStream } from '../domain/tree.ts';

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
