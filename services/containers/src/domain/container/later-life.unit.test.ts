import { describe, expect, test } from '@jest/globals';

import { address, id } from '../../given.ts';
import { reported, SampleContainer } from './sample-container.ts';

const running = () => new SampleContainer().running();

describe('power', () => {
  test('is what its owner wants at once, and settled when its node has it', () => {
    const it = running();
    expect(it.power('stop')).toEqual(['PowerRequested', 'InstructionIssued']);
    expect([it.state.lifecycle, it.told]).toEqual(['stopped', 'stop']);
    expect(it.answer()).toEqual(['InstructionAnswered', 'ContainerStopped', 'AskSettled']);
    expect(it.settled).toMatchObject({ name: 'containers.power', outcome: 'done' });
    expect(it.power('stop', 'again')).toEqual(['PowerRequested', 'AskSettled']);
  });

  test('that comes to nothing leaves the lifecycle as it was', () => {
    const it = running();
    it.power('stop');
    it.answer('failed');
    expect(it.state.lifecycle).toBe('running');
    expect(it.settled).toMatchObject({ outcome: 'failed', refusal: { code: 'NODE_FAILED' } });
    it.power('freeze', 'freeze');
    it.answer('refused');
    expect([it.state.lifecycle, it.state.power]).toEqual(['running', 'unknown']);
  });

  test('cannot be had under a hold, except none; a hold that comes meanwhile wins', () => {
    const it = running();
    it.hold();
    it.answer();
    for (const action of ['start', 'restart'] as const) {
      expect(it.power(action, action)).toBe('CONTAINER_HELD');
    }
    expect(it.power('stop')).toEqual(['PowerRequested', 'AskSettled']);
    it.unhold();
    expect([it.state.lifecycle, it.state.power]).toEqual(['stopped', 'stopped']);
    it.power('start', 'start');
    it.tenantHold();
    expect(it.settled).toMatchObject({ outcome: 'failed', refusal: { code: 'CONTAINER_HELD' } });
    it.answer();
    expect(it.told).toBe('stop');
    it.answer();
    expect([it.state.lifecycle, it.state.power]).toEqual(['stopped', 'stopped']);
  });

  test('of a restart is off and on again; of a frozen one there is none', () => {
    const it = running();
    it.power('restart');
    expect(it.told).toBe('stop');
    it.answer();
    expect(it.told).toBe('start');
    expect(it.settled).toMatchObject({ name: 'containers.build' });
    it.answer();
    expect(it.settled).toMatchObject({ name: 'containers.power', outcome: 'done' });
    it.power('freeze', 'f');
    expect(it.answer()).toContain('ContainerFrozen');
    expect(it.power('restart', 'r')).toBe('CONTAINER_WRONG_LIFECYCLE');
    it.power('thaw', 't');
    expect(it.answer()).toEqual(['InstructionAnswered', 'ContainerThawed', 'AskSettled']);
  });

  test('that its node lost comes back when its owner starts it again', () => {
    const it = running();
    it.observe('stopped');
    expect(it.power('start')).toEqual(['PowerRequested', 'InstructionIssued']);
    expect(it.told).toBe('start');
  });
});

describe('a resize', () => {
  test('gives the plan when the node has the limits, and names both reservations', () => {
    const it = running();
    expect(it.resize()).toEqual(['ContainerResizing', 'InstructionIssued']);
    expect(it.last('InstructionIssued')).toMatchObject({
      step: 'limits',
      input: { limits: { cpuMillis: 2000 } },
    });
    expect(it.state.plan?.code).toBe('1000');
    expect(it.answer()).toEqual(['InstructionAnswered', 'ContainerResized', 'AskSettled']);
    expect(it.last('ContainerResized')).toMatchObject({
      reservationId: id('reservation', 'resize'),
      previousReservationId: id('reservation'),
      previousPlan: { code: '1000' },
    });
    expect(it.settled?.['result']).toEqual({ resizedAt: it.now });
    expect(it.resize('resize', 2)).toEqual(['AskAccepted', 'AskSettled']);
    expect(it.settled?.['result']).toEqual({ resizedAt: it.now });
  });

  test('that the node cannot do keeps the plan, and the old limits are told again', () => {
    const it = running();
    it.resize();
    expect(it.answer('failed')).toEqual(['InstructionAnswered', 'AskSettled', 'InstructionIssued']);
    expect(it.settled).toMatchObject({ refusal: { code: 'LIMITS_NOT_APPLICABLE' } });
    expect(it.last('InstructionIssued')).toMatchObject({
      step: 'limits',
      input: { limits: { cpuMillis: 1000 } },
    });
    // Once only: what fails unasked is not told for ever.
    expect(it.answer('failed')).toEqual(['InstructionAnswered']);
    expect(it.state.plan?.code).toBe('1000');
  });

  test('is refused under a hold', () => {
    const it = running();
    it.tenantHold();
    it.answer();
    expect(it.resize()).toBe('CONTAINER_HELD');
  });
});

