import { describe, expect, test } from '@jest/globals';
import { plusSeconds } from '@bivouac/events/values';

import { SampleContainer } from './sample-container.ts';

describe('a hold', () => {
  test('stops a running container and leaves its lifecycle alone', () => {
    const it = new SampleContainer().running();
    expect(it.hold()).toEqual(['HoldPlaced', 'InstructionIssued']);
    expect(it.told).toBe('stop');
    expect(it.answer()).toEqual(['InstructionAnswered', 'ContainerStopped', 'AskSettled']);
    expect(it.state).toMatchObject({ lifecycle: 'running', observed: { state: 'stopped' } });
  });

  test('on what is stopped already is settled at once', () => {
    const it = new SampleContainer().running();
    it.hold();
    it.answer();
    expect(it.hold('suspend-2', 'i')).toEqual(['HoldPlaced', 'AskSettled']);
    expect(it.settled).toMatchObject({ outcome: 'done' });
  });

  test('stands though the node fails to stop it, and a further attempt stops it', () => {
    const it = new SampleContainer().running();
    it.hold();
    expect(it.answer('failed')).toEqual(['InstructionAnswered', 'AskSettled']);
    expect(it.settled).toMatchObject({ outcome: 'failed', refusal: { code: 'NODE_FAILED' } });
    expect(it.state.holds.size).toBe(1);
    expect(it.hold('suspend', 'h', 2)).toEqual(['AskAccepted', 'InstructionIssued']);
    it.answer();
    expect(it.settled).toMatchObject({ outcome: 'done', ask: { attempt: 2 } });
  });

  test('lifted lets it run again', () => {
    const it = new SampleContainer().running();
    it.hold();
    it.answer();
    expect(it.unhold()).toEqual(['HoldLifted', 'InstructionIssued']);
    expect(it.told).toBe('start');
    expect(it.answer()).toEqual(['InstructionAnswered', 'ContainerStarted', 'AskSettled']);
    expect(it.count('ContainerRunning')).toBe(1);
  });

  test('lifted while another stands leaves it stopped', () => {
    const it = new SampleContainer().running();
    it.hold();
    it.answer();
    it.hold('suspend-2', 'i');
    expect(it.unhold()).toEqual(['HoldLifted', 'AskSettled']);
    expect(it.state.power).toBe('stopped');
    expect(it.unhold('resume-2', 'i')).toEqual(['HoldLifted', 'InstructionIssued']);
  });

  test('lifted but not started is started by a further attempt', () => {
    const it = new SampleContainer().running();
    it.hold();
    it.answer();
    it.unhold();
    it.answer('failed');
    expect(it.unhold('resume', 'h', 2)).toEqual(['AskAccepted', 'InstructionIssued']);
    expect(it.told).toBe('start');
  });

  test('has an id that is used up when it is lifted', () => {
    const it = new SampleContainer().running();
    it.hold();
    it.answer();
    it.unhold();
    it.answer();
    expect(it.hold('again')).toBe('HOLD_LIFTED');
    expect(it.unhold('none', 'unheard')).toBe('HOLD_UNKNOWN');
  });

  test('is refused where another operation is at work, what is gone, unknown or foreign', () => {
    expect(new SampleContainer().hold()).toBe('CONTAINER_UNKNOWN');
    const it = new SampleContainer();
    it.request();
    expect(it.hold()).toBe('CONTAINER_BUSY');
    it.build();
    it.answer();
    it.attach();
    expect(it.hold()).toBe('CONTAINER_BUSY');
    it.answer();
    it.destroy();
    it.answer();
    expect(it.hold()).toBe('CONTAINER_GONE');
    expect(it.unhold()).toBe('CONTAINER_GONE');
  });

  test('is repeated without effect', () => {
    const it = new SampleContainer().running();
    it.hold();
    expect(it.hold()).toEqual([]);
    it.answer();
    expect(it.hold()).toEqual([]);
  });
});

