import { describe, expect, test } from '@jest/globals';
import { asks, type Outcome, StepAsked } from '@bivouac/events/operations';
import {
  ChildEnded,
  ChildStarted,
  OperationCancelled,
  OperationFailed,
  OperationReleased,
  OperationResolved,
  OperationSucceeded,
  StepEnded,
} from '@bivouac/events/provisioning';
import { deriveId } from '@bivouac/events/values';
import fc from 'fast-check';
import { z } from 'zod';

import { planOf } from '../plans/index.ts';
import { isEnded, isUndo, type OperationState, release, resolve, retry } from './index.ts';
import { orders, Run, tenantId } from './sample-run.ts';

const accounts = Array.from({ length: 7 }, (_, i) => deriveId('tenant', `account ${i}`));
const over = {
  'billing.accounts-to-close': {
    accounts: accounts.map((accountId) => ({ accountId, homeId: tenantId })),
  },
};

const ends: ReadonlySet<string> = new Set([
  OperationSucceeded.type,
  OperationFailed.type,
  OperationCancelled.type,
  OperationResolved.type,
  OperationReleased.type,
]);

const outcome = fc.constantFrom<Outcome | 'busy'>(
  ...(['done', 'done', 'done', 'busy', 'refused', 'failed', 'timed-out'] as const),
);
const move = fc.record({
  which: fc.nat(5),
  outcome,
  resume: fc.boolean(),
  cancel: fc.integer({ min: 0, max: 11 }).map((n) => n === 0),
  child: fc.constantFrom('succeeded', 'failed', 'cancelled', 'released', 'waiting'),
  staff: fc.constantFrom(retry, retry, resolve, release),
});
type Move = typeof move extends fc.Arbitrary<infer M> ? M : never;

const refusal = { code: 'NODE_FAILED', message: 'No.' };

/** Does as told until nothing is under way; the rest is answered with yes. */
function play(run: Run, moves: readonly Move[], staff: boolean): void {
  for (const { which, outcome: answer, resume, cancel, child, staff: act } of moves) {
    if (cancel) run.cancel();
    const [delay] = run.delayed();
    if (resume && delay !== undefined) run.resume(delay);
    const open = run.open();
    const asked = open[which % Math.max(1, open.length)];
    const { open: under, waiting } = run.state.children;
    const children = [...under.keys(), ...waiting.keys()];
    const childId = children[which % Math.max(1, children.length)];
    if (asked !== undefined) run.answer(asked, answer);
    else if (childId !== undefined) run.child({ childId, outcome: child, refusal });
    if (staff && run.state.phase === 'needs-attention') run.act(act);
  }
  run.finish();
  for (const childId of run.state.children.waiting.keys()) {
    run.child({ childId, outcome: 'resolved' });
  }
  run.finish();
}

/** The steps whose undo was not done though they were asked and not refused. */
function notUndone({ order, target, results, startedAt, operationId, askings }: OperationState) {
  if (order === undefined || target === undefined) throw new Error('it has an order');
  const facts = { operationId, tenantId, order, target, startedAt, results };
  return planOf(facts).steps.flatMap((step) =>
    step.undo === undefined
      ? []
      : askings
          .filter((a) => a.step === step.name && a.status !== 'refused')
          .filter(({ attempt }) => {
            const undo = `undo-${step.name}-${attempt}`;
            return askings.findLast((a) => a.step === undo)?.status !== 'done';
          }),
  );
}

/** What an undo has found on a container, and nobody has given back since. */
function notGivenBack({ events }: Run): string[] {
  const found = new Set<string>();
  const given = new Map<string, string[]>();
  for (const event of events) {
    if (event.type === StepAsked.type) {
      const { ref, input } = event.data;
      const { reservationId } = z.object({ reservationId: z.string().optional() }).parse(input);
      const { leaseIds = [] } = z.object({ leaseIds: z.string().array().optional() }).parse(input);
      given.set(`${ref.step}/${ref.attempt}`, [reservationId ?? [], leaseIds].flat());
    }
    if (event.type !== StepEnded.type || event.data.outcome !== 'done') continue;
    const { ref, ask, result } = event.data;
    if (isUndo(ref.step) && ask === 'containers.destroy') {
      const { reservationIds, addresses } = asks[ask].result.parse(result);
      for (const id of [...reservationIds, ...addresses.map(({ leaseId }) => leaseId)]) {
        found.add(id);
      }
    }
    for (const id of given.get(`${ref.step}/${ref.attempt}`) ?? []) found.delete(id);
  }
  return [...found];
}

