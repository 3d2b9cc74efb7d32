import { describe, expect, test } from '@jest/globals';

import { address, id } from '../../given.ts';
import { SampleContainer } from './sample-container.ts';

describe('a destruction', () => {
  test('raises the generation, and says what is to be given back when the node has done it', () => {
    const it = new SampleContainer().running();
    it.attach();
    it.answer();
    expect(it.destroy()).toEqual(['ContainerDeleting', 'InstructionIssued']);
    expect(it.last('InstructionIssued')).toMatchObject({ step: 'destroy', generation: 2 });
    expect(it.answer()).toEqual(['InstructionAnswered', 'ContainerDeleted', 'AskSettled']);
    expect(it.last('ContainerDeleted')).toMatchObject({ ran: true, endedAt: it.now });
    expect(it.settled).toMatchObject({
      outcome: 'done',
      gone: true,
      result: {
        placementId: id('placement'),
        nodeId: id('node'),
        location: 'fra1',
        reservationIds: [id('reservation', 'add'), id('reservation')],
        addresses: [address('own'), address('extra', 20)],
      },
    });
  });

  test('of what never had a place is done at once', () => {
    const it = new SampleContainer();
    it.request();
    expect(it.destroy('make')).toEqual(['AskAccepted', 'ContainerDeleted', 'AskSettled']);
    expect(it.last('ContainerDeleted')).toMatchObject({ ran: false });
    expect(it.settled).toMatchObject({
      result: { reservationIds: [], addresses: [], location: '' },
    });
    expect(it.request()).toBe('CONTAINER_GONE');
  });

  test('of what may have been built is done by the node, and late answers of the build are nothing', () => {
    const it = new SampleContainer();
    it.request();
    it.build();
    const built = it.state.instruction?.id;
    expect(it.destroy('make')).toEqual([
      'AskSettled',
      'InstructionAnswered',
      'ContainerDeleting',
      'InstructionIssued',
    ]);
    expect(it.answer('done', built)).toEqual([]);
    expect(it.observe('running', 1)).toEqual([]);
    it.answer();
    expect(it.state.lifecycle).toBe('failed');
    expect(it.count('ContainerRunning')).toBe(0);
    expect(it.last('ContainerDeleted')).toMatchObject({ ran: false });
  });

  test('that failed is tried again in the same generation', () => {
    const it = new SampleContainer().running();
    it.destroy();
    it.answer('failed');
    expect(it.state.lifecycle).toBe('deleting');
    expect(it.destroy('terminate', 2)).toEqual(['AskAccepted', 'InstructionIssued']);
    expect(it.state.generation).toBe(2);
    it.answer();
    expect(it.settled).toMatchObject({ outcome: 'done', ask: { attempt: 2 } });
  });

  test('asked again by the operation that had it done has the same answer; for others it is gone', () => {
    const it = new SampleContainer().running();
    it.destroy();
    it.answer();
    const first = it.settled?.['result'];
    expect(it.destroy()).toEqual([]);
    expect(it.destroy('terminate', 2)).toEqual(['AskAccepted', 'AskSettled']);
    expect(it.settled?.['result']).toEqual(first);
    expect(it.destroy('other')).toBe('CONTAINER_GONE');
  });

  test('that staff have ended is completed by the next one, which gives back what was held', () => {
    const it = new SampleContainer().running();
    it.destroy();
    expect(it.letGo('terminate')).toEqual(['AskSettled', 'ContainerLetGo']);
    it.answer();
    expect(it.state.lifecycle).toBe('deleted');
    expect(it.letGo('terminate')).toEqual([]);
    expect(it.destroy('next', 1, 'b')).toBe('CONTAINER_UNKNOWN');
    expect(it.destroy('next')).toEqual(['AskAccepted', 'AskSettled']);
    expect(it.settled).toMatchObject({
      outcome: 'done',
      gone: true,
      result: { placementId: id('placement'), reservationIds: [id('reservation')] },
    });
    // That one sees to it.
    expect(it.destroy('other')).toBe('CONTAINER_GONE');
    expect(it.replayed()).toEqual(it.state);
  });

  test('whose giving back staff have ended is completed by the next one just so', () => {
    const it = new SampleContainer().running();
    it.destroy();
    it.answer();
    expect(it.letGo('terminate')).toEqual(['ContainerLetGo']);
    expect(it.destroy('next')).toEqual(['AskAccepted', 'AskSettled']);
    expect(it.settled?.['result']).toMatchObject({ addresses: [address('own')] });
  });

  test('by the operation that made it, which staff have ended, undoes the order all the same', () => {
    const it = new SampleContainer().running();
    it.destroy('make');
    it.letGo('make');
    it.answer();
    expect(it.count('OrderUndone')).toBe(1);
    expect(it.destroy('next')).toEqual(['AskAccepted', 'AskSettled']);
  });

  test('by the operation that made it undoes the order, once, also where another had it destroyed', () => {
    const it = new SampleContainer().running();
    it.destroy('make');
    expect(it.answer()).toEqual([
      'InstructionAnswered',
      'ContainerDeleted',
      'OrderUndone',
      'AskSettled',
    ]);
    expect(it.destroy('make', 2)).toEqual(['AskAccepted', 'AskSettled']);

    const other = new SampleContainer().running();
    other.destroy();
    other.answer();
    expect(other.count('OrderUndone')).toBe(0);
    expect(other.destroy('make')).toEqual(['AskAccepted', 'OrderUndone', 'AskSettled']);
    expect(other.settled).toMatchObject({ outcome: 'done', gone: true });
  });

  test('that the operation which made it had begun undoes the order, whoever has it ended', () => {
    const it = new SampleContainer().running();
    it.destroy('make');
    it.answer('failed');
    it.destroy();
    it.answer();
    expect(it.count('OrderUndone')).toBe(1);
  });

  test('of what never ran leaves no charge to undo', () => {
    const it = new SampleContainer();
    it.request();
    it.build();
    it.destroy('make');
    it.answer();
    expect(it.count('ContainerDeleted')).toBe(1);
    expect(it.count('OrderUndone')).toBe(0);
  });

  test('is refused while another operation works on it, and where there is nothing', () => {
    expect(new SampleContainer().destroy()).toBe('CONTAINER_UNKNOWN');
    const it = new SampleContainer().running();
    it.hold();
    expect(it.destroy()).toBe('CONTAINER_BUSY');
    expect(it.destroy('suspend', 1, 'b')).toBe('CONTAINER_UNKNOWN');
    it.answer();
    expect(it.destroy()).toEqual(['ContainerDeleting', 'InstructionIssued']);
  });

  test('goes on though a hold stands, and though the node is stopping it', () => {
    const it = new SampleContainer().running();
    it.tenantHold();
    expect(it.destroy()).toEqual(['InstructionAnswered', 'ContainerDeleting', 'InstructionIssued']);
    it.answer();
    expect(it.state.lifecycle).toBe('deleted');
  });
});