describe("an account's hold", () => {
  test('stops it whoever works on it, when the node is free', () => {
    const it = new SampleContainer().running();
    it.attach();
    expect(it.tenantHold()).toEqual(['HoldPlaced']);
    expect(it.answer()).toEqual([
      'InstructionAnswered',
      'AddressesAttached',
      'AskSettled',
      'InstructionIssued',
    ]);
    expect(it.told).toBe('stop');
    expect(it.last('InstructionIssued')).toMatchObject({ notAfter: plusSeconds(it.now, 120) });
    expect(it.answer()).toEqual(['InstructionAnswered', 'ContainerStopped']);
  });

  test('that comes while it is built stops it as soon as it runs', () => {
    const it = new SampleContainer();
    it.request();
    it.build();
    it.tenantHold();
    expect(it.answer()).toEqual([
      'InstructionAnswered',
      'ContainerRunning',
      'AskSettled',
      'InstructionIssued',
    ]);
    expect(it.told).toBe('stop');
  });

  test('is lifted on the account only', () => {
    const it = new SampleContainer().running();
    it.tenantHold();
    it.answer();
    expect(it.unhold('resume', 't')).toBe('HOLD_OF_ACCOUNT');
    expect(it.tenantUnhold()).toEqual(['HoldLifted', 'InstructionIssued']);
    expect(it.answer()).toEqual(['InstructionAnswered', 'ContainerStarted']);
  });

  test('is placed and lifted once, in either order', () => {
    const it = new SampleContainer().running();
    expect(it.tenantUnhold()).toEqual(['HoldLifted']);
    expect(it.tenantUnhold()).toEqual([]);
    expect(it.tenantHold()).toEqual([]);
    expect(it.tenantHold('u')).toEqual(['HoldPlaced', 'InstructionIssued']);
    expect(it.tenantHold('u')).toEqual([]);
  });

  test('that the node fails to carry out is not asked of it again and again', () => {
    const it = new SampleContainer().running();
    it.tenantHold();
    expect(it.answer('failed')).toEqual(['InstructionAnswered']);
    expect(it.state.instruction).toBeUndefined();
  });

  test('passes over what is gone', () => {
    const it = new SampleContainer().running();
    it.destroy();
    expect(it.tenantHold()).toEqual([]);
    it.answer();
    expect(it.tenantHold()).toEqual([]);
    expect(it.tenantUnhold()).toEqual([]);
  });

  test('lifted while the node stops it: waits, then starts it', () => {
    const it = new SampleContainer().running();
    it.tenantHold();
    expect(it.tenantUnhold()).toEqual(['HoldLifted']);
    expect(it.answer()).toEqual(['InstructionAnswered', 'ContainerStopped', 'InstructionIssued']);
    expect(it.told).toBe('start');
  });
});

test('what came to nothing may have happened: the next attempt asks the node all the same', () => {
  const it = new SampleContainer().running();
  it.hold();
  it.later(61);
  it.timeOut();
  // It may have been stopped; lifting the hold must not be answered without starting it.
  expect(it.unhold()).toEqual(['HoldLifted', 'InstructionIssued']);
  expect(it.told).toBe('start');
});

test('a hold that comes while the node fails something else is carried out all the same', () => {
  const it = new SampleContainer().running();
  it.attach();
  it.tenantHold();
  expect(it.answer('failed')).toEqual(['InstructionAnswered', 'AskSettled', 'InstructionIssued']);
  expect(it.told).toBe('stop');
});

test('an ask whose turn comes after its deadline has failed, and others have their turn', () => {
  const it = new SampleContainer().running();
  it.tenantHold();
  it.tenantUnhold();
  expect(it.attach()).toEqual(['AddressesAttaching', 'AskAccepted']);
  it.later(61);
  const answered = ['InstructionAnswered', 'ContainerStopped', 'AskSettled', 'InstructionIssued'];
  expect(it.answer()).toEqual(answered);
  expect(it.settled).toMatchObject({ outcome: 'failed', refusal: { code: 'ASK_EXPIRED' } });
  expect(it.answer()).toEqual(['InstructionAnswered', 'InstructionIssued']);
  expect(it.told).toBe('start');
});
