// What `bivouac identity new` writes is what processes and services read.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openIdentity, openTrustedCallers } from '@bivouac/infra/calls';
import { systemClock } from '@bivouac/infra/runtime';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { run } from './run.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bivouac-identity-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('a new identity is its owner’s alone, and services that read the other file answer it', async () => {
  const inside = join(folder, 'identities');
  const made = await run(['identity', 'new', '--name', 'gateway', '--folder', inside]);
  expect(made).toMatchObject({ exitCode: 0, text: expect.stringContaining('IDENTITY_FILE') });
  await run(['identity', 'new', '--name', 'endpoint', '--folder', inside]);
  expect(readdirSync(inside).sort()).toEqual([
    'endpoint.json',
    'gateway.json',
    'trusted-callers.json',
  ]);
  expect(statSync(join(inside, 'gateway.json')).mode & 0o777).toBe(0o600);
  const shared = readFileSync(join(inside, 'trusted-callers.json'), 'utf8');
  expect(shared).not.toContain('PRIVATE');
  const trusted = await openTrustedCallers(join(inside, 'trusted-callers.json'));
  for (const [name, kinds] of [
    ['gateway', ['member', 'key', 'system']],
    ['endpoint', ['node', 'system']],
  ] as const) {
    const identity = await openIdentity(join(inside, `${name}.json`));
    const token = await identity.tokenFor('billing', systemClock);
    expect(await trusted.callerOf(token, 'billing', systemClock)).toMatchObject({
      caller: { name, principals: new Set(kinds) },
    });
  }
});

test('an identity that is there stays; a second key of its name is another file', async () => {
  const of = (...more: string[]) =>
    run(['identity', 'new', '--name', 'gateway', '--folder', folder, '--json', ...more]);
  await of();
  const before = readFileSync(join(folder, 'gateway.json'), 'utf8');
  expect(await of()).toMatchObject({ exitCode: 2, text: expect.stringContaining('--file') });
  expect(readFileSync(join(folder, 'gateway.json'), 'utf8')).toBe(before);
  const second = await of('--file', 'gateway-2');
  expect(JSON.parse(second.text)).toMatchObject({
    ok: true,
    identity: join(folder, 'gateway-2.json'),
    trusted: join(folder, 'trusted-callers.json'),
  });
  const trusted = await openTrustedCallers(join(folder, 'trusted-callers.json'));
  for (const file of ['gateway.json', 'gateway-2.json']) {
    const token = await (await openIdentity(join(folder, file))).tokenFor('quotas', systemClock);
    expect(await trusted.callerOf(token, 'quotas', systemClock)).toHaveProperty('caller');
  }
});

test.each([
  [['identity', 'new'], '--name gateway'],
  [['identity', 'new', '--name', '../gateway'], 'is no name'],
  [['identity', 'new', '--name', 'reports'], '--principals system'],
  [['identity', 'new', '--name', 'reports', '--principals', 'root'], 'expected member, key'],
  [['identity', 'old', '--name', 'gateway'], 'There is no command identity old'],
])('%j is refused with what to write instead', async (args, says) => {
  expect(await run([...args, '--folder', folder])).toMatchObject({
    exitCode: 2,
    text: expect.stringContaining(says),
  });
  expect(readdirSync(folder)).toEqual([]);
});

test('a caller of one’s own speaks for whom it is told', async () => {
  const made = await run([
    'identity',
    'new',
    '--name',
    'reports',
    '--principals',
    'system,key',
    '--folder',
    folder,
  ]);
  expect(made.text).toContain('system, key');
});
