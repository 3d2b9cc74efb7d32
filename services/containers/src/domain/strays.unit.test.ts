/** Destroying what is nobody's: fenced, once, and never what a customer has. */
import { describe, expect, test } from '@jest/globals';
import { NodeRegistered } from '@bivouac/events/containers';

import { node } from '../commands/aggregates.ts';
import { id, Stream } from '../given.ts';
import { destroyStray, endDestruction, reportStray } from './strays.ts';
import type { NodeState } from './node-state.ts';

const nodeId = id('node');
const containerId = id('container');
const registered = () =>
  new Stream(
    node,
    NodeRegistered({
      ...{ nodeId, name: 'node1', location: 'fra1', engine: 'fake', features: [] },
      capacity: { containers: 3, cpuMillis: 1000, memoryBytes: '4096', diskBytes: '8192' },
      cpuOvercommitPercent: 200,
    }),
  );
const seen = (it: Stream<NodeState>, state: 'running' | 'absent' = 'running', generation = 2) =>
  it.when((before) => reportStray(before, { nodeId, containerId, generation, state, why: 'gone' }));
const destroys = (it: Stream<NodeState>, wanted = { here: false, generation: 0 }) =>
  it.when((before, context) =>
    destroyStray(before, { nodeId, containerId, reason: 'left over', wanted }, context),
  );
const ends = (
  it: Stream<NodeState>,
  outcome: 'done' | 'failed' | 'refused' | 'timed-out',
  instructionId = it.last('StrayDestructionOrdered')?.['instructionId'] as string,
) => it.when((before) => endDestruction(before, { nodeId, containerId, instructionId, outcome }));

describe('a stray', () => {
  test('is destroyed by an instruction of its own, once while that is unanswered', () => {
    const it = registered();
    seen(it);
    expect(destroys(it)).toEqual(['StrayDestructionOrdered']);
    expect(it.last('StrayDestructionOrdered')).toMatchObject({
      generation: 2,
      reason: 'left over',
    });
    expect(destroys(it)).toEqual([]);
    // What the node sees meanwhile changes nothing of that.
    expect(seen(it, 'running', 3)).toEqual(['StrayInstanceSeen']);
    expect(destroys(it)).toEqual([]);
    expect(ends(it, 'done')).toEqual(['StrayDestructionEnded', 'StrayInstanceGone']);
    expect(ends(it, 'timed-out')).toEqual([]);
    expect(destroys(it)).toBe('STRAY_UNKNOWN');
  });

  test('is told in the highest generation there ever was of it, so that nothing newer is hit', () => {
    const it = registered();
    seen(it);
    destroys(it, { here: false, generation: 5 });
    expect(it.last('StrayDestructionOrdered')).toMatchObject({ generation: 5 });
  });

  test.each(['failed', 'refused', 'timed-out'] as const)(
    'whose destruction ended as %s is still there, and may be destroyed again',
    (outcome) => {
      const it = registered();
      seen(it);
      destroys(it);
      expect(ends(it, outcome, id('instruction', 'other'))).toEqual([]);
      expect(ends(it, outcome)).toEqual(['StrayDestructionEnded']);
      expect(destroys(it)).toEqual(['StrayDestructionOrdered']);
    },
  );

  test('that is gone before the answer comes leaves no instruction behind', () => {
    const it = registered();
    seen(it);
    destroys(it);
    expect(seen(it, 'absent')).toEqual(['StrayInstanceGone']);
    expect(ends(it, 'done')).toEqual(['StrayDestructionEnded']);
  });

  test('is refused where there is none, on no node, and where the container has its place', () => {
    expect(destroys(registered())).toBe('STRAY_UNKNOWN');
    expect(destroys(new Stream(node))).toBe('NODE_UNKNOWN');
    const it = registered();
    seen(it);
    expect(destroys(it, { here: true, generation: 2 })).toBe('STRAY_WANTED');
  });
});