describe('what a node says', () => {
  test('counts only from the node that was told', () => {
    const it = new SampleContainer();
    it.request();
    it.build();
    expect(it.answer('done', it.state.instruction?.id, id('node', 'other'))).toBe(
      'INSTRUCTION_FOREIGN',
    );
    expect(it.observe('running', 1, id('node', 'other'))).toBe('INSTANCE_ELSEWHERE');
    expect(it.observe('absent', 1, id('node', 'other'))).toEqual([]);
    expect(new SampleContainer().answer()).toBe('CONTAINER_UNKNOWN');
    expect(new SampleContainer().observe('running')).toBe('CONTAINER_UNKNOWN');
  });

  test('is recorded as an observation only where it changes what was seen', () => {
    const it = new SampleContainer().running();
    expect(it.observe('running')).toEqual([]);
    expect(it.observe('stopped')).toEqual(['ObservationChanged']);
    expect(it.observe('stopped')).toEqual([]);
    expect(it.observe('running', 0)).toBe('INSTANCE_OLD');
    expect(it.observe('absent', 0)).toEqual(['ObservationChanged']);
    expect(it.state).toMatchObject({ lifecycle: 'running', power: 'running' });
  });

  test('of a timed-out instruction that is not the unanswered one is nothing', () => {
    const it = new SampleContainer().running();
    expect(it.timeOut()).toEqual([]);
  });
});
