import { describe, expect, test } from '@jest/globals';
import { plusSeconds } from '@bivouac/events/values';

import { SampleContainer } from './sample-container.ts';

describe('a request', () => {
  test('makes the container, once for each operation', () => {
    const it = new SampleContainer();
    expect(it.request()).toEqual(['ContainerRequested']);
    expect(it.request()).toEqual([]);
    expect(it.request('other')).toBe('CONTAINER_EXISTS');
  });

  test('is refused where a hold of the account came first', () => {
    const it = new SampleContainer();
    expect(it.tenantHold()).toEqual(['HoldPlaced']);
    expect(it.request()).toBe('CONTAINER_HELD');
    it.tenantUnhold();
    expect(it.request()).toEqual(['ContainerRequested']);
  });

  test('is refused a host name that no kernel holds', () => {
    const long = `${'a'.repeat(60)}.example`;
    expect(new SampleContainer().request('make', { hostname: long })).toBe('HOSTNAME_TOO_LONG');
  });

  test('that was discarded before it came never makes anything', () => {
    const it = new SampleContainer();
    expect(it.discard()).toEqual(['AskAccepted', 'ContainerFailed', 'AskSettled']);
    expect(it.settled).toMatchObject({ outcome: 'done', gone: true, name: 'containers.discard' });
    expect(it.request()).toBe('CONTAINER_GONE');
  });
});

describe('a build', () => {
  test('reserves, tells the node everything it needs, and ends when the node has done it', () => {
    const it = new SampleContainer();
    it.request();
    expect(it.build()).toEqual(['ContainerReserved', 'InstructionIssued']);
    expect(it.last('InstructionIssued')).toMatchObject({
      step: 'build',
      generation: 1,
      notAfter: plusSeconds(it.now, 295),
      input: {
        hostname: 'web1.example.com',
        image: { source: 'builtin:skel' },
        addresses: [{ address: '192.0.2.10', family: 'ipv4' }],
        limits: { memoryBytes: '1024' },
      },
    });
    expect(it.state.lifecycle).toBe('building');
    it.later(7);
    expect(it.answer()).toEqual(['InstructionAnswered', 'ContainerRunning', 'AskSettled']);
    expect(it.last('ContainerRunning')).toMatchObject({ runningAt: it.now });
    expect(it.settled).toMatchObject({ outcome: 'done', result: { runningAt: it.now } });
    expect(it.state).toMatchObject({ lifecycle: 'running', waiting: undefined, maker: undefined });
  });

  test('repeated does nothing', () => {
    const it = new SampleContainer();
    it.request();
    it.build();
    expect(it.build()).toEqual([]);
    it.answer();
    expect(it.build()).toEqual([]);
    expect(it.count('ContainerRunning')).toBe(1);
  });

  test.each(['failed', 'refused'] as const)('that the node %s is answered so', (outcome) => {
    const it = new SampleContainer();
    it.request();
    it.build();
    expect(it.answer(outcome)).toEqual(['InstructionAnswered', 'AskSettled']);
    const code = outcome === 'failed' ? 'NODE_FAILED' : 'NODE_REFUSED';
    expect(it.settled).toMatchObject({ outcome: 'failed', refusal: { code } });
    expect(it.state.lifecycle).toBe('building');
  });

  test('that the node does not answer is answered as timed out, and not before its deadline', () => {
    const it = new SampleContainer();
    it.request();
    it.build();
    it.later(295);
    expect(it.timeOut()).toBe('INSTRUCTION_NOT_DUE');
    it.later(1);
    expect(it.timeOut()).toEqual(['InstructionAnswered', 'AskSettled']);
    expect(it.settled).toMatchObject({ outcome: 'failed', refusal: { code: 'NODE_TIMEOUT' } });
  });

  test('late answers change nothing', () => {
    const it = new SampleContainer();
    it.request();
    it.build();
    const instruction = it.state.instruction?.id;
    it.later(296);
    it.timeOut();
    expect(it.answer('done', instruction)).toEqual([]);
    expect(it.state.lifecycle).toBe('building');
  });

  test('tried again is built in the same place by a new instruction, and nowhere else', () => {
    const it = new SampleContainer();
    it.request();
    it.build();
    it.answer('failed');
    expect(it.build('make', 2, 'elsewhere')).toBe('CONTAINER_ALREADY_PLACED');
    expect(it.build('make', 2)).toEqual(['AskAccepted', 'InstructionIssued']);
    expect(it.state.generation).toBe(1);
    it.answer();
    expect(it.state.lifecycle).toBe('running');
    expect(it.build('make', 3)).toEqual(['AskAccepted', 'AskSettled']);
    expect(it.settled).toMatchObject({ outcome: 'done', ask: { attempt: 3 } });
  });

  test('tried again while the node is at it waits for that, and ends the attempt before', () => {
    const it = new SampleContainer();
    it.request();
    it.build();
    expect(it.build('make', 2)).toEqual(['AskSettled', 'AskAccepted']);
    expect(it.settled).toMatchObject({ ask: { attempt: 1 }, refusal: { code: 'ASK_SUPERSEDED' } });
    expect(it.answer()).toEqual(['InstructionAnswered', 'ContainerRunning', 'AskSettled']);
    expect(it.settled).toMatchObject({ ask: { attempt: 2 }, outcome: 'done' });
  });

  test('is refused without a request, after the end, when late, held or foreign', () => {
    const it = new SampleContainer();
    expect(it.build()).toBe('CONTAINER_UNKNOWN');
    it.request();
    expect(it.build('other')).toBe('CONTAINER_BUSY');
    it.tenantHold();
    expect(it.build()).toBe('CONTAINER_HELD');
    it.discard();
    expect(it.build()).toBe('CONTAINER_GONE');
    const foreign = new SampleContainer();
    foreign.request('make', { tenant: 'b' });
    expect(foreign.build()).toBe('CONTAINER_UNKNOWN');
  });
});

