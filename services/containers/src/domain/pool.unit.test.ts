import { describe, expect, test } from '@jest/globals';
import { offsetIn, parseCidr } from '@bivouac/events/values';
import fc from 'fast-check';

import { pool } from '../commands/aggregates.ts';
import { Stream } from '../given.ts';
import { registerRange } from './pool.ts';

const input = { location: 'fra1', reserved: [], coolDownSeconds: 0 };
const register = (stream: Stream<Parameters<typeof registerRange>[0]>, cidr: string, more = {}) =>
  stream.when((state) => registerRange(state, { ...input, cidr, ...more }));

describe('a pool', () => {
  test('refuses a range of more than 4,096 addresses', () => {
    const stream = new Stream(pool);
    expect(register(stream, '10.0.0.0/19')).toBe('RANGE_TOO_LARGE');
    expect(register(stream, '10.0.0.0/20')).toEqual(['RangeRegistered']);
    expect(register(new Stream(pool), '2001:db8::/63')).toBe('RANGE_TOO_LARGE');
    expect(register(new Stream(pool), '2001:db8::/64')).toEqual(['RangeRegistered']);
    expect(register(new Stream(pool), '2001:db8::/116')).toEqual(['RangeRegistered']);
  });

  test('keeps the gateway, the network and the broadcast address out of leases', () => {
    const stream = new Stream(pool);
    register(stream, '192.0.2.0/29', { gateway: '192.0.2.3', reserved: [5] });
    expect(stream.last('RangeRegistered')?.['reserved']).toEqual([0, 3, 5, 7]);
    const point = new Stream(pool);
    register(point, '192.0.2.0/31');
    expect(point.last('RangeRegistered')?.['reserved']).toEqual([]);
  });

  test('refuses a gateway or an offset outside the range, and a range with nothing to lease', () => {
    const stream = new Stream(pool);
    expect(register(stream, '192.0.2.0/29', { gateway: '192.0.3.1' })).toBe(
      'RANGE_GATEWAY_OUTSIDE',
    );
    expect(register(stream, '192.0.2.0/29', { gateway: '2001:db8::1' })).toBe(
      'RANGE_GATEWAY_OUTSIDE',
    );
    expect(register(stream, '192.0.2.0/29', { reserved: [8] })).toBe('RANGE_RESERVED_OUTSIDE');
    expect(register(stream, '192.0.2.0/30', { reserved: [1, 2] })).toBe('RANGE_EMPTY');
  });

  test('takes the same range again as done, and no other that overlaps it', () => {
    const stream = new Stream(pool);
    register(stream, '192.0.2.0/24');
    expect(register(stream, '192.0.2.0/24')).toEqual([]);
    expect(register(stream, '192.0.2.0/24', { location: 'ams1' })).toBe('RANGE_OVERLAPS');
    expect(register(stream, '192.0.2.128/25')).toBe('RANGE_OVERLAPS');
    expect(register(stream, '192.0.0.0/22')).toBe('RANGE_OVERLAPS');
    expect(register(stream, '192.0.3.0/24')).toEqual(['RangeRegistered']);
  });

  test('never lets an address be in two ranges', () => {
    const cidrs = fc.tuple(fc.nat(63), fc.integer({ min: 24, max: 32 })).map(([n, bits]) => {
      const first = Math.floor((n * 16) / 2 ** (32 - bits)) * 2 ** (32 - bits);
      return `10.0.${Math.floor(first / 256)}.${first % 256}/${bits}`;
    });
    fc.assert(
      fc.property(fc.array(cidrs, { maxLength: 12 }), fc.nat(1023), (asked, host) => {
        const stream = new Stream(pool);
        for (const cidr of asked) register(stream, cidr);
        const address = `10.0.${Math.floor(host / 256)}.${host % 256}`;
        const owners = stream.state.ranges.filter(
          ({ facts }) => offsetIn(parseCidr(facts.cidr), address) !== undefined,
        );
        expect(owners.length).toBeLessThanOrEqual(1);
      }),
    );
  });
});
