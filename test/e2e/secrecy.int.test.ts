/** Canaries: keys, e-mail addresses and people's names are nowhere in the data folder in clear. */
import { afterEach, expect, test } from '@jest/globals';

import { foundUnder } from './canaries.ts';
import { closeAll, open } from './installation.ts';

afterEach(closeAll);

test('after a run, no file of the data folder has a key, an address or a name in clear', async () => {
  const running = await open();
  const { staff, seeded, installation, folder } = running;
  const person = { email: 'canary.wren@secret.example', name: 'Wren Canarybird' };
  const created = await staff.mutate('createCustomer', {
    name: 'Public Company Name',
    email: 'canary.contact@secret.example',
    contactName: 'Connie Canarycontact',
  });
  await installation.host.settled();
  const accountId = created.accountId ?? '';
  const member = await staff.mutate('addMember', { accountId, ...person, role: 'OWNER' });
  await installation.host.settled();
  const made = await staff.mutate('createApiKey', {
    accountId,
    memberId: member.memberId,
    label: 'canary',
  });
  await installation.host.settled();
  await running.running();
  // They are kept, and the one who may know reads them.
  const { data } = await staff.ask(
    'query ($id: ID!) { account(id: $id) { contact { email name } } members(first: 9, accountId: $id) { edges { node { email name } } } }',
    { id: accountId },
  );
  expect(JSON.stringify(data)).toContain(person.email);
  expect(JSON.stringify(data)).toContain('Connie Canarycontact');

  const secrets = [
    ...[made.key ?? '', running.keys.owner, running.keys.staff].map((key) => key.slice(-30)),
    person.email,
    person.name,
    'canary.contact@secret.example',
    'Connie Canarycontact',
    'owner@customer.example',
    'Olga Owner',
    'technician@provider.example',
  ];
  // The search can find: what is public is there.
  expect(await foundUnder(folder, ['Public Company Name'])).not.toEqual([]);
  // While it runs, with the WAL; and at rest.
  expect(await foundUnder(folder, secrets)).toEqual([]);
  await running.stop();
  expect(await foundUnder(folder, secrets)).toEqual([]);
  expect(seeded.customer.tenantId).not.toBe(accountId);
});
