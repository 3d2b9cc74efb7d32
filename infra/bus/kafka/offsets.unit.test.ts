// An offset is committed only behind what was delivered and is remembered, without a gap.
import { expect, test } from '@jest/globals';
import { formatPosition } from '@bivouac/events/language';
import fc from 'fast-check';

import { Offsets } from './offsets.ts';

const at = (n: number): string => formatPosition(BigInt(n));

test('never beyond the first message that was not delivered or is not remembered', () => {
  const steps = fc.array(
    fc.oneof(
      fc.constant({ do: 'take' as const }),
      fc.record({ do: fc.constant('deliver' as const), of: fc.nat(20) }),
      fc.record({ do: fc.constant('keep' as const), to: fc.nat(20) }),
      fc.constant({ do: 'commit' as const }),
      fc.record({ do: fc.constant('again' as const), from: fc.nat(20) }),
    ),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(steps, (all) => {
      const offsets = new Offsets(null);
      // Offset n holds the event at position n.
      let taken = -1;
      let delivered = -1;
      let kept = -1;
      let course = 0;
      let committed = 0;
      for (const step of all) {
        if (step.do === 'take') course = offsets.take(BigInt(++taken), at(taken));
        if (step.do === 'deliver' && step.of <= taken) {
          delivered = Math.max(delivered, step.of);
          offsets.deliver(BigInt(step.of), course);
        }
        if (step.do === 'keep') kept = Math.max(kept, step.to);
        if (step.do === 'again' && step.from < taken) {
          // Reading goes back to what was committed: what was delivered comes again.
          taken = Math.min(step.from, committed) - 1;
          delivered = Math.min(delivered, taken);
          course = offsets.take(BigInt(++taken), at(taken));
        }
        if (step.do !== 'commit') continue;
        const due = offsets.due(kept < 0 ? null : at(kept));
        if (due === undefined) continue;
        const bound = Math.min(delivered, kept) + 1;
        expect(Number(due.offset)).toBeLessThanOrEqual(Math.max(bound, committed));
        expect(due.mark === null || due.mark <= at(kept)).toBe(true);
        offsets.committed(due);
        committed = Number(due.offset);
      }
    }),
  );
});

test('what was delivered and is remembered is committed, once', () => {
  const offsets = new Offsets(null);
  const course = offsets.take(0n, at(4));
  offsets.take(1n, null);
  offsets.take(2n, at(9));
  offsets.deliver(2n, course);
  expect(offsets.due(at(4))).toEqual({ offset: 2n, mark: at(4) });
  const due = offsets.due(at(9));
  expect(due).toEqual({ offset: 3n, mark: at(9) });
  // It did not arrive, and is due still.
  expect(offsets.due(at(9))).toEqual(due);
  if (due !== undefined) offsets.committed(due);
  expect(offsets.due(at(9))).toBeUndefined();
});

test('a topic made anew counts from its beginning: what was delivered of the old one says nothing', () => {
  const offsets = new Offsets(at(50));
  const old = offsets.take(7n, at(51));
  offsets.deliver(7n, old);
  expect(offsets.due(at(51))?.offset).toBe(8n);
  const course = offsets.take(0n, at(52));
  offsets.take(7n, at(53));
  offsets.deliver(7n, old);
  expect(offsets.due(at(60))).toBeUndefined();
  offsets.deliver(0n, course);
  expect(offsets.due(at(60))).toEqual({ offset: 1n, mark: at(52) });
});
