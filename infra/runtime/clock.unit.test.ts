/** A clock that stands still until it is moved tells whoever goes by it of each move, once each. */
import { expect, test } from '@jest/globals';

import { ManualClock } from './clock.ts';

test('a move is told with the instant it was moved to, after who sleeps until then was woken', async () => {
  const clock = new ManualClock(1000);
  const heard: string[] = [];
  const asleep = clock.sleep(500).then(() => heard.push('woken'));
  const stop = clock.onMoved((now) => heard.push(`moved to ${now}`));
  clock.advance(600);
  await asleep;
  clock.moveTo(1200);
  expect(heard).toEqual(['moved to 1600', 'woken', 'moved to 1200']);
  stop();
  clock.advance(1);
  expect(heard).toHaveLength(3);
});

test('several hear the same move, and one that stops leaves the others', () => {
  const clock = new ManualClock(0);
  const heard: number[][] = [[], []];
  const stops = heard.map((own) => clock.onMoved((now) => own.push(now)));
  clock.advance(5);
  stops[0]?.();
  clock.advance(5);
  expect(heard).toEqual([[5], [5, 10]]);
});
