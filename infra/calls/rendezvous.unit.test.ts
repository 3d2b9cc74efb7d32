/** A key has its replica; one that goes or comes moves only keys of its own. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { ranked } from './rendezvous.ts';

const replicas = fc
  .uniqueArray(fc.webAuthority({ withPort: true }), { minLength: 2, maxLength: 8 })
  .map((hosts) => hosts.map((host) => ({ id: `http://${host}` })));
const keys = fc.array(fc.string(), { minLength: 1, maxLength: 40 });
const firstOf = (list: readonly { readonly id: string }[], key: string) => ranked(list, key)[0]?.id;

test('every replica is ranked once, and in whatever order they are listed', () => {
  fc.assert(
    fc.property(replicas, fc.string(), (list, key) => {
      const order = ranked(list, key).map(({ id }) => id);
      expect([...order].sort()).toEqual(list.map(({ id }) => id).sort());
      expect(ranked([...list].reverse(), key).map(({ id }) => id)).toEqual(order);
    }),
  );
});

test('a replica that goes moves its own keys alone, each to its second; one that comes back takes them again', () => {
  fc.assert(
    fc.property(replicas, keys, fc.nat(), (list, some, n) => {
      const gone = list[n % list.length];
      const left = list.filter((replica) => replica !== gone);
      for (const key of some) {
        const [first, second] = ranked(list, key);
        expect(firstOf(left, key)).toBe(first === gone ? second?.id : first?.id);
      }
    }),
  );
});

test('keys are shared out evenly: no replica has twice or half of its part', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 6 }), fc.string(), (count, salt) => {
      const list = Array.from({ length: count }, (_, n) => ({ id: `http://10.0.0.${n}:4201` }));
      const parts = new Map(list.map(({ id }) => [id, 0]));
      const each = 500;
      for (let n = 0; n < each * count; n++) {
        const id = firstOf(list, `ten_${salt}${n}`) ?? '';
        parts.set(id, (parts.get(id) ?? 0) + 1);
      }
      for (const part of parts.values()) {
        expect(part).toBeGreaterThan(each / 2);
        expect(part).toBeLessThan(each * 2);
      }
    }),
    { numRuns: 10 },
  );
});

test('of no replica none is first', () => {
  expect(ranked([], 'key')).toEqual([]);
});
