// What was opened is closed, the newest first, whatever of it fails.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { Closing } from './closing.ts';

test('everything is closed once, the newest first, also where some of it fails', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 12 }), async (fails) => {
      const closing = new Closing();
      const closed: number[] = [];
      fails.forEach((fail, i) => {
        closing.add(() => {
          closed.push(i);
          if (fail) throw new Error(`${i} does not close`);
        });
      });
      const ended = closing.close();
      if (fails.includes(true)) await expect(ended).rejects.toThrow('not everything');
      else await ended;
      await closing.close();
      expect(closed).toEqual(fails.map((_, i) => fails.length - 1 - i));
    }),
  );
});

test('a start that fails closes what stood, and says what stopped it, not what came of that', async () => {
  const closing = new Closing();
  const closed: string[] = [];
  const opening = closing.opening(async () => {
    closing.add(() => {
      closed.push('one');
    });
    closing.add(() => Promise.reject(new Error('two does not close')));
    throw new Error('three does not open');
  });
  await expect(opening).rejects.toThrow('three does not open');
  expect(closed).toEqual(['one']);
});
