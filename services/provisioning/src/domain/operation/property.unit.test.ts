import { describe, expect, test } from '@jest/globals';
import { asks, type Outcome, StepAsked } from '@bivouac/events/operations';
import {
  ChildEnded,
  ChildStarted,
  OperationCancelled,
  OperationFailed,
  OperationReleased,
  OperationResolved,
  LeftoversChanged,
  OperationSucceeded,
  ReleaseOrdered,
  StepEnded,
} from '@bivouac/events/provisioning';
import { deriveId } from '@bivouac/events/values';
import fc from 'fast-check';
import { z } from 'zod';

import { planOf } from '../plans/index.ts';
import {
  isEnded,
  isUndo,
  leftoversOf,
  type OperationState,
  release,
  resolve,
  retry,
} from './index.ts';
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

/** What an operation that was given up may still ask for. */
const givesBack = [
  ...['containers.discard', 'containers.unlease', 'containers.unplace', 'quotas.release'],
];

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

/**
 * What an undo has found on a container, and nobody has given back since. Of a step that was refused there is
 * nothing to be found: the answers that are drawn here do not know that.
 */
function notGivenBack({ events }: Run): string[] {
  /** The undo by which it was found. */
  const found = new Map<string, string>();
  const given = new Map<string, string[]>();
  const needless = new Set<string>();
  for (const event of events) {
    if (event.type === StepAsked.type) {
      const { ref, input } = event.data;
      const { reservationId } = z.object({ reservationId: z.string().optional() }).parse(input);
      const { leaseIds = [] } = z.object({ leaseIds: z.string().array().optional() }).parse(input);
      given.set(`${ref.step}/${ref.attempt}`, [reservationId ?? [], leaseIds].flat());
    }
    if (event.type !== StepEnded.type) continue;
    const { ref, ask, result, outcome: became } = event.data;
    if (became === 'refused') needless.add(`undo-${ref.step}-${ref.attempt}`);
    if (became !== 'done') continue;
    if (isUndo(ref.step) && ask === 'containers.destroy') {
      const { reservationIds, addresses } = asks[ask].result.parse(result);
      for (const id of [...reservationIds, ...addresses.map(({ leaseId }) => leaseId)]) {
        found.set(id, ref.step);
      }
    }
    for (const id of given.get(`${ref.step}/${ref.attempt}`) ?? []) found.delete(id);
  }
  return [...found].flatMap(([id, undo]) => (needless.has(undo) ? [] : [id]));
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

  test('that staff released and have retried gives back only what nothing can stand on, in order', () => {
    let given = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...orders.filter(({ kind }) => kind !== 'run-month')),
        fc.array(move, { maxLength: 80 }),
        fc.array(outcome, { maxLength: 12 }),
        (order, moves, answers) => {
          const run = new Run(order, over);
          play(
            run,
            moves.map((one) => ({ ...one, staff: release })),
            true,
          );
          if (run.state.phase === 'needs-attention') run.act(release);
          run.finish();
          fc.pre(run.state.phase === 'released');
          const before = run.events.length;
          for (const answer of answers) {
            const [asked] = run.open();
            if (asked === undefined) run.act(retry);
            else run.answer(asked, answer);
          }
          run.act(retry);
          run.finish();
          expect([run.state.phase, run.open()]).toEqual(['released', []]);
          for (const [i, event] of run.events.entries()) {
            if (i < before || event.type !== StepAsked.type) continue;
            const { ref, ask } = event.data;
            expect(givesBack).toContain(ask);
            given++;
            // Whatever was asked for later, and may be there, is gone.
            const [, step, attempt] = /^undo-(.+?)-(\d+)(?:$|-)/.exec(ref.step) ?? [];
            if (step === undefined) continue;
            const then = run.stateAfter(i);
            const at = then.askings.findIndex(
              (one) => one.step === step && one.attempt === Number(attempt),
            );
            // What an undo has found (`undo-build-release-1`) is no step of the plan; it comes behind its undo.
            if (at === -1) continue;
            const later = new Set(then.askings.slice(at + 1));
            expect(notUndone(then).filter((one) => later.has(one))).toEqual([]);
          }
          // What is told is what is left.
          const told = run.events.flatMap((e) =>
            e.type === ReleaseOrdered.type || e.type === LeftoversChanged.type
              ? [e.data.leftovers]
              : [],
          );
          expect(told.at(-1)).toEqual(leftoversOf(run.state));
        },
      ),
      { numRuns: 700 },
    );
    expect(given).toBeGreaterThan(0);
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
