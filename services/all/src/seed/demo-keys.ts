/** The keys of the demo, in files: made, with everything they are for, where they are missing. */
import { randomUUID } from 'node:crypto';
import { access, chmod, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Services } from '../installation.ts';
import { newKey, seed, type Seeded } from './seed.ts';

/** The file of the staff's key; the customer's is beside it. */
export async function demoKeys(
  host: Pick<Services, 'command' | 'settled'>,
  provider: Seeded['provider'],
  folder: string,
): Promise<string> {
  const file = join(folder, 'demo.key');
  if (await isThere(file)) return file;
  const { customer, ownerMemberId, staffMemberId } = await seed(host, provider);
  // A key cannot be shown twice: a start that was cut short here makes another.
  const attempt = randomUUID();
  const make = (tenant: Seeded['provider'], memberId: string, label: string): Promise<string> =>
    newKey(host, tenant, memberId, label, `${label}:${attempt}`);
  await writeSecret(
    join(folder, 'demo-customer.key'),
    await make(customer, ownerMemberId, 'demo customer'),
  );
  await writeSecret(file, await make(provider, staffMemberId, 'demo'));
  await host.settled();
  return file;
}

export async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** Whole or not at all, for its owner alone. */
export async function writeSecret(file: string, secret: string): Promise<void> {
  const fresh = `${file}.new`;
  await writeFile(fresh, `${secret}\n`, { mode: 0o600 });
  // The mode above counts only for a new file.
  await chmod(fresh, 0o600);
  await rename(fresh, file);
}