describe('removing addresses', () => {
  const withExtra = () => {
    const it = running();
    it.attach('add', [address('extra', 20)]);
    it.answer();
    return it;
  };

  test('is done when the node has them no more, and says what to give back, each time', () => {
    const it = withExtra();
    expect(it.remove()).toEqual(['AddressesRemoving', 'InstructionIssued']);
    expect(it.last('InstructionIssued')).toMatchObject({
      input: { addresses: [{ address: '192.0.2.10' }] },
    });
    expect(it.state.addresses).toHaveLength(2);
    expect(it.answer()).toEqual(['InstructionAnswered', 'AddressesDetached', 'AskSettled']);
    const result = {
      addresses: [address('extra', 20)],
      location: 'fra1',
      reservationIds: [id('reservation', 'add')],
    };
    expect(it.settled?.['result']).toEqual(result);
    expect(it.remove('remove', ['extra'], 2)).toEqual(['AddressesRemoving', 'AskSettled']);
    expect(it.settled?.['result']).toEqual(result);
    expect(it.state.instruction).toBeUndefined();
  });

  test('that comes to nothing leaves them, and the node is told so', () => {
    const it = withExtra();
    it.remove();
    it.answer('failed');
    expect(it.state.addresses).toHaveLength(2);
    expect(it.state.networkDone).toBeLessThan(it.state.networkWish);
  });

  test.each([
    ['frozen', (it: SampleContainer) => it.power('freeze')],
    ['soft-deleted', (it: SampleContainer) => it.softDelete()],
    ['deleted', (it: SampleContainer) => it.destroy()],
  ] as const)('says again what to give back of one that is %s by now', (lifecycle, become) => {
    const it = withExtra();
    it.remove();
    it.answer();
    const said = it.settled?.['result'];
    become(it);
    it.answer();
    expect(it.state.lifecycle).toBe(lifecycle);
    // Its answer was lost: nobody else knows of what was removed.
    expect(it.remove('remove', ['extra'], 2)).toEqual(['AddressesRemoving', 'AskSettled']);
    expect(it.settled).toMatchObject({ outcome: 'done', result: said });
    expect(it.state.instruction).toBeUndefined();
    expect(it.replayed()).toEqual(it.state);
  });

  test('that a deleted container still had is refused: its deletion gives them back', () => {
    const it = withExtra();
    it.destroy();
    it.answer();
    expect(it.settled?.['result']).toMatchObject({
      addresses: [address('own'), address('extra', 20)],
    });
    expect(it.remove()).toBe('CONTAINER_GONE');
  });

  test('never takes the last one, nor one that is not there', () => {
    const it = withExtra();
    expect(it.remove('a', ['own', 'extra'])).toBe('LAST_ADDRESS');
    expect(it.remove('b', ['foreign'])).toBe('ADDRESS_UNKNOWN');
  });
});

describe('a soft deletion', () => {
  test('stops it first, then it is deleted, and can be taken back as it was', () => {
    const it = running();
    expect(it.softDelete()).toEqual(['SoftDeletionRequested', 'InstructionIssued']);
    expect(it.answer()).toEqual([
      ...['InstructionAnswered', 'ContainerStopped', 'ContainerSoftDeleted', 'AskSettled'],
    ]);
    expect(it.state.lifecycle).toBe('soft-deleted');
    expect(it.power('start')).toBe('CONTAINER_SOFT_DELETED');
    expect(it.softDelete('twice')).toEqual(['AskAccepted', 'AskSettled']);
    expect(it.restore()).toEqual(['ContainerRestored', 'InstructionIssued']);
    expect([it.state.lifecycle, it.told]).toEqual(['running', 'start']);
    it.answer();
    expect(it.settled).toMatchObject({ name: 'containers.restore', outcome: 'done' });
  });

  test('that the node cannot stop is none', () => {
    const it = running();
    it.softDelete();
    it.answer('failed');
    expect(it.count('ContainerSoftDeleted')).toBe(0);
    expect(it.state.lifecycle).toBe('running');
  });

  test('ends its window once, at its time, and not when it was taken back', () => {
    const it = running();
    it.softDelete();
    it.answer();
    expect(it.endWindow()).toBe('RESTORE_WINDOW_OPEN');
    const until = it.state.softDeleted?.restoreUntil;
    it.restore();
    it.answer();
    it.later(90_000);
    expect(it.endWindow(until)).toEqual([]);
    it.softDelete('again');
    it.answer();
    it.later(90_000);
    expect(it.endWindow()).toEqual(['RestoreWindowEnded']);
    expect(it.endWindow()).toEqual([]);
    expect(it.restore('late')).toBe('RESTORE_WINDOW_ENDED');
    expect(it.destroy()).toContain('ContainerDeleting');
  });

  test('is reached by holds: what is restored under one stays stopped', () => {
    const it = running();
    it.softDelete();
    it.answer();
    it.tenantHold();
    expect(it.restore()).toEqual(['ContainerRestored', 'AskSettled']);
    expect([it.state.lifecycle, it.state.power]).toEqual(['running', 'stopped']);
    it.tenantUnhold();
    expect(it.told).toBe('start');
  });
});

