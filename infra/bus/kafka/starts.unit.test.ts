// A consumer begins where its group's marks say, whatever offset was committed.
import { expect, test } from '@jest/globals';
import { formatPosition } from '@bivouac/events/language';

import { seekOf } from './starts.ts';

const at = (n: number): string => formatPosition(BigInt(n));
const start = (mark: string | null | undefined) => ({
  oldest: '5',
  committed: { offset: '10', mark },
});

test.each([
  ['nothing committed', { oldest: '5', committed: undefined }, at(3), undefined],
  ['committed at the mark', start(at(3)), at(3), undefined],
  ['committed behind the mark', start(at(2)), at(3), undefined],
  ['committed before any event', start(null), null, undefined],
  ['committed beyond the mark', start(at(4)), at(3), '5'],
  ['committed, but the group remembers nothing', start(at(4)), null, '5'],
  ['committed by another tool', start(undefined), at(9), '5'],
  ['a partition the brokers do not know', undefined, at(9), undefined],
] as const)('%s', (_what, known, mark, seek) => {
  expect(seekOf(known, mark)).toBe(seek);
});
