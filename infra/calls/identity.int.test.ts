/** Files of identities that cannot be used are refused with their name and the remedy. */
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { ManualClock } from '../runtime/clock.ts';
import { openIdentity } from './identity.ts';
import { createIdentity } from './new-identity.ts';
import { Bench } from './sample-calls.ts';
import { openTrustedCallers } from './trusted.ts';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.end());

const at = (name: string): string => join(bench.folder, name);
const refusal = (code: string, says: string) => ({
  name: 'IdentityError',
  code,
  message: expect.stringContaining(says),
});

test('a token is handed out until it is half used, one for each service', async () => {
  const { identity } = await bench.trustedFile();
  const gateway = await openIdentity(identity);
  const clock = new ManualClock('2026-04-01T00:00:00.000Z');
  const of = (service: string) => gateway.tokenFor(service, clock);
  const first = await of('billing');
  expect(await of('billing')).toBe(first);
  expect(await of('quotas')).not.toBe(first);
  clock.advance(29_999);
  expect(await of('billing')).toBe(first);
  clock.advance(1);
  const second = await of('billing');
  expect(second).not.toBe(first);
  // Set back: what was signed later is not valid yet.
  clock.advance(-600_000);
  expect(await of('billing')).not.toBe(second);
});

test('an identity that is missing, open to others, damaged or not one of its keys is refused', async () => {
  const { identity } = await bench.trustedFile();
  await expect(openIdentity(at('none.json'))).rejects.toMatchObject(
    refusal('missing', 'identity new'),
  );
  chmodSync(identity, 0o640);
  await expect(openIdentity(identity)).rejects.toMatchObject(refusal('exposed', 'chmod 600'));
  chmodSync(identity, 0o600);
  const good = JSON.parse(readFileSync(identity, 'utf8')) as Record<string, string>;
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const other = generateKeyPairSync('ed25519').privateKey;
  const pem = (key: typeof rsa): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
  for (const text of [
    ...['', '{', '[]', '{}'],
    ...[
      { ...good, name: 'Gateway' },
      { ...good, privateKey: 'x' },
      { ...good, privateKey: pem(other) },
      { ...good, privateKey: pem(rsa) },
      { ...good, more: 1 },
    ].map((value) => JSON.stringify(value)),
  ]) {
    writeFileSync(identity, text);
    await expect(openIdentity(identity)).rejects.toMatchObject(
      refusal('unreadable', 'is no identity'),
    );
  }
});

test('a file of trusted callers that is missing or damaged is refused, with every field named', async () => {
  await expect(openTrustedCallers(at('none.json'))).rejects.toMatchObject(
    refusal('missing', 'identity new'),
  );
  const key = 'A'.repeat(43);
  const says = async (text: string): Promise<string> => {
    writeFileSync(at('trusted.json'), text);
    return openTrustedCallers(at('trusted.json')).then(
      () => 'opened',
      (error: unknown) => String(error),
    );
  };
  const file = (entry: object) => JSON.stringify({ gateway: entry });
  expect(await says('{')).toContain('is no JSON');
  expect(await says('[]')).toContain('IdentityError');
  expect(await says(file({ keys: [], principals: ['key'] }))).toContain('gateway.keys');
  expect(await says(file({ keys: ['short'], principals: ['key'] }))).toContain('gateway.keys.0');
  // A policy speaks in its own process alone.
  expect(await says(file({ keys: [key], principals: ['policy'] }))).toContain(
    'gateway.principals.0',
  );
  expect(await says(file({ keys: [key], principals: [], any: 1 }))).toMatch(
    /principals.*any|any.*principals/,
  );
  expect(await says(JSON.stringify({ '': { keys: [key], principals: ['key'] } }))).toContain(
    'expected a name',
  );
  expect(await says('{}')).toBe('opened');
});

test('a damaged file of trusted callers is not written over', async () => {
  writeFileSync(at('trusted-callers.json'), '{"gateway":');
  await expect(createIdentity({ folder: bench.folder, name: 'seed' })).rejects.toMatchObject(
    refusal('unreadable', 'trusted-callers.json'),
  );
  expect(readFileSync(at('trusted-callers.json'), 'utf8')).toBe('{"gateway":');
});

test('a folder that cannot be made is named with the remedy', async () => {
  writeFileSync(at('file'), '');
  await expect(createIdentity({ folder: at('file/inside'), name: 'seed' })).rejects.toMatchObject(
    refusal('unreadable', 'a file, not a folder'),
  );
});
