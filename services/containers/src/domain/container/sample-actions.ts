/** Anything that may come to a container, in any order: for the test of its laws. */
import { expect } from '@jest/globals';
import type { PowerAction } from '@bivouac/events/containers';
import fc from 'fast-check';

import { address } from '../../given.ts';
import type { SampleContainer } from './sample-container.ts';

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
  'start',
  'stop',
  'restart',
  'freeze',
  'thaw',
  'resize',
  'remove',
  'soft-delete',
  'restore',
  'packages',
);
export const action = fc.oneof(
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
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('let-go' as const, 'reconcile' as const, 'end-window' as const),
      operation,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('observe' as const),
      state: fc.constantFrom(
        'absent' as const,
        'running' as const,
        'stopped' as const,
        'frozen' as const,
      ),
      generation: fc.nat(3),
    }),
  },
);
export type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

export function perform(it: SampleContainer, one: Action): void {
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
        const said = it.answer('done', old as string);
        // What is installed is so, whoever waited for it.
        expect([[], ['PackagesChanged']]).toContainEqual(said);
      }
      return;
    }
    case 'wait':
      it.later(one.seconds);
      return;
    case 'time-out':
      it.timeOut();
      return;
    case 'let-go':
      it.letGo(one.operation);
      return;
    case 'reconcile':
      it.reconcile();
      return;
    case 'end-window':
      it.endWindow();
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
      return;
    case 'resize':
      it.resize(operation, attempt);
      return;
    case 'remove':
      it.remove(operation, ['own', operation].slice(attempt % 2), attempt);
      return;
    case 'soft-delete':
      it.softDelete(operation, attempt);
      return;
    case 'restore':
      it.restore(operation, attempt);
      return;
    case 'packages':
      it.changePackages(operation, attempt);
      return;
    default:
      it.power(one.ask satisfies PowerAction, operation, attempt);
  }
}
