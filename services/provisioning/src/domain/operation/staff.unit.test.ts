import { describe, expect, test } from '@jest/globals';
import { ReleaseOrdered, StepEnded } from '@bivouac/events/provisioning';
import { deriveId } from '@bivouac/events/values';

import { leftoversOf, release, resolve, retry } from './index.ts';
import { containerId, orderOf, Run } from './sample-run.ts';

/** A termination whose container is destroyed, and whose place is not given back. */
function stuck(): Run {
  const run = new Run(orderOf('terminate'));
  run.answerNext('done');
  for (let i = 0; i < 5; i += 1) run.answer(run.asked('unplace'), 'timed-out');
  expect(run.state.phase).toBe('needs-attention');
  return run;
}

/** An order of an address that was refused and cannot be undone. */
function stuckUndoing(): Run {
  const run = new Run(orderOf('add-address'));
  run.answerNext('done');
  run.answerNext('done');
  run.answerNext('refused');
  for (let i = 0; i < 3; i += 1) run.answerNext('failed');
  expect(run.state.phase).toBe('needs-attention');
  return run;
}

describe('an operation that needs attention', () => {
  test('goes on where it was when staff have it retried, with as many attempts as at first', () => {
    const run = stuck();
    run.act(retry);
    expect(run.state.phase).toBe('running');
    expect(run.refs().at(-1)).toBe('unplace/6');
    for (let i = 0; i < 4; i += 1) run.answer(run.asked('unplace'), 'failed');
    expect(run.state.phase).toBe('running');
    run.finish();
    expect(run.state.phase).toBe('succeeded');
  });

  test('needs it again when the new attempts fail as well', () => {
    const run = stuck();
    run.act(retry);
    for (let i = 0; i < 5; i += 1) run.answer(run.asked('unplace'), 'failed');
    expect(run.state.phase).toBe('needs-attention');
  });

  test('goes on undoing when that was what it did', () => {
    const run = stuckUndoing();
    run.act(retry);
    expect(run.state.phase).toBe('undoing');
    expect(run.refs().at(-1)).toBe('undo-reserve-1/4');
    run.finish();
    expect(run.state.phase).toBe('failed');
    expect(run.state.refusal?.code).toBe('NODE_FAILED');
  });

  test('lets go of its container before it ends as resolved', () => {
    const run = stuck();
    run.act(resolve);
    expect(run.state.phase).toBe('closing');
    expect(run.asked('let-go').ask).toBe('containers.let-go');
    run.answer(run.asked('let-go'), 'done');
    expect(run.state.phase).toBe('resolved');
  });

  test('that staff release lists what it leaves: what was not done, and how it would be', () => {
    const run = stuck();
    run.act(release);
    const ordered = run.events.find((event) => event.type === ReleaseOrdered.type);
    const placementId = deriveId('placement', 'p');
    expect(ordered?.data).toMatchObject({ reason: 'as agreed' });
    expect(
      run.events.flatMap((e) => (e.type === ReleaseOrdered.type ? e.data.leftovers : [])),
    ).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          step: 'unplace',
          ask: 'containers.unplace',
          input: { placementId, nodeId: deriveId('node', 'n') },
        }),
      ]),
    );
    run.answer(run.asked('let-go'), 'done');
    expect(run.state.phase).toBe('released');
  });

  test('that staff release while it undoes lists what it has not undone', () => {
    const run = stuckUndoing();
    run.act(release);
    const left = run.events.flatMap((e) =>
      e.type === ReleaseOrdered.type ? e.data.leftovers : [],
    );
    expect(left.map(({ step, ask }) => [step, ask])).toEqual([['reserve', 'quotas.release']]);
  });

  test('that staff released gives back what it left when they have it retried, and stays released', () => {
    const run = new Run(orderOf('provision'));
    for (const step of ['admit', 'quote', 'reserve']) run.answer(run.asked(step), 'done');
    run.answer(run.asked('prepare'), 'timed-out');
    for (let i = 0; i < 3; i += 1) run.answer(run.asked('undo-prepare-1'), 'timed-out');
    run.act(release);
    run.answer(run.asked('let-go'), 'done');
    expect(run.state.phase).toBe('released');
    const left = (): string[] => leftoversOf(run.state).map(({ ask }) => ask);
    expect(left()).toEqual(['containers.discard', 'quotas.release']);

    run.act(retry);
    expect(run.act(retry)).toMatchObject({ refusal: { code: 'OPERATION_NEEDS_NO_ATTENTION' } });
    for (let i = 0; i < 3; i += 1) run.answer(run.asked('undo-prepare-1'), 'failed');
    expect(run.open()).toEqual([]);
    run.act(retry);
    run.answer(run.asked('undo-prepare-1'), 'done');
    expect(left()).toEqual(['quotas.release']);
    run.answer(run.asked('undo-reserve-1'), 'done');
    expect([run.state.phase, left(), run.open()]).toEqual(['released', [], []]);
    expect(run.act(retry)).toMatchObject({ refusal: { code: 'OPERATION_ENDED' } });
  });

  test('that staff released is not retried where a node may still have what it left', () => {
    const run = new Run(orderOf('add-address'));
    for (const step of ['inspect', 'reserve', 'lease']) run.answer(run.asked(step), 'done');
    run.answer(run.asked('attach'), 'timed-out');
    for (let i = 0; i < 3; i += 1) run.answer(run.asked('undo-attach-1'), 'timed-out');
    run.act(release);
    run.finish();
    expect(leftoversOf(run.state).map(({ ask }) => ask)).toContain('containers.unlease');
    expect(run.act(retry)).toMatchObject({
      refusal: { code: 'OPERATION_ENDED', message: expect.stringContaining('a node may still') },
    });
    expect(run.open()).toEqual([]);
  });

  test('needs attention again when its container is not let go, and can be ended then', () => {
    const run = stuck();
    run.act(release);
    for (let i = 0; i < 3; i += 1) run.answer(run.asked('let-go'), 'timed-out');
    expect(run.state.phase).toBe('needs-attention');
    run.act(retry);
    expect(run.state.phase).toBe('closing');
    run.answer(run.asked('let-go'), 'done');
    expect(run.state.phase).toBe('released');
  });

  test('of an account has no container to let go of', () => {
    const run = new Run(orderOf('close-month'));
    for (let i = 0; i < 3; i += 1) run.answerNext('failed');
    run.act(resolve);
    expect(run.state.phase).toBe('resolved');
  });

  test('cannot be cancelled: staff see to it', () => {
    expect(stuck().cancel()).toMatchObject({ refusal: { code: 'OPERATION_NEEDS_ATTENTION' } });
  });

  test('takes the answers that come meanwhile and does not judge them twice', () => {
    const run = stuck();
    run.answer(run.asked('release-1'), 'failed');
    expect(run.events.at(-1)?.type).toBe(StepEnded.type);
    run.act(retry);
    expect(run.open().map(({ ref }) => ref.step)).toEqual(
      expect.arrayContaining(['unplace', 'release-1']),
    );
  });
});

