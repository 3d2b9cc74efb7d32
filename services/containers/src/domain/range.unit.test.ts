import { describe, expect, test } from '@jest/globals';
import { type RangeFacts, RangeOpened } from '@bivouac/events/containers';
import { plusSeconds } from '@bivouac/events/values';
import fc from 'fast-check';

import { range } from '../commands/aggregates.ts';
import { id, start, Stream } from '../given.ts';
import { addressOf, leaseAddresses, type RangeState, releaseLeases } from './range.ts';

const rangeId = id('range');
const facts = (more: Partial<RangeFacts> = {}): RangeFacts => ({
  ...{ rangeId, cidr: '192.0.2.0/29', location: 'fra1', family: 'ipv4', gateway: '192.0.2.1' },
  ...{ reserved: [0, 1, 7], coolDownSeconds: 0, ...more },
});
const containerId = id('container');
const notAfter = plusSeconds(start, 60);

const lease = (stream: Stream<RangeState>, ...names: string[]) =>
  stream.when((state, context) =>
    leaseAddresses(
      state,
      {
        ...{ rangeId, containerId, notAfter, facts: facts() },
        leaseIds: names.map((name) => id('lease', name)),
      },
      context,
    ),
  );
const release = (stream: Stream<RangeState>, name: string, until?: string) =>
  stream.when((state) =>
    releaseLeases(state, { rangeId, leaseIds: [id('lease', name)], notAfter: until }),
  );
const held = (stream: Stream<RangeState>, name: string) =>
  addressOf(stream.state, id('lease', name));

describe('a range', () => {
  test('opens with its first lease and gives the lowest free address', () => {
    const stream = new Stream(range);
    expect(lease(stream, 'a', 'b')).toEqual(['RangeOpened', 'AddressLeased', 'AddressLeased']);
    expect([held(stream, 'a'), held(stream, 'b')]).toEqual(['192.0.2.2', '192.0.2.3']);
    release(stream, 'a');
    lease(stream, 'c');
    expect(held(stream, 'c')).toBe('192.0.2.2');
  });

  test('is unknown until it was registered', () => {
    const stream = new Stream(range);
    const decide = (state: RangeState) =>
      leaseAddresses(
        state,
        { rangeId, containerId, notAfter, leaseIds: [id('lease')] },
        stream.context,
      );
    expect(stream.when(decide)).toBe('RANGE_UNKNOWN');
  });

  test('says again what it said: the same lease has the same address, however often it is asked', () => {
    const stream = new Stream(range, RangeOpened(facts()));
    lease(stream, 'a');
    expect(lease(stream, 'a')).toEqual([]);
    expect(lease(stream, 'b', 'a')).toEqual(['AddressLeased']);
    expect(held(stream, 'a')).toBe('192.0.2.2');
  });

  test('that is full declines for ever, even when there is room later', () => {
    const stream = new Stream(range, RangeOpened(facts()));
    expect(lease(stream, 'a', 'b', 'c', 'd', 'e', 'f')).toEqual([
      ...Array.from({ length: 5 }, () => 'AddressLeased'),
      'LeaseVoided',
    ]);
    release(stream, 'a');
    expect(lease(stream, 'f')).toEqual([]);
    expect(held(stream, 'f')).toBeUndefined();
  });

  test('lets a released address rest', () => {
    const stream = new Stream(range, RangeOpened(facts({ coolDownSeconds: 30 })));
    lease(stream, 'a');
    release(stream, 'a');
    stream.later(29);
    lease(stream, 'b');
    expect(held(stream, 'b')).toBe('192.0.2.3');
    stream.later(1);
    lease(stream, 'c');
    expect(held(stream, 'c')).toBe('192.0.2.2');
  });

  test('takes an address back from its own lease only', () => {
    const stream = new Stream(range, RangeOpened(facts()));
    lease(stream, 'a');
    release(stream, 'a');
    lease(stream, 'b');
    expect(release(stream, 'a')).toEqual([]);
    expect(held(stream, 'b')).toBe('192.0.2.2');
  });

  test('refuses a late lease after it was given back, by tombstone and then by deadline', () => {
    const stream = new Stream(range, RangeOpened(facts()));
    expect(release(stream, 'a', notAfter)).toEqual(['LeaseVoided']);
    expect(release(stream, 'a', notAfter)).toEqual([]);
    expect(lease(stream, 'a')).toBe('LEASE_VOIDED');
    stream.later(61);
    // The tombstone has gone by now: another event was folded after its deadline.
    stream.record([RangeOpened(facts())]);
    expect(lease(stream, 'a')).toBe('ASK_EXPIRED');
  });

  test('sends the giver-back on where it had declined; leaves a tombstone also after the deadline', () => {
    const stream = new Stream(range, RangeOpened(facts()));
    lease(stream, 'a', 'b', 'c', 'd', 'e', 'declined');
    expect(release(stream, 'declined', notAfter)).toBe('LEASE_NOT_HERE');
    stream.later(61);
    expect(release(stream, 'never', notAfter)).toEqual(['LeaseVoided']);
    expect(release(stream, 'never')).toEqual([]);
  });

  test('with nothing to lease below an address still finds it: 4,096 leases are all different', () => {
    const stream = new Stream(
      range,
      RangeOpened(facts({ cidr: '10.0.0.0/20', gateway: null, reserved: [0, 4095] })),
    );
    for (let i = 0; i < 4096; i += 64) {
      lease(stream, ...Array.from({ length: 64 }, (_, n) => String(i + n)));
    }
    const addresses = new Set(
      Array.from({ length: 4096 }, (_, i) => held(stream, String(i))).filter(
        (a) => a !== undefined,
      ),
    );
    expect(addresses.size).toBe(4094);
    expect(stream.count('LeaseVoided')).toBe(2);
  });
});

const names = fc.constantFrom(...'abcdefghij');
const action = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('lease' as const),
      names: fc.array(names, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('release' as const), name: names }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('void' as const), name: names }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.nat(40) }) },
);

describe('a range under any leases, releases and repeats', () => {
  test('never has two owners of an address, never leaks one, and forgets nothing it must know', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), fc.nat(30), (actions, coolDownSeconds) => {
        const stream = new Stream(range, RangeOpened(facts({ coolDownSeconds })));
        const gone = new Set<string>();
        const first = new Map<string, string>();
        for (const one of actions) {
          if (one.do === 'wait') stream.later(one.seconds);
          else if (one.do === 'lease') lease(stream, ...one.names);
          else {
            const answer = release(stream, one.name, one.do === 'void' ? notAfter : undefined);
            if (Array.isArray(answer) && answer.length > 0) gone.add(one.name);
          }
          const owned = [...stream.state.leases.values()].map((l) => l.offset);
          expect(new Set(owned).size).toBe(owned.length);
          for (const offset of owned) expect([0, 1, 7]).not.toContain(offset);
          // Nothing leaks: what is marked taken is reserved or leased, and the other way round.
          const taken = [...(stream.state.open?.taken ?? [])].flatMap((t, i) => (t ? [i] : []));
          expect(taken.sort()).toEqual([0, 1, 7, ...owned].sort());
          for (const name of 'abcdefghij') {
            const address = held(stream, name);
            if (address === undefined) continue;
            expect(gone.has(name)).toBe(false);
            expect(first.get(name) ?? address).toBe(address);
            first.set(name, address);
          }
        }
        expect(stream.replayed().leases).toEqual(stream.state.leases);
        expect(stream.replayed().open?.taken).toEqual(stream.state.open?.taken);
      }),
    );
  });
});
