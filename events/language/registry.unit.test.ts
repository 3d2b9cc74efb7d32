import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';

import { customer, mayRead, staff, visibleFields } from './audience.ts';
import { canonicalText } from './canonical.ts';
import { formatPosition, parsePosition, type StoredEvent } from './envelope.ts';
import { event } from './event.ts';
import { EventDecodeError, eventRegistry } from './registry.ts';
import { EventDeclarationError } from './versions.ts';

const v1 = z.strictObject({ amount: customer(z.number()) });
const v2 = z.strictObject({ amount: customer(z.number()), currency: customer(z.string()) });
const v3 = z.strictObject({ minor: customer(z.number()), currency: customer(z.string()) });
const toV2 = {
  from: 1,
  to: 2,
  upcast: (body: Record<string, unknown>) => ({ ...body, currency: 'EUR' }),
};
const toV3 = {
  from: 2,
  to: 3,
  upcast: (body: Record<string, unknown>) => ({
    minor: Number(body['amount']) * 100,
    currency: body['currency'],
  }),
};

function stored(type: string, schemaver: number, body: unknown): StoredEvent {
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
    data: new TextEncoder().encode(JSON.stringify(body)),
    stream: 'x-1',
    revision: 0n,
    position: formatPosition(0n),
    epoch: 'e',
  };
}

describe('a registry', () => {
  const Charged = event('test.Charged', v3, {
    schemas: { 1: v1, 2: v2 },
    upcasters: [toV2, toV3],
    writes: 3,
  });
  const registry = eventRegistry([Charged]);

  test('reads every version ever written as the newest one', () => {
    expect(registry.decode(stored('test.Charged', 1, { amount: 5 }))?.data).toEqual({
      minor: 500,
      currency: 'EUR',
    });
    expect(
      registry.decode(stored('test.Charged', 2, { amount: 5, currency: 'USD' }))?.data,
    ).toEqual({
      minor: 500,
      currency: 'USD',
    });
    expect(registry.decode(stored('test.Charged', 3, { minor: 7, currency: 'EUR' }))?.data).toEqual(
      {
        minor: 7,
        currency: 'EUR',
      },
    );
  });

  test('writes the newest version as canonical JSON where the release says so', () => {
    const { schemaver, data } = registry.encode(Charged({ minor: 7, currency: 'EUR' }));
    expect(schemaver).toBe(3);
    expect(new TextDecoder().decode(data)).toBe('{"currency":"EUR","minor":7}');
  });

  test('that shares what it decoded answers the same event with the same object, and no other', () => {
    const sharing = eventRegistry([Charged]);
    const one = stored('test.Charged', 1, { amount: 5 });
    expect(sharing.decode(one)).not.toBe(sharing.decode(one));
    sharing.shareDecoded();
    const first = sharing.decode(one);
    expect(sharing.decode({ ...one })).toBe(first);
    expect(sharing.decode({ ...one, position: formatPosition(9n) })).not.toBe(first);
    expect(sharing.decode(stored('test.Charged', 1, { amount: 6 }))?.data).toEqual({
      minor: 600,
      currency: 'EUR',
    });
    expect(() => sharing.decode(stored('test.Charged', 3, { minor: 'x' }))).toThrow(/does not fit/);
  });

  test('that wrote a body takes it back as any other registry does, also a second time', () => {
    const sharing = eventRegistry([Charged]);
    sharing.shareDecoded();
    for (const minor of [7, 8, 7]) {
      const { schemaver, data } = sharing.encode(Charged({ minor, currency: 'EUR' }));
      const event = { ...stored('test.Charged', schemaver, {}), data };
      for (const position of [1n, 2n].map(formatPosition)) {
        const there = { ...event, position };
        expect(sharing.decode(there)).toEqual(registry.decode(there));
        expect(JSON.stringify(sharing.decode(there)?.data)).toBe(
          `{"currency":"EUR","minor":${minor}}`,
        );
      }
    }
  });

  test('does not know types it was not given, and refuses versions and bodies it cannot read', () => {
    expect(registry.decode(stored('test.Other', 1, {}))).toBeUndefined();
    expect(() => registry.decode(stored('test.Charged', 4, {}))).toThrow(EventDecodeError);
    expect(() => registry.decode(stored('test.Charged', 3, { minor: 'x' }))).toThrow(
      /does not fit/,
    );
    expect(() => registry.encode(Charged({ minor: 1 } as never))).toThrow();
  });

  test.each([
    ['a gap', [toV3], { 1: v1, 2: v2 }, /no upcaster starts at version 1/],
    ['two upcasters from one version', [toV2, toV2, toV3], { 1: v1, 2: v2 }, /two upcasters/],
    ['a cycle', [toV2, { ...toV3, to: 1 }], { 1: v1, 2: v2 }, /not to the next/],
    ['a jump', [{ ...toV2, to: 3 }], { 1: v1, 2: v2 }, /not to the next/],
    ['a missing schema', [toV2, toV3], { 2: v2 }, /version 1 has no schema/],
  ])('refuses %s at start-up', (_what, upcasters, schemas, message) => {
    const declare = (): unknown =>
      eventRegistry([event('test.Charged', v3, { schemas, upcasters, writes: 3 })]);
    expect(declare).toThrow(EventDeclarationError);
    expect(declare).toThrow(message);
  });

  test('refuses two declarations of a type, a bad name and a field without audience', () => {
    expect(() => eventRegistry([Charged, event('test.Charged', v1)])).toThrow(/declared twice/);
    expect(() => eventRegistry([event('charged', v1)])).toThrow(/not named/);
    expect(() =>
      eventRegistry([event('test.Bare', z.strictObject({ amount: z.number() }))]),
    ).toThrow(/no audience/);
  });
});

test('an audience sees what is meant for it and for wider ones, and nothing else', () => {
  const schema = z.strictObject({ open: customer(z.string()), inner: staff(z.string()) });
  expect(visibleFields(schema, { open: 'a', inner: 'b' }, 'customer')).toEqual({ open: 'a' });
  expect(visibleFields(schema, { open: 'a', inner: 'b' }, 'auditor')).toEqual({
    open: 'a',
    inner: 'b',
  });
  expect(mayRead('reseller', 'staff')).toBe(false);
});

test('one schema can have different audiences in different places', () => {
  const shared = z.string();
  const schema = z.strictObject({ open: customer(shared), inner: staff(shared) });
  expect(visibleFields(schema, { open: 'a', inner: 'b' }, 'customer')).toEqual({ open: 'a' });
});

test('positions sort as text like the numbers they are', () => {
  expect([formatPosition(10n), formatPosition(9n)].sort()).toEqual([
    formatPosition(9n),
    formatPosition(10n),
  ]);
  expect(parsePosition(formatPosition(2n ** 63n))).toBe(2n ** 63n);
  expect(() => parsePosition('12')).toThrow(RangeError);
});

test('canonical JSON does not depend on the order of keys', () => {
  expect(canonicalText({ b: 1, a: [{ d: 1, c: 2 }] })).toBe(
    canonicalText({ a: [{ c: 2, d: 1 }], b: 1 }),
  );
  expect(() => canonicalText(undefined)).toThrow(TypeError);
});