describe('a discard', () => {
  test('ends a container that was only requested, and can be repeated', () => {
    const it = new SampleContainer();
    it.request();
    expect(it.discard()).toEqual(['AskAccepted', 'ContainerFailed', 'AskSettled']);
    expect(it.discard()).toEqual([]);
    expect(it.discard('make', 2)).toEqual(['AskAccepted', 'AskSettled']);
    expect(it.settled).toMatchObject({ outcome: 'done', gone: true });
  });

  test('is refused what a node may have, until that is destroyed there', () => {
    const it = new SampleContainer();
    it.request();
    it.build();
    it.answer('failed');
    expect(it.discard()).toBe('CONTAINER_ALREADY_PLACED');
    it.destroy('make');
    it.answer();
    expect(it.discard()).toEqual(['AskAccepted', 'AskSettled']);
    expect(it.settled).toMatchObject({ name: 'containers.discard', outcome: 'done', gone: true });
  });

  test('is refused to another operation and for another tenant', () => {
    const it = new SampleContainer();
    it.request();
    expect(it.discard('other')).toBe('CONTAINER_BUSY');
    expect(it.discard('make', 1, 'b')).toBe('CONTAINER_UNKNOWN');
  });
});

describe('a name', () => {
  test('is changed while there is something to be named', () => {
    const it = new SampleContainer();
    expect(it.rename('a.example')).toBe('CONTAINER_UNKNOWN');
    it.running();
    expect(it.rename('a.example')).toEqual(['ContainerRenamed']);
    expect(it.rename('a.example')).toEqual([]);
    expect(it.rename(`${'a'.repeat(60)}.example`)).toBe('HOSTNAME_TOO_LONG');
    it.destroy();
    expect(it.rename('b.example')).toBe('CONTAINER_GONE');
    it.answer();
    expect(it.rename('b.example')).toBe('CONTAINER_GONE');
  });

  test('goes to the node with the next network', () => {
    const it = new SampleContainer().running();
    it.rename('a.example');
    it.attach();
    expect(it.last('InstructionIssued')).toMatchObject({ input: { hostname: 'a.example' } });
  });
});
