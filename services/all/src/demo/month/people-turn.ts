/** What happens to an account's people when it is their turn: some come, some go, some are erased. */
import type { Role } from '@bivouac/events/accounts';

import { Draws } from '../../draws.ts';
import type { GraphqlClient } from '../graphql.ts';
import { type Gateway, type People, personOf } from './people.ts';
import type { Tally } from './tally.ts';
import type { Tenant } from './tenants.ts';

/** How often what is drawn, where nobody is waiting to come in. */
const wishes = { invite: 4, role: 3, rotate: 2, remove: 2, erase: 4, 'erase contact': 2 } as const;

const roles: Readonly<Record<Exclude<Role, 'staff'>, number>> = {
  ...{ owner: 1, admin: 2, member: 4, technician: 3, billing: 2, auditor: 2 },
};

const GROUNDS = ['CONSENT_WITHDRAWN', 'NO_LONGER_NEEDED', 'OBJECTION'] as const;

export async function peopleTurn(
  at: { readonly seed: number; readonly turn: number },
  { id: accountId, name, key }: Tenant,
  people: People,
  clients: { readonly as: Gateway; readonly staff: GraphqlClient },
  tally: Tally,
): Promise<void> {
  const draws = new Draws(at.seed, `people of ${name} ${at.turn}`);
  const { as, staff } = clients;
  const owner = as(key);
  const id = `${name} ${at.turn}`;
  const send = tally.send.bind(tally);
  if (people.waiting(accountId) > 0) {
    if (draws.chance(0.8)) await people.accept(as, accountId, id, send);
    else await people.withdraw(owner, accountId, id, send);
    return;
  }
  const some = draws.pick(people.others(accountId));
  const wish = draws.weighted(wishes);
  if (wish === 'erase contact') {
    const contact = people.contacts.find((one) => one.accountId === accountId && !one.erased);
    if (contact !== undefined) await people.erase(staff, contact, GROUNDS[1], id, send);
    return;
  }
  if (wish === 'invite' || some === undefined) {
    const role = draws.weighted(roles);
    const given = personOf(`Helper ${at.turn} of ${name}`);
    await people.invite(owner, { accountId, role, ...given }, id, send);
    return;
  }
  switch (wish) {
    case 'role':
      await people.changeRole(owner, some, draws.weighted(roles), id, send);
      return;
    case 'rotate':
      await people.rotate(as, some, id, send);
      return;
    case 'remove':
      await people.remove(owner, some, id, send);
      return;
    case 'erase': {
      const by = draws.pick([as(some.key), owner, staff]) ?? staff;
      await people.erase(by, some, draws.pick(GROUNDS) ?? GROUNDS[0], id, send);
    }
  }
}
