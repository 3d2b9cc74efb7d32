import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { addressAt, AddressSchema, CidrSchema, offsetIn, parseCidr } from './address.ts';
import { deriveId, idOf, uuidOf } from './ids.ts';
import { instantOf, plusSeconds, plusYears } from './instant.ts';
import { addMoney, minorUnits, money, MoneySchema } from './money.ts';
import { add, multiply, rational, roundHalfUp } from './rational.ts';
import {
  addVectors,
  axes,
  firstShortage,
  nothing,
  type ResourceVector,
  subtractVectors,
} from './vector.ts';

const vectors: fc.Arbitrary<ResourceVector> = fc.record({
  containers: fc.nat(1000),
  cpuMillis: fc.nat(1000),
  memoryBytes: fc.bigInt(0n, 2n ** 50n).map(String),
  diskBytes: fc.bigInt(0n, 2n ** 50n).map(String),
  addresses: fc.nat(1000),
});

describe('money', () => {
  test('is its minor units and back', () => {
    fc.assert(
      fc.property(
        fc.bigInt(-(10n ** 15n), 10n ** 15n),
        fc.constantFrom('EUR', 'JPY'),
        (minor, currency) => {
          const value = MoneySchema.parse(money(minor, currency));
          expect(minorUnits(value)).toBe(minor);
        },
      ),
    );
    expect(money(2507n, 'EUR')).toEqual({ amount: '25.07', currency: 'EUR' });
    expect(money(-5n, 'EUR')).toEqual({ amount: '-0.05', currency: 'EUR' });
  });

  test('of two currencies is not added, and more digits than the currency has are refused', () => {
    expect(() => addMoney(money(1n, 'EUR'), money(1n, 'USD'))).toThrow(RangeError);
    expect(() => minorUnits({ amount: '1.5', currency: 'JPY' })).toThrow(RangeError);
    expect(MoneySchema.safeParse({ amount: '1e3', currency: 'EUR' }).success).toBe(false);
    expect(MoneySchema.safeParse({ amount: '1.00', currency: 'XXX' }).success).toBe(false);
  });
});

describe('a fraction', () => {
  test('rounds halves away from zero and never by more than a half', () => {
    expect(roundHalfUp(rational(1n, 2n))).toBe(1n);
    expect(roundHalfUp(rational(-1n, 2n))).toBe(-1n);
    expect(roundHalfUp(rational(3200n, 30n))).toBe(107n);
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 9n), 10n ** 9n), fc.bigInt(1n, 10n ** 6n), (n, d) => {
        const rest = 2n * (n - roundHalfUp(rational(n, d)) * d);
        expect((rest < 0n ? -rest : rest) <= d).toBe(true);
      }),
    );
  });

  test('adds and multiplies exactly', () => {
    const third = rational(1n, 3n);
    expect(add(add(third, third), third)).toEqual(rational(1n));
    expect(multiply(third, rational(3n))).toEqual(rational(1n));
    expect(() => rational(1n, 0n)).toThrow(RangeError);
  });
});

describe('a resource vector', () => {
  test('gives back exactly what was added', () => {
    fc.assert(
      fc.property(vectors, vectors, (a, b) => {
        expect(subtractVectors(addVectors(a, b), b)).toEqual(a);
      }),
    );
    expect(() => subtractVectors(nothing, { ...nothing, containers: 1 })).toThrow(RangeError);
  });

  test('fits exactly when no axis goes beyond its limit', () => {
    fc.assert(
      fc.property(vectors, vectors, vectors, (limit, used, asked) => {
        const fits = axes.every(
          (axis) =>
            BigInt(asked[axis]) === 0n ||
            BigInt(used[axis]) + BigInt(asked[axis]) <= BigInt(limit[axis]),
        );
        expect(firstShortage(limit, used, asked) === undefined).toBe(fits);
      }),
    );
  });
});

describe('an id', () => {
  test('derives from its parts, and from where one part ends', () => {
    expect(deriveId('container', 'a')).toBe(deriveId('container', 'a'));
    expect(uuidOf('ab', 'c')).not.toBe(uuidOf('a', 'bc'));
    expect(uuidOf('a')).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  test('never changes: streams, commands and events are found by it', () => {
    expect(uuidOf('a')).toBe('4bf72b3d-dd03-551b-b7a5-c2fc22a25d8d');
    expect(uuidOf('ten_1', 'Müller €', 'x')).toBe('d1a9f320-26c4-5178-83ea-a1a1b11e28b2');
    expect(uuidOf('x'.repeat(5000), 'y')).toBe('ef82b839-3e8f-5fc8-abd6-218cde38c8fe');
    expect(deriveId('lease', 'a', 'b')).toBe('lse_26f5v4egq4akpt7qmjdbcpxt91');
  });

  test('of another kind, or malformed, does not pass', () => {
    const schema = idOf('container');
    expect(schema.safeParse(deriveId('container', 'x')).success).toBe(true);
    for (const bad of [
      deriveId('node', 'x'),
      'ctr_',
      'ctr_8zzzzzzzzzzzzzzzzzzzzzzzzz',
      '../../etc',
      '',
    ]) {
      expect(schema.safeParse(bad).success).toBe(false);
    }
  });
});

describe('a prefix', () => {
  test('numbers its addresses and finds each again', () => {
    for (const text of ['192.0.2.0/24', '2001:db8::/120']) {
      const cidr = parseCidr(CidrSchema.parse(text));
      expect(cidr.size).toBe(256n);
      for (const offset of [0n, 10n, 255n]) {
        const address = AddressSchema.parse(addressAt(cidr, offset));
        expect(offsetIn(cidr, address)).toBe(offset);
      }
      expect(offsetIn(cidr, '198.51.100.1')).toBeUndefined();
      expect(() => addressAt(cidr, 256n)).toThrow(RangeError);
    }
  });

  test('with host bits, or not canonical, is refused', () => {
    for (const bad of ['192.0.2.1/24', '192.0.2.0', '192.0.2.0/33', 'nonsense', '2001:DB8::/32']) {
      expect(CidrSchema.safeParse(bad).success).toBe(false);
    }
    for (const bad of ['192.0.2', '2001:0db8::1', '192.0.2.010']) {
      expect(AddressSchema.safeParse(bad).success).toBe(false);
    }
  });
});

test('instants have milliseconds and move by seconds', () => {
  expect(instantOf(0)).toBe('1970-01-01T00:00:00.000Z');
  expect(plusSeconds('2026-04-10T09:00:00.000Z', 90)).toBe('2026-04-10T09:01:30.000Z');
  expect(plusYears('2026-04-10T09:00:00.000Z', 10)).toBe('2036-04-10T09:00:00.000Z');
  expect(plusYears('2028-02-29T09:00:00.000Z', 1)).toBe('2029-03-01T09:00:00.000Z');
});
