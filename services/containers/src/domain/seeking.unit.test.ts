import { describe, expect, test } from '@jest/globals';

import { lease, placement } from '../commands/aggregates.ts';
import { id, start, Stream } from '../given.ts';
import { abandonLease, abandonPlacement, seekLease, seekPlacement } from './seeking.ts';

const vector = { containers: 1, cpuMillis: 1, memoryBytes: '1', diskBytes: '1', addresses: 1 };
const node = (name: string) => ({ nodeId: id('node', name), nodeName: name, location: 'fra1' });
const placementId = id('placement');
const leaseId = id('lease');
const seeking = { containerId: id('container'), asOf: null, notAfter: start };

describe('a placement', () => {
  test('keeps its first list of candidates', () => {
    const stream = new Stream(placement);
    const seek = (...names: string[]) =>
      stream.when((state) =>
        seekPlacement(state, { ...seeking, placementId, vector, candidates: names.map(node) }),
      );
    expect(seek('a', 'b')).toEqual(['PlacementSought']);
    expect(seek('c')).toEqual([]);
    expect(stream.state).toMatchObject({ candidates: [node('a'), node('b')] });
    expect(stream.when((state) => abandonPlacement(state, { placementId }))).toBe(
      'PLACEMENT_SOUGHT',
    );
  });

  test('that was undone before it began never begins', () => {
    const stream = new Stream(placement);
    const abandon = () => stream.when((state) => abandonPlacement(state, { placementId }));
    expect(abandon()).toEqual(['PlacementAbandoned']);
    expect(abandon()).toEqual([]);
    const input = { ...seeking, placementId, vector, candidates: [node('a')] };
    expect(stream.when((state) => seekPlacement(state, input))).toBe('PLACEMENT_VOIDED');
  });
});

describe('a lease', () => {
  test('keeps its first list of ranges', () => {
    const stream = new Stream(lease);
    const seek = (name: string) =>
      stream.when((state) =>
        seekLease(state, { ...seeking, leaseId, candidates: [id('range', name)] }),
      );
    expect(seek('a')).toEqual(['LeaseSought']);
    expect(seek('b')).toEqual([]);
    expect(stream.when((state) => abandonLease(state, { leaseId }))).toBe('LEASE_SOUGHT');
  });

  test('that was undone before it began never begins', () => {
    const stream = new Stream(lease);
    expect(stream.when((state) => abandonLease(state, { leaseId }))).toEqual(['LeaseAbandoned']);
    const input = { ...seeking, leaseId, candidates: [id('range')] };
    expect(stream.when((state) => seekLease(state, input))).toBe('LEASE_VOIDED');
  });
});
