/** Whatever order a node tells packages in, and however often, one list is one blob. */
import { expect, test } from '@jest/globals';
import { memoryBlobs } from '@bivouac/infra/blobs';
import fc from 'fast-check';

import { stored } from './package-lists.ts';

const one = fc.record({
  name: fc.constantFrom('bash', 'glibc', 'vim'),
  epoch: fc.nat(1),
  version: fc.constantFrom('1.0', '2.0'),
  release: fc.constant('1'),
  arch: fc.constantFrom('x86_64', 'noarch'),
});
const report = { added: [], removed: [], configFiles: [], output: 'said' };

test('a report is stored under the digest of what is installed, each package once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(one, { maxLength: 8 }), fc.nat(), async (list, turn) => {
      const blobs = memoryBlobs();
      const at = turn % (list.length + 1);
      const other = [...list.slice(at), ...list, ...list.slice(0, at)];
      const first = await stored({ ...report, installed: list }, blobs);
      const second = await stored({ ...report, installed: other }, blobs);
      expect(second).toEqual(first);
      expect(first).not.toHaveProperty('installed');
      const content = JSON.parse(
        Buffer.from((await blobs.get(first.inventory)) ?? []).toString(),
      ) as unknown[];
      const texts = content.map((each) => JSON.stringify(each));
      expect(new Set(texts).size).toBe(texts.length);
      expect(texts).toHaveLength(new Set(list.map((each) => JSON.stringify(each))).size);
    }),
    { numRuns: 50 },
  );
});