describe('whatever is answered and whenever it is cancelled, an operation', () => {
  test('ends or needs attention; where it failed or was cancelled nothing is left to undo', () => {
    fc.assert(
      fc.property(fc.constantFrom(...orders), fc.array(move, { maxLength: 60 }), (order, moves) => {
        const run = new Run(order, over);
        play(run, moves, false);
        const { phase } = run.state;
        expect(phase === 'needs-attention' || isEnded(phase)).toBe(true);
        expect([...run.open(), ...run.delayed()]).toEqual([]);
        if (phase === 'failed' || phase === 'cancelled') {
          expect(notUndone(run.state)).toEqual([]);
          expect(notGivenBack(run)).toEqual([]);
        }

        // Each ask has at most one answer on record.
        const answered = run.events.flatMap((e) =>
          e.type === StepEnded.type ? [`${e.data.ref.step}/${e.data.ref.attempt}`] : [],
        );
        expect(new Set(answered).size).toBe(answered.length);
      }),
      { numRuns: 700 },
    );
  });

  test('that staff retry, resolve and release ends, and says what a release leaves', () => {
    fc.assert(
      fc.property(fc.constantFrom(...orders), fc.array(move, { maxLength: 80 }), (order, moves) => {
        const run = new Run(order, over);
        play(run, moves, true);
        // Staff that were told to retry once more than there were answers end it.
        if (run.state.phase === 'needs-attention') run.act(resolve);
        run.finish();
        expect(isEnded(run.state.phase)).toBe(true);
        const { phase } = run.state;
        if (phase === 'failed' || phase === 'cancelled') expect(notUndone(run.state)).toEqual([]);
        // It ends once, and asks for nothing afterwards.
        expect(run.events.filter(({ type }) => ends.has(type))).toHaveLength(1);
        expect(run.open()).toEqual([]);
      }),
      { numRuns: 700 },
    );
  });

  test('over many starts each child once, never too many at once, and counts every end', () => {
    const many = Array.from({ length: 130 }, (_, i) => deriveId('tenant', `many ${i}`));
    const pages = { accounts: many.map((accountId) => ({ accountId, homeId: tenantId })) };
    const order = orders.find(({ kind }) => kind === 'run-month');
    if (order === undefined) throw new Error('there is such an order');
    const end = fc.record({
      which: fc.nat(200),
      child: fc.constantFrom('succeeded', 'failed', 'resolved', 'waiting'),
    });
    fc.assert(
      fc.property(fc.array(end, { maxLength: 300 }), (endings) => {
        const run = new Run(order, { 'billing.accounts-to-close': pages });
        run.answerNext('done');
        for (const { which, child } of endings) {
          const { open, waiting } = run.state.children;
          expect(open.size).toBeLessThanOrEqual(50);
          const all = [...open.keys(), ...waiting.keys()];
          const childId = all[which % Math.max(1, all.length)];
          if (childId !== undefined) run.child({ childId, outcome: child, refusal });
        }
        run.finish();
        for (const childId of run.state.children.waiting.keys()) {
          run.child({ childId, outcome: 'released' });
        }
        const started = run.events.flatMap((e) =>
          e.type === ChildStarted.type ? [e.data.subject] : [],
        );
        expect(started).toEqual(many);
        const ended = run.events.flatMap((e) => (e.type === ChildEnded.type ? [e.data] : []));
        expect(new Set(ended.map((one) => one.childId)).size).toBe(many.length);
        const failed = ended.filter(({ outcome: o }) => o !== 'succeeded' && o !== 'resolved');
        expect(run.state.phase).toBe('succeeded');
        expect(run.events.at(-1)?.data).toMatchObject({
          children: {
            succeeded: many.length - failed.length,
            failed: failed.length,
            failures: failed.slice(0, 100).map(({ childId, subject }) => ({ childId, subject })),
          },
        });
      }),
      { numRuns: 60 },
    );
  });
});