describe.each([
  ['retry', retry],
  ['resolve', resolve],
  ['release', release],
] as const)('staff who %s an operation', (_name, act) => {
  test('are refused while it works by itself', () => {
    const run = new Run(orderOf('provision'));
    expect(run.act(act)).toMatchObject({ refusal: { code: 'OPERATION_NEEDS_NO_ATTENTION' } });
  });

  test('are refused once it has ended', () => {
    const run = new Run(orderOf('suspend'));
    run.finish();
    expect(run.act(act)).toMatchObject({ refusal: { code: 'OPERATION_ENDED' } });
  });
});

describe('a reservation that is overdue', () => {
  const reservationId = deriveId('reservation', 'late');

  test('is left to an operation that works', () => {
    const run = new Run(orderOf('provision'));
    const before = run.events.length;
    run.overdue(reservationId);
    expect(run.events).toHaveLength(before);
  });

  test('is noted once where the operation needs attention or has succeeded', () => {
    for (const run of [stuck(), new Run(orderOf('provision'))]) {
      if (run.state.phase === 'running') run.finish();
      run.overdue(reservationId);
      run.overdue(reservationId);
      expect(run.state.overdue).toEqual([reservationId]);
    }
  });

  test('is given back by one that failed, again until it is done, and asked for once at a time', () => {
    const run = new Run(orderOf('provision'));
    for (const asked of run.open()) run.answer(asked, 'refused');
    run.finish();
    expect(run.state.phase).toBe('failed');
    run.overdue(reservationId);
    run.overdue(reservationId);
    expect(run.open().map(({ ask }) => ask)).toEqual(['quotas.release']);
    run.answerNext('timed-out');
    run.answerNext('done');
    expect(run.open()).toEqual([]);
    run.overdue(reservationId);
    expect(run.open()).toEqual([]);
    expect(run.state.phase).toBe('failed');
  });

  test('that its ledger does not give back is noted in the end', () => {
    const run = new Run(orderOf('provision'));
    for (const asked of run.open()) run.answer(asked, 'refused');
    run.overdue(reservationId);
    for (let i = 0; i < 5; i += 1) run.answerNext('failed');
    expect(run.open()).toEqual([]);
    expect(run.state.overdue).toEqual([reservationId]);
  });

  test('and was noted while it waited for staff is given back when they release it, not when they resolve it', () => {
    const asked = (act: typeof release): string[] => {
      const run = stuck();
      run.overdue(reservationId);
      run.act(act);
      run.answer(run.asked('let-go'), 'done');
      return run.refs().filter((ref) => ref.startsWith('overdue-'));
    };
    expect(asked(release)).toEqual([`overdue-${reservationId.slice('res_'.length)}/1`]);
    expect(asked(resolve)).toEqual([]);
  });

  test.each([
    ['resolved', resolve],
    ['released', release],
  ] as const)(
    'is none of a resize that was %s: what its container is not there by is given back',
    (phase, act) => {
      const run = new Run(orderOf('resize'));
      for (const step of ['inspect', 'quote', 'transfer']) run.answer(run.asked(step), 'done');
      for (let i = 0; i < 3; i += 1) run.answer(run.asked('resize'), 'timed-out');
      const made = deriveId('reservation', run.state.operationId, 'reserve', '1');
      const own = deriveId('reservation', 'own');
      const asked = (reservationIds: readonly string[]): string[] => {
        const one = run.copy();
        one.give('containers.let-go', { reservationIds });
        one.act(act);
        one.answer(one.asked('let-go'), 'done');
        expect(one.state.phase).toBe(phase);
        const after = one.open().map(({ ref }) => ref.step);
        one.finish();
        // Its ledger's question is answered by that.
        if (after.length > 0) one.overdue(made);
        expect(one.open()).toEqual([]);
        return after;
      };
      expect(asked([own])).toEqual([`overdue-${made.slice('res_'.length)}`]);
      expect(asked([])).toEqual([`overdue-${made.slice('res_'.length)}`]);
      // The node had the new limits after all.
      expect(asked([made])).toEqual([]);
    },
  );

  test('of a container that staff have put right by hand is not taken from it', () => {
    const run = stuck();
    run.act(resolve);
    run.finish();
    run.overdue(reservationId);
    expect(run.state.overdue).toEqual([reservationId]);
  });
});

test('what waits for the end of a period waits up to forty days and can be cancelled meanwhile', () => {
  const run = new Run({ kind: 'cancel', containerId, at: 'period-end', reason: 'moving' });
  run.answerNext('done');
  expect(run.events.at(-1)?.data).toMatchObject({
    ask: 'billing.period-end',
    notAfter: '2026-05-20T09:00:00.000Z',
  });
  run.cancel();
  expect(run.state.phase).toBe('cancelled');
});
