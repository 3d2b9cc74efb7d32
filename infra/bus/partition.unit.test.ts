// A home's partition never changes: order within a home rests on it.
import { createHash } from 'node:crypto';

import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { createPartitioner, isPublished, partitionOf } from './partition.ts';

test('homes keep the partitions they were born with', () => {
  // Fixed for life: a change of these numbers loses order in every log there is.
  const born = ['ten_01h455vb4pex5vsknk084sn02q', 'nod_01h455vb4pex5vsknk084sn02q', 'a', 'Zoë'];
  expect(born.map(partitionOf)).toEqual([15, 33, 18, 24]);
});

test('a partition is the first four bytes of the SHA-256, modulo 64, remembered or not', () => {
  const own = createPartitioner();
  fc.assert(
    fc.property(fc.string(), (home) => {
      const hex = createHash('sha256').update(home, 'utf8').digest('hex').slice(0, 8);
      const expected = Number(BigInt(`0x${hex}`) % 64n);
      expect([own(home), own(home), partitionOf(home)]).toEqual([expected, expected, expected]);
    }),
  );
});

test('more homes than are remembered keep their partitions', () => {
  const own = createPartitioner();
  const before = own('ten_first');
  for (let i = 0; i < 70_000; i++) own(`ten_${i}`);
  expect(own('ten_first')).toBe(before);
});

test('only checkpoints and the relay stay at home', () => {
  expect(isPublished('checkpoint-billing')).toBe(false);
  expect(isPublished('relay-1')).toBe(false);
  expect(isPublished('checkpoints-1')).toBe(true);
  expect(isPublished('container-ctr_1')).toBe(true);
});