describe('packages', () => {
  test('are changed by one instruction, and what changed is answered', () => {
    const it = running();
    expect(it.changePackages()).toEqual(['PackagesRequested', 'InstructionIssued']);
    expect(it.answer()).toEqual(['InstructionAnswered', 'PackagesChanged', 'AskSettled']);
    expect(it.settled?.['result']).toMatchObject({ report: { added: [{ name: 'httpd' }] } });
    expect(it.last('PackagesChanged')).toMatchObject({
      operationId: id('operation', 'packages'),
      inventory: 'd'.repeat(64),
    });
  });

  test('that rpm refused are as they were, and the operation learns what it said', () => {
    const it = running();
    it.changePackages();
    it.answer('failed');
    expect(it.settled).toMatchObject({ refusal: { code: 'PACKAGES_NOT_CHANGED' } });
    expect(it.count('PackagesChanged')).toBe(0);
  });

  test('of a late answer are recorded all the same, once', () => {
    const it = running();
    it.changePackages();
    const instructionId = it.state.instruction?.id ?? '';
    it.later(120);
    it.timeOut();
    expect(it.settled).toMatchObject({ refusal: { code: 'NODE_TIMEOUT' } });
    expect(it.answer('done', instructionId, id('node'), reported())).toEqual(['PackagesChanged']);
    expect(it.last('PackagesChanged')).toMatchObject({ operationId: null });
    expect(it.answer('done', instructionId, id('node'), reported())).toEqual([]);
    expect(it.answer('done', instructionId, id('node', 'other'), reported('ssh'))).toEqual([]);
  });

  test('without a report are not done', () => {
    const it = running();
    it.changePackages();
    const instructionId = it.state.instruction?.id;
    expect(it.answerWithoutReport(instructionId ?? '')).toContain('AskSettled');
    expect(it.settled).toMatchObject({ refusal: { code: 'PACKAGES_NOT_CHANGED' } });
  });

  test('are not changed in what does not run, nor by more than an event holds', () => {
    const it = running();
    const many = Array.from({ length: 1000 }, (_, i) => `package-${i}`.padEnd(100, 'x'));
    expect(it.changePackages('a', 1, many)).toBe('TRANSACTION_TOO_LARGE');
    it.power('stop');
    it.answer();
    expect(it.changePackages()).toBe('CONTAINER_WRONG_LIFECYCLE');
  });
});

describe('the reconciler', () => {
  test('has the node do what is wanted, when it sees something else', () => {
    const it = running();
    it.observe('stopped');
    expect(it.reconcile()).toEqual(['DifferenceFound', 'InstructionIssued']);
    expect(it.told).toBe('start');
    expect(it.reconcile()).toEqual([]);
    it.answer();
    it.tenantHold();
    it.answer();
    it.observe('running');
    expect(it.reconcile()).toEqual(['DifferenceFound', 'InstructionIssued']);
    expect(it.told).toBe('stop');
  });

  test('leaves alone what is missing or in error, and what an operation works on', () => {
    for (const seen of ['absent', 'error'] as const) {
      const it = running();
      it.observe(seen);
      expect(it.reconcile()).toEqual([]);
    }
    const it = running();
    it.power('stop');
    it.observe('stopped');
    expect(it.reconcile()).toEqual([]);
  });

  test('tells again what failed unasked', () => {
    const it = running();
    it.tenantHold();
    it.answer('failed');
    expect(it.state.instruction).toBeUndefined();
    expect(it.reconcile()).toEqual(['DifferenceFound', 'InstructionIssued']);
    expect(it.told).toBe('stop');
  });
});

test('an operation that staff released lets go, and the next one gets its turn', () => {
  const it = running();
  it.resize('stuck');
  expect(it.power('stop', 'next')).toBe('CONTAINER_BUSY');
  expect(it.letGo('other')).toEqual([]);
  expect(it.letGo('stuck')).toEqual(['AskSettled', 'ContainerLetGo']);
  expect(it.power('stop', 'next')).toEqual(['PowerRequested', 'AskAccepted']);
  it.answer();
  expect(it.state.plan?.code).toBe('1000');
  const making = new SampleContainer();
  making.request();
  expect(making.letGo('make')).toEqual(['ContainerLetGo']);
  expect(making.destroy('clean')).toContain('ContainerDeleted');
});
