import { describe, expect, test } from '@jest/globals';
import { NodeRegistered } from '@bivouac/events/containers';
import { nothing, plusSeconds, type ResourceVector } from '@bivouac/events/values';
import fc from 'fast-check';

import { node } from '../commands/aggregates.ts';
import { id, start, Stream } from '../given.ts';
import { minus, nodeAxes } from './capacity.ts';
import { registerNode, releasePlacement, takeCapacity } from './node.ts';
import type { NodeState } from './node-state.ts';

const nodeId = id('node');
const registration = {
  ...{
    nodeId,
    name: 'node1',
    location: 'fra1',
    engine: 'fake',
    features: ['freeze', 'disk.quota'],
  },
  capacity: { containers: 3, cpuMillis: 1000, memoryBytes: '4096', diskBytes: '8192' },
  cpuOvercommitPercent: 200,
};
const small: ResourceVector = {
  ...nothing,
  ...{ containers: 1, cpuMillis: 500, memoryBytes: '1024', diskBytes: '1024', addresses: 7 },
};
const notAfter = plusSeconds(start, 60);

const registered = () => new Stream(node, NodeRegistered(registration));
const take = (stream: Stream<NodeState>, name: string, vector = small) =>
  stream.when((state, context) =>
    takeCapacity(
      state,
      {
        ...{ nodeId, placementId: id('placement', name), containerId: id('container', name) },
        ...{ vector, notAfter },
      },
      context,
    ),
  );
const release = (stream: Stream<NodeState>, name: string, until?: string) =>
  stream.when((state) =>
    releasePlacement(state, { nodeId, placementId: id('placement', name), notAfter: until }),
  );

describe('a node', () => {
  test('is registered once, with its features sorted', () => {
    const stream = new Stream(node);
    expect(stream.when((state) => registerNode(state, registration))).toEqual(['NodeRegistered']);
    expect(stream.last('NodeRegistered')?.['features']).toEqual(['disk.quota', 'freeze']);
    expect(stream.when((state) => registerNode(state, registration))).toEqual([]);
  });

  test('that is not registered takes nothing', () => {
    expect(take(new Stream(node), 'a')).toBe('NODE_UNKNOWN');
  });

  test('counts each placement once, however often it is taken and freed', () => {
    const stream = registered();
    expect(take(stream, 'a')).toEqual(['NodeCapacityTaken']);
    expect(take(stream, 'a')).toEqual([]);
    expect(release(stream, 'a')).toEqual(['NodeCapacityFreed']);
    expect(release(stream, 'a')).toEqual([]);
    expect(stream.state.used).toEqual({
      ...{ containers: 0n, cpuMillis: 0n, memoryBytes: 0n, diskBytes: 0n },
    });
    expect(take(stream, 'a')).toBe('PLACEMENT_VOIDED');
  });

  test.each([
    ['memory', { memoryBytes: '4097' }],
    ['disk', { diskBytes: '8193' }],
    ['the number of containers', { containers: 4 }],
    ['CPU beyond its ratio', { cpuMillis: 2001 }],
  ])('never promises more than it has of %s', (_what, more) => {
    const stream = registered();
    expect(take(stream, 'much', { ...small, ...more })).toEqual(['PlacementVoided']);
    expect(stream.last('PlacementVoided')).toMatchObject({ reason: 'no-room' });
  });

  test('promises CPU up to its ratio', () => {
    expect(take(registered(), 'all', { ...small, cpuMillis: 2000 })).toEqual(['NodeCapacityTaken']);
  });

  test('that declined a placement declines it for ever', () => {
    const stream = registered();
    for (const name of ['a', 'b', 'c', 'd']) take(stream, name);
    release(stream, 'a');
    expect(take(stream, 'd')).toEqual([]);
    expect(stream.state.placements.has(id('placement', 'd'))).toBe(false);
    expect(release(stream, 'd', notAfter)).toBe('PLACEMENT_NOT_HERE');
  });

  test('refuses a late taking after it was given back, by tombstone and then by deadline', () => {
    const stream = registered();
    expect(release(stream, 'a', notAfter)).toEqual(['PlacementVoided']);
    expect(release(stream, 'a', notAfter)).toEqual([]);
    expect(take(stream, 'a')).toBe('PLACEMENT_VOIDED');
    stream.later(61);
    take(stream, 'b');
    stream.record([NodeRegistered(registration)]);
    expect(stream.state.voided.size).toBe(0);
    expect(take(stream, 'a')).toBe('ASK_EXPIRED');
    // What was decided in time may be on its way: it is refused by what stands in its place then.
    expect(release(stream, 'never', notAfter)).toEqual(['PlacementVoided']);
  });
});

const names = fc.constantFrom(...'abcdefgh');
const action = fc.oneof(
  fc.record({
    do: fc.constant('take' as const),
    name: names,
    cpuMillis: fc.nat(900),
    memory: fc.nat(2000),
  }),
  fc.record({ do: fc.constant('release' as const), name: names, known: fc.boolean() }),
  fc.record({ do: fc.constant('wait' as const), seconds: fc.nat(20) }),
);

describe('a node under any takings, releases and repeats', () => {
  test('never promises more than it has, and its use is the sum of its placements', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
        const stream = registered();
        for (const one of actions) {
          if (one.do === 'wait') stream.later(one.seconds);
          else if (one.do === 'release') {
            release(stream, one.name, one.known ? undefined : notAfter);
          } else {
            const { cpuMillis, memory } = one;
            take(stream, one.name, { ...small, cpuMillis, memoryBytes: String(memory) });
          }
          const { total, used, placements } = stream.state;
          const free = minus(total, used);
          for (const axis of nodeAxes) {
            expect(free[axis] >= 0n).toBe(true);
            const sum = [...placements.values()].reduce((n, p) => n + p.amounts[axis], 0n);
            expect(used[axis]).toBe(sum);
          }
        }
        expect(stream.replayed()).toEqual(stream.state);
      }),
    );
  });
});
