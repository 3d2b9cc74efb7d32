import { describe, expect, test } from '@jest/globals';
import { NodeRegistered } from '@bivouac/events/containers';
import { nothing, plusSeconds } from '@bivouac/events/values';
import fc from 'fast-check';

import { node } from '../commands/aggregates.ts';
import { id, start, Stream } from '../given.ts';
import { minus, nodeAxes } from './capacity.ts';
import { releasePlacement, takeCapacity } from './node.ts';
import { resizeCapacity, settleResize, takenBy } from './node-resize.ts';
import type { NodeState } from './node-state.ts';

const nodeId = id('node');
const placementId = id('placement');
const notAfter = plusSeconds(start, 60);
const sized = (memory: number) => ({
  ...{ ...nothing, containers: 1, cpuMillis: 100, memoryBytes: String(memory), diskBytes: '1' },
});

class SampleNode extends Stream<NodeState> {
  constructor() {
    const facts = { nodeId, name: 'node1', location: 'fra1', engine: 'fake', features: [] };
    const capacity = { containers: 9, cpuMillis: 900, memoryBytes: '1000', diskBytes: '9' };
    super(node, NodeRegistered({ ...facts, capacity, cpuOvercommitPercent: 100 }));
  }

  take(name: string, memory: number) {
    const taking = { nodeId, placementId: id('placement', name), notAfter };
    const of = { containerId: id('container', name), vector: sized(memory) };
    return this.when((state, context) => takeCapacity(state, { ...taking, ...of }, context));
  }

  resize(memory: number, resize = 'r', claim = resize) {
    const standing = { nodeId, placementId, containerId: id('container'), claim, notAfter };
    const of = { resizeId: id('reservation', resize), vector: sized(memory) };
    return this.when((state, context) => resizeCapacity(state, { ...standing, ...of }, context));
  }

  settle(outcome: 'done' | 'void', claim = 'r') {
    return this.when((state) => settleResize(state, { nodeId, placementId, claim, outcome }));
  }

  free(name: string) {
    const freeing = { nodeId, placementId: id('placement', name) };
    return this.when((state) => releasePlacement(state, freeing));
  }

  get memory(): bigint {
    return this.state.used.memoryBytes;
  }
}

const placed = (memory = 400) => {
  const it = new SampleNode();
  it.take('a', memory);
  return it;
};

describe('another size for a placement', () => {
  test('takes what is more at once, and gives what is less back when it is done', () => {
    const it = placed();
    expect(it.resize(700)).toEqual(['NodeCapacityResizing']);
    expect(it.memory).toBe(700n);
    it.settle('done');
    expect(it.memory).toBe(700n);
    it.resize(100, 's');
    expect(it.memory).toBe(700n);
    it.settle('done', 's');
    expect(it.memory).toBe(100n);
  });

  test('is declined once and for all where there is no room, and nothing is taken', () => {
    const it = placed();
    it.take('b', 500);
    expect(it.resize(501)).toEqual(['NodeCapacityResizeVoided']);
    it.free('b');
    expect(it.resize(501)).toEqual([]);
    expect(it.memory).toBe(400n);
    expect(it.resize(501, 'r', 'second')).toEqual(['NodeCapacityResizing']);
  });

  test('is dropped with the last claim on it, and a late one finds it given up', () => {
    const it = placed();
    it.resize(600, 'r', 'first');
    it.resize(600, 'r', 'second');
    expect(it.resize(600, 'other')).toBe('RESIZE_PENDING');
    it.settle('void', 'first');
    expect(it.memory).toBe(600n);
    it.settle('void', 'second');
    expect(it.memory).toBe(400n);
    expect(it.resize(600, 'r', 'second')).toBe('RESIZE_VOIDED');
    it.later(61);
    expect(it.resize(600, 'r', 'third')).toBe('ASK_EXPIRED');
  });

  test('is asked for again without effect once it is done', () => {
    const it = placed();
    it.resize(600);
    it.settle('done');
    expect(it.resize(600, 'r', 'again')).toEqual([]);
    expect(it.settle('void', 'again')).toEqual([]);
    expect(it.memory).toBe(600n);
  });

  test('goes with the placement', () => {
    const it = placed();
    it.resize(600);
    it.free('a');
    expect(it.memory).toBe(0n);
    expect(it.settle('done')).toEqual([]);
    expect(it.resize(600, 'late')).toBe('PLACEMENT_NOT_HERE');
  });

  test('never promises more than there is, and adds up after every event', () => {
    const step = fc.record({
      do: fc.constantFrom('take', 'free', 'resize', 'done', 'void'),
      name: fc.constantFrom('a', 'b', 'c'),
      memory: fc.integer({ min: 1, max: 1200 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
        const it = new SampleNode();
        for (const { do: what, name, memory } of steps) {
          if (what === 'take') it.take(name, memory);
          else if (what === 'free') it.free(name);
          else if (what === 'resize') it.resize(memory, name, `${name}/${memory % 3}`);
          else it.settle(what === 'done' ? 'done' : 'void', `${name}/${memory % 3}`);
          const { placements, used, total } = it.state;
          const sum = [...placements.values()].reduce(
            (so, one) => so + takenBy(one).memoryBytes,
            0n,
          );
          expect(used.memoryBytes).toBe(sum);
          const free = minus(total, used);
          for (const axis of nodeAxes) expect(free[axis]).toBeGreaterThanOrEqual(0n);
        }
        expect(it.replayed()).toEqual(it.state);
      }),
      { numRuns: 100 },
    );
  });
});
