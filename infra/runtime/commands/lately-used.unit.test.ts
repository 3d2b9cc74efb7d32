import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { LatelyUsed } from './lately-used.ts';

interface Thing {
  busy: boolean;
}

test('what was used lately is there, and what may not go, whenever it was used', () => {
  const use = fc.record({ name: fc.nat(40).map(String), busy: fc.boolean() });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(use, { maxLength: 200 }), (kept, uses) => {
      const things = new LatelyUsed<Thing>(kept, (thing) => !thing.busy);
      const last = new Map<string, Thing>();
      for (const { name, busy } of uses) {
        const known = last.get(name);
        const thing = things.get(name) ?? { busy };
        if (known?.busy === true) expect(thing).toBe(known);
        thing.busy = busy;
        things.set(name, thing);
        last.delete(name);
        last.set(name, thing);
      }
      const lately = [...last].reverse();
      for (const [name, thing] of lately.slice(0, kept)) expect(things.get(name)).toBe(thing);
      for (const [name, thing] of lately) if (thing.busy) expect(things.get(name)).toBe(thing);
    }),
  );
});

test('what may go is bounded', () => {
  const things = new LatelyUsed<Thing>(10);
  const names = Array.from({ length: 1000 }, (_, i) => String(i));
  for (const name of names) things.set(name, { busy: false });
  const there = names.filter((name) => things.get(name) !== undefined);
  expect(there.length).toBeGreaterThanOrEqual(10);
  expect(there.length).toBeLessThanOrEqual(20);
});
