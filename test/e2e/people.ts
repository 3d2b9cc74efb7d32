/** People of an account: a member of a role with a key, as a client. */
import { type Role, RoleSchema } from '@bivouac/events/accounts';

import type { Client } from './client.ts';
import type { Running } from './installation.ts';

/** Roles that can be given with the provider and with every other account. */
export const rolesOf = (provider: boolean): readonly Role[] =>
  RoleSchema.options.filter((role) => provider || role !== 'staff');

/** A new member of each role, by role. */
export async function people(
  running: Running,
  accountId: string,
  roles: readonly Role[],
): Promise<ReadonlyMap<Role, Client>> {
  const { staff, installation } = running;
  const members = await Promise.all(
    roles.map(async (role) => {
      const member = await staff.mutate('addMember', {
        accountId,
        email: `${role}@people.example`,
        name: `The ${role}`,
        role: role.toUpperCase(),
      });
      return { role, memberId: member.memberId };
    }),
  );
  await installation.host.settled();
  const keys = await Promise.all(
    members.map(({ role, memberId }) =>
      staff.mutate('createApiKey', { accountId, memberId, label: `${role} of ${accountId}` }),
    ),
  );
  await installation.host.settled();
  return new Map(
    members.map(({ role }, i) => {
      const { key } = keys[i] ?? {};
      if (typeof key !== 'string') throw new Error(`no key: ${JSON.stringify(keys[i])}`);
      return [role, running.client(key)];
    }),
  );
}
