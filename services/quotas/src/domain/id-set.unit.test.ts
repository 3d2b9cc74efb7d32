import { expect, test } from '@jest/globals';
import { deriveId } from '@bivouac/events/values';
import fc from 'fast-check';

import { addId, emptyIdSet, hasId } from './id-set.ts';

const suffix = fc
  .tuple(
    fc.constantFrom(...'01234567'),
    fc.string({
      unit: fc.constantFrom(...'0123456789abcdefghjkmnpqrstvwxyz'),
      minLength: 25,
      maxLength: 25,
    }),
  )
  .map(([head, tail]) => `res_${head}${tail}`);

/** Ids that differ in one digit only, the all-zero one among them. */
const close = fc
  .tuple(fc.nat({ max: 25 }), fc.constantFrom(...'01234567'))
  .map(([at, digit]) => `res_${'0'.repeat(at)}${digit}${'0'.repeat(25 - at)}`);

test('has exactly the ids that were added, whatever they are', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(suffix, close), { maxLength: 300 }),
      fc.array(fc.oneof(suffix, close), { maxLength: 50 }),
      (added, others) => {
        const set = emptyIdSet();
        const model = new Set<string>();
        for (const id of added) {
          addId(set, id);
          model.add(id);
        }
        for (const id of [...added, ...others]) expect(hasId(set, id)).toBe(model.has(id));
      },
    ),
  );
});

test('a hundred thousand ids take 4 MiB and are all found', () => {
  const set = emptyIdSet();
  const ids = Array.from({ length: 100_000 }, (_, i) => deriveId('reservation', `${i}`));
  for (const id of ids) addId(set, id);
  expect(set.words.byteLength).toBe(4 * 2 ** 20);
  expect(set.size).toBe(ids.length);
  expect(ids.every((id) => hasId(set, id))).toBe(true);
  expect(hasId(set, deriveId('reservation', 'another'))).toBe(false);
});

test('a copy goes on by itself', () => {
  const set = emptyIdSet();
  addId(set, deriveId('reservation', 'a'));
  const copy = structuredClone(set);
  addId(copy, deriveId('reservation', 'b'));
  expect(hasId(copy, deriveId('reservation', 'a'))).toBe(true);
  expect(hasId(set, deriveId('reservation', 'b'))).toBe(false);
});
