/** A release reads a version before any release writes it (law 14). */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';

import { customer } from './audience.ts';
import { formatPosition, type StoredEvent } from './envelope.ts';
import { event, type Upcaster } from './event.ts';
import { eventRegistry } from './registry.ts';
import { writtenVersionProblems } from './versions.ts';

const v1 = z.strictObject({ euros: customer(z.number()) });
const v2 = z.strictObject({ cents: customer(z.int()) });
const v3 = z.strictObject({ cents: customer(z.int()), reason: customer(z.string().nullable()) });

const toV2: Upcaster = {
  from: 1,
  to: 2,
  upcast: ({ euros }) => ({ cents: Math.round(Number(euros) * 100) }),
  downcast: ({ cents }) => ({ euros: Number(cents) / 100 }),
};
const toV3: Upcaster = {
  from: 2,
  to: 3,
  upcast: (body) => ({ ...body, reason: null }),
  // What version 2 has no field for is not said.
  downcast: ({ cents }) => ({ cents }),
};
const oneWay = ({ from, to, upcast }: Upcaster): Upcaster => ({ from, to, upcast });

const past = { 1: v1, 2: v2 };
const Charged = event('test.Charged', v3, {
  schemas: past,
  upcasters: [toV2, toV3],
  writes: 2,
});
const Noted = event('test.Noted', z.strictObject({ text: customer(z.string()) }));
const written = (version: number) => new Map([[Charged.type, version]]);

function stored(schemaver: number, data: Uint8Array): StoredEvent {
  return {
    id: '00000000-0000-5000-8000-000000000000',
    type: Charged.type,
    schemaver,
    time: '2026-04-10T09:00:00.000Z',
    ...{ tenantid: 't', homeid: 't', actorid: 'a', correlationid: 'c', causationid: 'c' },
    ...{ commandkey: 'k', inputhash: 'h', data, stream: 'x-1', revision: 0n, epoch: 'e' },
    position: formatPosition(0n),
  };
}

describe('the version that is written', () => {
  const decided = Charged({ cents: 1250, reason: 'a month' });

  test.each([
    ['as the release says', undefined, 2, { cents: 1250 }],
    ['the oldest, back through every downcast', 1, 1, { euros: 12.5 }],
    ['one before the newest', 2, 2, { cents: 1250 }],
    ['the newest', 3, 3, { cents: 1250, reason: 'a month' }],
  ])('is %s', (_name, setting, version, body) => {
    const registry = eventRegistry(
      [Charged, Noted],
      setting === undefined ? new Map() : written(setting),
    );
    const { schemaver, data } = registry.encode(decided);
    expect(schemaver).toBe(version);
    expect(JSON.parse(new TextDecoder().decode(data))).toEqual(body);
    expect(registry.written.get(Charged.type)).toBe(version);
    // One setting is no setting of another type.
    expect(registry.encode(Noted({ text: 'x' })).schemaver).toBe(1);
  });

  test('is what its writer goes on with: nobody sees what an older version cannot say', () => {
    const writes = fc.constantFrom(1, 2, 3);
    const reads = fc.constantFrom(1, 2, 3);
    const bodies = fc.record({
      cents: fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }),
      reason: fc.option(fc.string({ unit: 'grapheme' }), { nil: null }),
    });
    fc.assert(
      fc.property(bodies, writes, reads, (body, asWritten, asRead) => {
        const writer = eventRegistry([Charged], written(asWritten));
        const reader = eventRegistry([Charged], written(asRead));
        const encoded = writer.encode(Charged(body));
        const seen = writer.readBack(Charged(body), encoded);
        expect(reader.decode(stored(encoded.schemaver, encoded.data))?.data).toEqual(seen);
        expect(seen).toEqual(asWritten === 3 ? body : { ...body, reason: null });
      }),
    );
  });

  test('is checked by its own schema: a downcast that makes something else is a defect, not an event', () => {
    const broken = event('test.Charged', v2, {
      schemas: { 1: v1 },
      upcasters: [{ ...toV2, downcast: () => ({ euros: 'many' }) }],
      writes: 1,
    });
    expect(() => eventRegistry([broken]).encode(broken({ cents: 1 }))).toThrow(/euros/);
  });
});

describe('a release that cannot write what it says does not start', () => {
  test.each([
    [
      'a version it does not know',
      [toV2, toV3],
      4,
      'test.Charged has no version 4 in this release, which knows 1 to 3',
    ],
    ['no version at all', [toV2, toV3], 0, 'test.Charged has no version 0'],
    [
      'a version nothing leads back to',
      [toV2, oneWay(toV3)],
      2,
      'no downcast leads from version 3 to 2',
    ],
    [
      'a version with a gap on the way back',
      [oneWay(toV2), toV3],
      1,
      'no downcast leads from version 2 to 1',
    ],
  ])('%s', (_name, upcasters, writes, message) => {
    const declared = event('test.Charged', v3, { schemas: past, upcasters, writes });
    expect(() => eventRegistry([declared])).toThrow(message);
  });

  test('nor with settings it cannot follow, all of which it names at once', () => {
    const onlyUp = event('test.Moved', v2, {
      schemas: { 1: v1 },
      upcasters: [oneWay(toV2)],
      writes: 2,
    });
    const definitions = [Charged, Noted, onlyUp];
    const setting = new Map([
      ['test.Charged', 9],
      ['test.Noted', 1],
      ['test.Moved', 1],
      ['test.Charges', 1],
    ]);
    const problems = [
      'test.Charged has no version 9 in this release, which knows 1 to 3',
      'test.Moved cannot be written as version 1: no downcast leads from version 2 to 1',
      'test.Charges is no event type of this release',
    ];
    expect(writtenVersionProblems(definitions, setting)).toEqual(problems);
    expect(() => eventRegistry(definitions, setting)).toThrow(problems.join('; '));
    expect(writtenVersionProblems(definitions, new Map([['test.Charged', 3]]))).toEqual([]);
  });
});
