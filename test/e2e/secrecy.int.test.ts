/** Canaries: keys, e-mail addresses and people's names are nowhere in the data folder in clear. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, expect, test } from '@jest/globals';
import { z } from 'zod';

import { closeAll, open } from './installation.ts';

afterEach(closeAll);

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
}

/** As the bytes may lie: plain, in base64 at each of its three offsets, in UTF-16. */
function disguises(secret: string): readonly Buffer[] {
  const base64 = [0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset, 'x'), Buffer.from(secret)])
      .toString('base64')
      .slice(4, -4),
  );
  return [
    Buffer.from(secret),
    Buffer.from(secret, 'utf16le'),
    ...base64.map((t) => Buffer.from(t)),
  ];
}

async function found(folder: string, secrets: readonly string[]): Promise<string[]> {
  const hits: string[] = [];
  for (const file of await filesUnder(folder)) {
    const bytes = await readFile(file).catch((error: unknown) => {
      // Written beside and renamed since it was listed; at rest nothing is passed over.
      const missing = z.object({ code: z.literal('ENOENT') }).safeParse(error).success;
      if (!missing) throw error;
      return undefined;
    });
    if (bytes === undefined) continue;
    for (const secret of secrets) {
      if (disguises(secret).some((one) => bytes.includes(one))) hits.push(`${secret} in ${file}`);
    }
  }
  return hits;
}

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
  expect(secrets.every((secret) => secret.length >= 10)).toBe(true);
  // The search can find: what is public is there.
  expect(await found(folder, ['Public Company Name'])).not.toEqual([]);
  // While it runs, with the WAL; and at rest.
  expect(await found(folder, secrets)).toEqual([]);
  await running.stop();
  expect(await found(folder, secrets)).toEqual([]);
  expect(seeded.customer.tenantId).not.toBe(accountId);
}, 20_000);
