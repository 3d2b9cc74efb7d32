import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { action, perform } from './sample-actions.ts';
import { SampleContainer } from './sample-container.ts';
import { evolveContainer } from './evolve.ts';
import { noContainer, wantedPower } from './state.ts';
import { after, allows, type Transition, transitions } from './transitions.ts';

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
    const later = it.log.slice(ended + 1).map((event) => event.type);
    for (const type of later) {
      expect(type).toMatch(/OrderUndone$|AskAccepted$|AskSettled$|ContainerLetGo$/);
    }
  }
  // Only what ran was charged, and is taken back once.
  const undone = it.log.filter((event) => event.type === 'containers.OrderUndone').length;
  expect(undone).toBeLessThanOrEqual(state.runningAt === undefined ? 0 : 1);
  if (undone === 1) expect(ended).not.toBe(-1);
  const settled = it.log
    .filter((event) => event.type === 'containers.AskSettled')
    .map((event) => JSON.stringify(event.data['ask']));
  expect(new Set(settled).size).toBe(settled.length);
  // It always has an address, each once; what is being taken away or added belongs to an ask.
  const leases = state.addresses.map(({ leaseId }) => leaseId);
  expect(new Set(leases).size).toBe(leases.length);
  if (state.generation > 0) expect(leases.length).toBeGreaterThan(0);
  if (state.waiting === undefined) {
    expect([state.resizing, state.removal, state.packaging, state.leaving]).toEqual([
      ...[undefined, undefined, undefined, undefined],
    ]);
    expect(state.former).toBeUndefined();
    expect(state.restarting).toBe(false);
  }
  // Charged once at a time: soft deletions and restorations take turns.
  const charges = it.log
    .map((event) => event.type.slice('containers.'.length))
    .filter((type) => /^Container(Running|SoftDeleted|Restored)$/.test(type));
  charges.forEach((type, i) => {
    if (i === 0) expect(type).toBe('ContainerRunning');
    else expect(type).toBe(i % 2 === 1 ? 'ContainerSoftDeleted' : 'ContainerRestored');
  });
  // One reservation takes the place of another, without a gap.
  const resized = it.log.filter((event) => event.type === 'containers.ContainerResized');
  resized.reduce<unknown>((before, { data }) => {
    if (before !== undefined) expect(data['previousReservationId']).toBe(before);
    return data['reservationId'];
  }, undefined);
}

/** Each event leads from one lifecycle to another as the table has it, or back where it came from. */
function checkSteps(it: SampleContainer): void {
  let state = noContainer;
  for (const event of it.log) {
    const from = state.lifecycle;
    const { former } = state;
    state = evolveContainer(state, event);
    const to = state.lifecycle;
    if (from === to || (event.type === 'containers.AskSettled' && to === former)) continue;
    const leads = all.some((one) => allows(one, from) && after(one, from, to) === to);
    expect([from, to, leads]).toEqual([from, to, true]);
  }
}

const all = Object.keys(transitions) as Transition[];

describe('a container under any asks, answers, late answers and silences', () => {
  test('keeps one instruction at most, runs for the first time once, and ends for ever', () => {
    fc.assert(
      fc.property(
        fc.array(action, { maxLength: 80, size: 'max' }),
        fc.boolean(),
        (actions, made) => {
          const it = made ? new SampleContainer().running() : new SampleContainer();
          for (const one of actions) {
            perform(it, one);
            check(it);
          }
          checkSteps(it);
          expect(it.replayed()).toEqual(it.state);
        },
      ),
      { numRuns: 80 },
    );
  }, 60_000);

  test('comes to rest with every ask settled, and then does what holds demand', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60, size: 'max' }), (actions) => {
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
        // What failed unasked is told again by the reconciler, not by itself.
        const { lifecycle } = it.state;
        if (!['running', 'stopped', 'frozen', 'soft-deleted'].includes(lifecycle)) return;
        it.tenantHold('last');
        drain();
        expect(it.state.power).toBe('stopped');
        for (const name of ['last', 'account-h', 'account-i']) it.tenantUnhold(name);
        for (const name of ['h', 'i']) it.unhold(`free-${name}`, name);
        drain();
        for (const name of ['h', 'i']) it.unhold(`free-again-${name}`, name);
        drain();
        expect(it.state.holds.size).toBe(0);
        expect(it.state.lifecycle).toBe(lifecycle);
        expect(it.state.power).toBe(wantedPower(it.state));
        expect(it.state.power).toBe(lifecycle === 'soft-deleted' ? 'stopped' : lifecycle);
        expect(it.state.limitsDone).toBe(it.state.limitsWish);
        if (lifecycle !== 'frozen') expect(it.state.networkDone).toBe(it.state.networkWish);
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});
