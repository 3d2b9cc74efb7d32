/** A golden sample of every version of every event ever released is read for ever (law 14). */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';

import { accountsEvents } from './accounts/index.ts';
import { auditEvents } from './audit/index.ts';
import { billingEvents } from './billing/index.ts';
import { containersEvents } from './containers/index.ts';
import {
  canonicalBytes,
  type EventDefinition,
  eventRegistry,
  purposeOf,
  type StoredEvent,
} from './language/index.ts';
import { operationProtocolEvents } from './operations/index.ts';
import { packagesEvents } from './packages/index.ts';
import { operationEvents } from './provisioning/index.ts';
import { quotasEvents } from './quotas/index.ts';

const definitions: readonly EventDefinition[] = [
  ...accountsEvents,
  ...auditEvents,
  ...billingEvents,
  ...containersEvents,
  ...operationEvents,
  ...operationProtocolEvents,
  ...packagesEvents,
  ...quotasEvents,
];
const registry = eventRegistry(definitions);
const folder = join(process.cwd(), 'events', 'golden');

function stored(type: string, schemaver: number, data: Uint8Array): StoredEvent {
  return {
    id: '00000000-0000-5000-8000-000000000000',
    type,
    schemaver,
    time: '2026-04-10T09:00:00.000Z',
    tenantid: 't',
    homeid: 't',
    actorid: 'a',
    correlationid: 'c',
    causationid: 'c',
    commandkey: 'k',
    inputhash: 'h',
    data,
    stream: 'x-1',
    revision: 0n,
    position: '00000000000000000000',
    epoch: 'e',
  };
}

const versions = definitions.flatMap((definition) =>
  [...definition.schemas.keys()].map((version) => [definition.type, version] as const),
);

describe('golden samples', () => {
  test.each(versions)('%s v%i is read as the current version', (type, version) => {
    const file = join(folder, `${type}.v${version}.json`);
    expect(existsSync(file)).toBe(true);
    const body: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const recorded = registry.decode(stored(type, version, canonicalBytes(body)));
    expect(recorded?.type).toBe(type);
  });

  test('are kept only of types that are declared: a type is never dropped', () => {
    const known = new Set(versions.map(([type, version]) => `${type}.v${version}.json`));
    expect(readdirSync(folder).filter((file) => !known.has(file))).toEqual([]);
  });
});

describe('what is written', () => {
  const releasedFile = join(process.cwd(), 'events', 'released.json');
  const released = z
    .record(z.string(), z.int().min(1))
    .parse(JSON.parse(readFileSync(releasedFile, 'utf8')));

  test('was read by the release before: a release reads a version before any writes it', () => {
    const tooEarly = definitions.filter(({ type, writes }) => writes > (released[type] ?? 1));
    expect(tooEarly.map(({ type, writes }) => [type, writes])).toEqual([]);
  });

  test('says what its newest version says, as far as the older one has words for it', () => {
    for (const { type, version, writes } of definitions) {
      for (let older = writes; older < version; older++) {
        const writing = eventRegistry(definitions, new Map([[type, older]]));
        const body: unknown = JSON.parse(
          readFileSync(join(folder, `${type}.v${version}.json`), 'utf8'),
        );
        const newest = registry.decode(stored(type, version, canonicalBytes(body)));
        if (newest === undefined) throw new Error(`${type} is not declared`);
        const encoded = writing.encode(newest);
        const seen = writing.readBack(newest, encoded);
        // Written again it says the same: what an older version has words for is not bent by it.
        expect([type, older, writing.encode({ type, data: seen })]).toEqual([type, older, encoded]);
      }
    }
  });
});

test('every field whose name says that it is personal is sealed', () => {
  const personal = /e-?mail|phone|street|birth|firstName|lastName|personName/i;
  for (const definition of definitions) {
    for (const [name, field] of Object.entries(definition.schema.shape)) {
      if (!personal.test(name)) continue;
      expect([definition.type, name, purposeOf(field as never) === undefined]).toEqual([
        definition.type,
        name,
        false,
      ]);
    }
  }
});
