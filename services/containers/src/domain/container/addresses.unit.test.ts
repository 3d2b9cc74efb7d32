import { describe, expect, test } from '@jest/globals';

import { address, id } from '../../given.ts';
import { SampleContainer } from './sample-container.ts';

const extra = address('extra', 20);
const told = (it: SampleContainer) =>
  (it.last('InstructionIssued')?.['input'] as { addresses: { address: string }[] }).addresses.map(
    (one) => one.address,
  );

describe('attaching addresses', () => {
  test('sets the whole network on the node, then they are attached', () => {
    const it = new SampleContainer().running();
    expect(it.attach()).toEqual(['AddressesAttaching', 'InstructionIssued']);
    expect(it.told).toBe('network');
    expect(told(it)).toEqual(['192.0.2.10', '192.0.2.20']);
    expect(it.answer()).toEqual(['InstructionAnswered', 'AddressesAttached', 'AskSettled']);
    expect(it.last('AddressesAttached')).toMatchObject({ addresses: [extra], attachedAt: it.now });
  });

  test('waits for what the node is doing', () => {
    const it = new SampleContainer().running();
    it.tenantHold();
    it.tenantUnhold();
    expect(it.attach()).toEqual(['AddressesAttaching', 'AskAccepted']);
    expect(it.answer()).toEqual(['InstructionAnswered', 'ContainerStopped', 'InstructionIssued']);
    expect(it.told).toBe('network');
    expect(it.answer()).toEqual([
      'InstructionAnswered',
      'AddressesAttached',
      'AskSettled',
      'InstructionIssued',
    ]);
    expect(it.told).toBe('start');
  });

  test('that the node fails leaves them out, and detaching takes them off the node', () => {
    const it = new SampleContainer().running();
    it.attach();
    it.answer('failed');
    expect(it.state.attaching).toEqual([]);
    expect(it.detach()).toEqual(['AskAccepted', 'AddressesDetached', 'InstructionIssued']);
    expect(told(it)).toEqual(['192.0.2.10']);
    expect(it.answer()).toEqual(['InstructionAnswered', 'AskSettled']);
    expect(it.settled).toMatchObject({ name: 'containers.detach', outcome: 'done' });
  });

  test('of the same addresses again is done already', () => {
    const it = new SampleContainer().running();
    it.attach();
    it.answer();
    expect(it.attach('add-again')).toEqual(['AskAccepted', 'AskSettled']);
  });

  test('is refused what was detached, what is held, not built, unknown, and too much', () => {
    const it = new SampleContainer();
    expect(it.attach()).toBe('CONTAINER_UNKNOWN');
    it.request();
    expect(it.attach('make')).toBe('CONTAINER_NOT_READY');
    it.build();
    it.answer();
    expect(it.detach('add', 'late')).toEqual(['AskAccepted', 'AddressesDetached', 'AskSettled']);
    expect(it.attach('late', [address('late', 30)])).toBe('LEASE_DETACHED');
    const many = Array.from({ length: 256 }, (_, i) => address(`m${i}`));
    expect(it.attach('many', many)).toBe('TOO_MANY_ADDRESSES');
    it.hold();
    it.answer();
    expect(it.attach('held')).toBe('CONTAINER_HELD');
  });
});

describe('detaching addresses', () => {
  test('takes them off the node, and their reservation off what a deletion gives back', () => {
    const it = new SampleContainer().running();
    it.attach();
    it.answer();
    expect(it.detach()).toEqual(['AskAccepted', 'AddressesDetached', 'InstructionIssued']);
    it.answer();
    it.destroy();
    it.answer();
    expect(it.settled).toMatchObject({
      result: { reservationIds: [id('reservation')], addresses: [address('own')] },
    });
  });

  test('while they are being attached ends that, and the node is told after its answer', () => {
    const it = new SampleContainer().running();
    it.attach();
    expect(it.detach()).toEqual(['AskSettled', 'AskAccepted', 'AddressesDetached']);
    expect(it.answer()).toEqual(['InstructionAnswered', 'InstructionIssued']);
    expect(told(it)).toEqual(['192.0.2.10']);
    expect(it.answer()).toEqual(['InstructionAnswered', 'AskSettled']);
    expect(it.count('AddressesAttached')).toBe(0);
  });

  test('is repeated without effect, and refused what is gone', () => {
    const it = new SampleContainer().running();
    it.detach();
    expect(it.detach()).toEqual([]);
    expect(it.detach('again')).toEqual(['AskAccepted', 'AskSettled']);
    it.destroy();
    it.answer();
    expect(it.detach('later')).toBe('CONTAINER_GONE');
  });
});
