/** A refusal that passes by itself is waited for: a few times, by timer, and not where it may last. */
import { describe, expect, test } from '@jest/globals';

import { DELAYS, release, retry } from './index.ts';
import { orderOf, Run } from './sample-run.ts';

const resumeAll = (run: Run): void => {
  for (const delay of run.delayed()) run.resume(delay);
};

describe('a step that is refused for something that passes', () => {
  test('is asked for again when its time has come, and goes on', () => {
    const run = new Run(orderOf('power'));
    run.answerNext('busy');
    expect(run.open()).toEqual([]);
    expect(run.delayed()).toEqual([{ step: 'power', until: '2026-04-10T09:00:05.000Z' }]);
    // Another timer's word is nothing.
    run.resume({ step: 'power', until: '2026-04-10T09:00:00.000Z' });
    expect(run.open()).toEqual([]);
    resumeAll(run);
    expect(run.refs()).toEqual(['power/1', 'power/2']);
    run.answerNext('done');
    expect(run.state.phase).toBe('succeeded');
  });

  test('is refused for good when it has waited often enough', () => {
    const run = new Run(orderOf('power'));
    for (const seconds of DELAYS) {
      expect(seconds).toBeLessThanOrEqual(60);
      run.answerNext('busy');
      expect(run.delayed()).toHaveLength(1);
      resumeAll(run);
    }
    run.answerNext('busy');
    expect(run.state).toMatchObject({ phase: 'failed', refusal: { code: 'CONTAINER_BUSY' } });
  });

  test('has all its attempts all the same', () => {
    const run = new Run(orderOf('terminate'));
    run.answerNext('busy');
    resumeAll(run);
    for (const _ of [1, 2]) run.answerNext('failed');
    expect(run.state.phase).toBe('running');
    run.answerNext('failed');
    expect(run.state.phase).toBe('needs-attention');
  });

  test('does not keep the operation from being cancelled; nothing is asked for then', () => {
    const run = new Run(orderOf('power'));
    run.answerNext('busy');
    expect(run.cancel().kind).toBe('accepted');
    expect(run.state.phase).toBe('cancelled');
    resumeAll(run);
    expect(run.refs()).toEqual(['power/1']);
    expect(run.delayed()).toEqual([]);
  });

  test('keeps what an earlier attempt may have done: that cannot be cancelled, nor what it rests on', () => {
    const run = new Run(orderOf('resize'));
    for (const step of ['inspect', 'quote', 'transfer']) run.answer(run.asked(step), 'done');
    run.answer(run.asked('resize'), 'timed-out');
    run.answer(run.asked('resize'), 'busy');
    expect(run.delayed()).toHaveLength(1);
    expect(run.cancel()).toMatchObject({ refusal: { code: 'OPERATION_CANNOT_BE_CANCELLED' } });
    resumeAll(run);
    run.finish();
    expect(run.state.phase).toBe('succeeded');
    expect(run.refs().filter((ref) => ref.startsWith('undo-'))).toEqual([]);
  });

  test('is waited for also where it is an undo, before staff are called', () => {
    const run = new Run(orderOf('add-address'));
    for (const step of ['inspect', 'reserve', 'lease']) run.answer(run.asked(step), 'done');
    run.answer(run.asked('attach'), 'timed-out');
    run.answer(run.asked('undo-attach-1'), 'busy');
    expect(run.open()).toEqual([]);
    resumeAll(run);
    run.answer(run.asked('undo-attach-1'), 'done');
    run.finish();
    expect(run.state.phase).toBe('failed');
  });

  test('is put off anew after staff had it retried, and left where they give it up', () => {
    const run = new Run(orderOf('terminate'));
    for (const _ of DELAYS) {
      run.answerNext('busy');
      resumeAll(run);
    }
    for (const _ of [1, 2, 3]) run.answerNext('failed');
    run.act(retry);
    run.answerNext('busy');
    expect(run.delayed()).toHaveLength(1);
    resumeAll(run);
    for (const _ of [1, 2, 3]) run.answerNext('failed');
    expect(run.act(release).kind).toBe('accepted');
    run.finish();
    expect(run.state.phase).toBe('released');
  });

  test.each(['NO_NODE_WITH_ROOM', 'POOL_FULL'])('fails at once for what is scarce: %s', (code) => {
    const run = new Run(orderOf('resize'));
    run.answer(run.asked('inspect'), 'refused', { code, message: 'Full.', retryable: true });
    expect(run.delayed()).toEqual([]);
    run.finish();
    expect(run.state).toMatchObject({ phase: 'failed', refusal: { code } });
  });
});

describe('a refusal after an attempt that was not answered', () => {
  test.each(['CONTAINER_GONE', 'CONTAINER_UNKNOWN', 'HOLD_LIFTED'])(
    'that says %s ends the operation: what the attempt may have done is gone with it',
    (code) => {
      const run = new Run(orderOf('suspend'));
      run.answerNext('timed-out');
      run.answer(run.asked('hold'), 'refused', { code, message: 'It is gone.' });
      expect(run.state).toMatchObject({ phase: 'failed', refusal: { code } });
    },
  );

  test('that says anything else is no word on it: staff look', () => {
    const run = new Run(orderOf('suspend'));
    run.answerNext('timed-out');
    run.answerNext('refused');
    expect(run.state.phase).toBe('needs-attention');
  });
});
