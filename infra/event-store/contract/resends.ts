/**
 * Laws of sending again: a lost answer is asked for by repeating the append, at any age.
 */
import { expect, test } from '@jest/globals';
import type { Bench } from './bench.ts';
import { readWholeLog, refusal, sampleEvent, sampleEvents } from './samples.ts';

export function resendLaws(bench: Bench): void {
  test('the identical append sent again answers as the first time and writes nothing', async () => {
    const first = sampleEvents('first', 3);
    const second = sampleEvents('second', 2);
    const one = await bench.store.append('pool-1', 'no-stream', first);
    const two = await bench.store.append('pool-1', 2n, second);
    expect(await bench.store.append('pool-1', 'no-stream', first)).toEqual(one);
    expect(await bench.store.append('pool-1', 2n, second)).toEqual(two);
    expect(await readWholeLog(bench.store)).toHaveLength(5);
  });

  test('the identical append sent twice at once is written once, both get the answer', async () => {
    const events = sampleEvents('twice', 2);
    const [one, two] = await Promise.all([
      bench.store.append('pool-1', 'no-stream', events),
      bench.store.append('pool-1', 'no-stream', events),
    ]);
    expect(two).toEqual(one);
    expect(await readWholeLog(bench.store)).toHaveLength(2);
  });

  test('a re-send is known at any age, also by who opens the log later', async () => {
    const old = sampleEvents('old', 2);
    const first = await bench.store.append('pool-1', 'no-stream', old);
    for (let i = 0; i < 50; i++) {
      await bench.store.append('pool-1', BigInt(i + 1), [sampleEvent(`later ${i}`)]);
    }
    expect(await bench.store.append('pool-1', 'no-stream', old)).toEqual(first);
    const again = await bench.log.again();
    expect(await again.append('pool-1', 'no-stream', old)).toEqual(first);
    expect(await readWholeLog(again)).toHaveLength(52);
  });

  test('an append shared by several commands may be sent again split into its parts', async () => {
    const [a, b, c] = [sampleEvent('a'), sampleEvent('b'), sampleEvent('c')];
    const whole = await bench.store.append('pool-1', 'no-stream', [a, b, c]);
    expect((await bench.store.append('pool-1', 'no-stream', [a])).revision).toBe(0n);
    expect((await bench.store.append('pool-1', 0n, [b])).revision).toBe(1n);
    expect(await bench.store.append('pool-1', 1n, [c])).toEqual(whole);
    expect(await readWholeLog(bench.store)).toHaveLength(3);
  });

  test('an append of which some events are known and others new is refused whole', async () => {
    const [a, b, c] = [sampleEvent('a'), sampleEvent('b'), sampleEvent('c')];
    await bench.store.append('pool-1', 'no-stream', [a, b]);
    for (const events of [
      [a, c],
      [a, b, c],
      [c, b],
    ]) {
      const error = await refusal(bench.store.append('pool-1', 'no-stream', events));
      expect(error.code).toBe('invalid');
      expect(error.message).toContain('id');
    }
    expect(await readWholeLog(bench.store)).toHaveLength(2);
  });

  test('other events at a revision that is taken are a conflict, not a re-send', async () => {
    await bench.store.append('pool-1', 'no-stream', sampleEvents('a', 2));
    const error = await refusal(bench.store.append('pool-1', 'no-stream', sampleEvents('b', 2)));
    expect([error.code, error.actual]).toEqual(['conflict', 1n]);
  });

  test('the same ids in another stream are another append', async () => {
    const events = sampleEvents('shared', 2);
    await bench.store.append('pool-1', 'no-stream', events);
    const other = await bench.store.append('pool-2', 'no-stream', events);
    expect(other.revision).toBe(1n);
    expect(await readWholeLog(bench.store)).toHaveLength(4);
  });
}
