import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { address } from '../../given.ts';
import { SampleContainer } from './sample-container.ts';

const operation = fc.constantFrom('make', 'a', 'b');
const attempt = fc.integer({ min: 1, max: 3 });
const holdName = fc.constantFrom('h', 'i');
const asks = fc.constantFrom(
  'request',
  'build',
  'hold',
  'unhold',
  'destroy',
  'discard',
  'attach',
  'detach',
);
const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      ask: asks,
      operation,
      attempt,
      holdName,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('hold-account' as const, 'free-account' as const),
      holdName,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      outcome: fc.constantFrom(
        'done' as const,
        'done' as const,
        'failed' as const,
        'refused' as const,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('late-answer' as const), which: fc.nat(20) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      seconds: fc.constantFrom(1, 30, 300),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('time-out' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('observe' as const),
      state: fc.constantFrom('absent' as const, 'running' as const, 'stopped' as const),
      generation: fc.nat(3),
    }),
  },
);
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

function perform(it: SampleContainer, one: Action): void {
  switch (one.do) {
    case 'ask':
      ask(it, one);
      return;
    case 'hold-account':
      it.tenantHold(`account-${one.holdName}`);
      return;
    case 'free-account':
      it.tenantUnhold(`account-${one.holdName}`);
      return;
    case 'answer':
      it.answer(one.outcome);
      return;
    case 'late-answer': {
      const issued = it.log.filter((event) => event.type === 'containers.InstructionIssued');
      const old = issued[one.which % Math.max(1, issued.length)]?.data['instructionId'];
      if (old !== undefined && old !== it.state.instruction?.id) {
        expect(it.answer('done', old as string)).toEqual([]);
      }
      return;
    }
    case 'wait':
      it.later(one.seconds);
      return;
    case 'time-out':
      it.timeOut();
      return;
    case 'observe':
      it.observe(one.state, one.generation);
  }
}

function ask(it: SampleContainer, one: Extract<Action, { do: 'ask' }>): void {
  const { operation, attempt, holdName } = one;
  switch (one.ask) {
    case 'request':
      it.request(operation);
      return;
    case 'build':
      it.build(operation, attempt);
      return;
    case 'hold':
      it.hold(operation, holdName, attempt);
      return;
    case 'unhold':
      it.unhold(operation, holdName, attempt);
      return;
    case 'destroy':
      it.destroy(operation, attempt);
      return;
    case 'discard':
      it.discard(operation, attempt);
      return;
    case 'attach':
      it.attach(operation, [address(operation, 20)]);
      return;
    case 'detach':
      it.detach(operation, operation);
  }
}

/** What holds after every event, whatever came. */
function check(it: SampleContainer): void {
  const { state } = it;
  const open = it.count('InstructionIssued') - it.count('InstructionAnswered');
  expect(open).toBe(state.instruction === undefined ? 0 : 1);
  // Nothing waits for nothing: whoever waits is woken by the node's answer or its deadline.
  if (state.waiting !== undefined) expect(open).toBe(1);
  expect(it.count('ContainerRunning')).toBeLessThanOrEqual(1);
  expect(it.count('ContainerDeleted') + it.count('ContainerFailed')).toBeLessThanOrEqual(1);
  const generations = it.log
    .map((event) => event.data['generation'])
    .filter((n) => typeof n === 'number');
  const raised = it.log
    .filter((event) => /Reserved$|Deleting$/.test(event.type))
    .map((event) => event.data['generation']);
  expect(raised).toEqual(raised.map((_, i) => i + 1));
  for (const generation of generations) expect(generation).toBeLessThanOrEqual(raised.length);
  const ended = it.log.findIndex((event) => /ContainerDeleted$|ContainerFailed$/.test(event.type));
  if (ended !== -1) {
    const after = it.log.slice(ended + 1).map((event) => event.type);
    for (const type of after) expect(type).toMatch(/AskAccepted$|AskSettled$/);
  }
  const settled = it.log
    .filter((event) => event.type === 'containers.AskSettled')
    .map((event) => JSON.stringify(event.data['ask']));
  expect(new Set(settled).size).toBe(settled.length);
}

describe('a container under any asks, answers, late answers and silences', () => {
  test('keeps one instruction at most, runs for the first time once, and ends for ever', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), fc.boolean(), (actions, made) => {
        const it = made ? new SampleContainer().running() : new SampleContainer();
        for (const one of actions) {
          perform(it, one);
          check(it);
        }
        expect(it.replayed()).toEqual(it.state);
      }),
      { numRuns: 200 },
    );
  }, 60_000);

  test('comes to rest with every ask settled, and then does what holds demand', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const it = new SampleContainer().running();
        for (const one of actions) perform(it, one);
        const drain = (): void => {
          for (let i = 0; it.state.instruction !== undefined; i++) {
            expect(i).toBeLessThan(20);
            it.answer();
          }
        };
        drain();
        expect(it.state.waiting).toBeUndefined();
        if (it.state.lifecycle !== 'running') return;
        it.tenantHold('last');
        drain();
        expect(it.state.power).toBe('stopped');
        for (const name of ['last', 'account-h', 'account-i']) it.tenantUnhold(name);
        for (const name of ['h', 'i']) it.unhold(`free-${name}`, name);
        drain();
        for (const name of ['h', 'i']) it.unhold(`free-again-${name}`, name);
        drain();
        expect(it.state.holds.size).toBe(0);
        expect(it.state.power).toBe('running');
        expect(it.state.networkDone).toBe(it.state.networkWish);
      }),
      { numRuns: 200 },
    );
  }, 60_000);
});
