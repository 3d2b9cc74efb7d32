// What becomes of an append in bad hours: nothing is lost or doubled, nobody waits for ever, and an
// unknown outcome is never called by another name.
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { readWholeLog, refusal, sampleEvent, sampleEvents } from '../contract/samples.ts';
import type { EventStore } from '../port.ts';
import { EPOCH_STREAM } from './codec.ts';
import { appendWithClock } from './testing/clock.ts';
import { exception, failing, faultyServer, portOf } from './testing/faulty-server.ts';
import { StillWire } from './testing/still-wire.ts';
const at = faultyServer();

describe('an append', () => {
  type Lost = { readonly fault: 'hang' } | ReturnType<typeof failing>;
  const lost: [string, Lost][] = [
    ['is never answered', { fault: 'hang' }],
    ['is answered with the server’s own timeout', failing(status.ABORTED, 'Operation timed out')],
    ['is answered with INTERNAL', failing(status.INTERNAL, 'Received RST_STREAM')],
    ['is answered with DATA_LOSS', failing(status.DATA_LOSS, 'data loss')],
    ['is cut off', failing(status.UNAVAILABLE, 'Connection dropped')],
    ['is cancelled by the server', failing(status.CANCELLED, 'shutting down')],
    ['is answered with the bare text of a busy server', failing(status.UNKNOWN, 'Server Is Busy')],
  ];
  describe.each(lost)('that %s', (_, kind) => {
    test.each(['before', 'after'] as const)(
      '(%s it was written) is sent again, and there once',
      async (when) => {
        at.plan = [{ method: 'append', fault: { ...kind, when } }];
        const events = sampleEvents('lost', 3);
        const result = await at.store.append('pool-1', 'no-stream', events);
        expect(result.revision).toBe(2n);
        const written = await readWholeLog(at.store);
        expect(written.map((e) => e.id)).toEqual(events.map((e) => e.id));
        expect(result.position).toBe(written.at(-1)?.position);
        expect(at.calls.filter(({ method }) => method === 'append')).toHaveLength(2);
      },
    );
  });

  test('whose every answer is lost has an unknown outcome; sent again later it is known', async () => {
    at.always = { method: 'append', fault: { fault: 'hang', when: 'after' } };
    const events = sampleEvents('unknown', 2);
    const error = await refusal(at.store.append('pool-1', 'no-stream', events));
    expect(error.code).toBe('outcome-unknown');
    expect(error.message).toMatch(/may be sent again/);
    at.always = undefined;
    expect((await at.store.append('pool-1', 'no-stream', events)).revision).toBe(1n);
    expect(await readWholeLog(at.store)).toHaveLength(2);
  });

  test('whose answers come when nobody waits for them any more was there once, and is known when sent again', async () => {
    let release = (): void => undefined;
    const until = new Promise<void>((resolve) => (release = resolve));
    at.always = { method: 'append', fault: { fault: 'late', until } };
    const events = sampleEvents('late', 2);
    expect((await refusal(at.store.append('pool-1', 'no-stream', events))).code).toBe(
      'outcome-unknown',
    );
    expect(await at.store.readStream('pool-1')).toEqual({ exists: false });
    // Every attempt is carried out now, and answered to nobody.
    release();
    at.always = undefined;
    await arrived(at.log, 2);
    const again = await at.store.append('pool-1', 'no-stream', events);
    expect(again.revision).toBe(1n);
    await at.store.append('pool-1', 1n, [sampleEvent('behind it')]);
    expect((await readWholeLog(at.store)).map((e) => e.revision)).toEqual([0n, 1n, 2n]);
  });

  test('to a server that takes the connection and then says nothing ends, and is known when sent again', async () => {
    const wire = await StillWire.to(portOf(at.server));
    at.closing.push(() => wire.close());
    const store = await at.open(wire.url, 'still');
    wire.hold();
    const events = sampleEvents('still', 2);
    expect((await refusal(store.append('pool-1', 'no-stream', events))).code).toBe(
      'outcome-unknown',
    );
    expect((await refusal(store.readStream('pool-1'))).code).toBe('unavailable');
    // What was sent meanwhile arrives now, behind everybody's back.
    wire.goOn();
    expect((await store.append('pool-1', 'no-stream', events)).revision).toBe(1n);
    expect((await readWholeLog(store)).map((e) => e.revision)).toEqual([0n, 1n]);
  });

  test.each([-86_400_000, -3_600_000, 3_600_000, 86_400_000])(
    'of a process whose clock is %i ms off is taken, and given up after as long as elsewhere',
    async (off) => {
      at.plan = [{ method: 'append', fault: { fault: 'hang', when: 'before' } }];
      expect(await appendWithClock(off, at.server.url, path.join(at.folder, 'off'))).toEqual({
        revision: '1',
      });
      expect(at.calls.filter(({ method }) => method === 'append')).toHaveLength(2);
      expect(await readWholeLog(at.store)).toHaveLength(2);
    },
  );

  test('whose answer was lost, while others have appended since, is known all the same', async () => {
    at.plan = [{ method: 'append', fault: { fault: 'hang', when: 'after' } }];
    const events = sampleEvents('mine', 2);
    const mine = at.store.append('pool-1', 'no-stream', events);
    const seen = at.store.subscribe()[Symbol.asyncIterator]();
    for (let found = 0; found < 2;) {
      const step = await seen.next();
      if (step.done !== true && step.value.kind === 'events') found += step.value.events.length;
    }
    await at.log.append('pool-1', 1n, sampleEvents('theirs', 1));
    expect((await mine).revision).toBe(1n);
    expect(await readWholeLog(at.store)).toHaveLength(3);
  });

  test.each([
    [
      'that a server refuses which is not ready',
      failing(status.UNAVAILABLE, 'Server Is Not Ready'),
    ],
    [
      'for which nobody may write',
      failing(status.PERMISSION_DENIED, 'denied', exception('access-denied')),
    ],
  ])('%s wrote nothing, and says so', async (_, kind) => {
    at.always = { method: 'append', fault: { ...kind, when: 'before' } };
    const error = await refusal(at.store.append('pool-1', 'no-stream', [sampleEvent('a')]));
    expect(error.code).toBe('unavailable');
  });

  test('to a server that is not there wrote nothing', async () => {
    await at.server.close();
    const error = await refusal(at.store.append('pool-1', 'no-stream', [sampleEvent('a')]));
    expect(['unavailable', 'outcome-unknown']).toContain(error.code);
    const again = await refusal(at.store.append('pool-1', 'no-stream', [sampleEvent('a')]));
    expect(again.code).toBe('unavailable');
    expect(again.message).toContain('EVENT_STORE_URL');
  });

  test.each(['no-position', 'commit-apart'] as const)(
    'answered with %s still answers its own',
    async (fault) => {
      at.always = { method: 'append', fault: { fault } };
      const events = sampleEvents('placeless', 3);
      const first = await at.store.append('pool-1', 'no-stream', events);
      expect(first.position).toBe((await readWholeLog(at.store)).at(-1)?.position);
      await at.store.append('pool-1', 2n, sampleEvents('later', 2));
      expect(await at.store.append('pool-1', 'no-stream', events)).toEqual(first);
    },
  );

  test('to a follower goes to the leader that it names', async () => {
    const leader = await at.serve(at.log);
    const port = String(portOf(leader));
    const where = { 'leader-endpoint-host': '127.0.0.1', 'leader-endpoint-port': port };
    at.plan = [
      {
        method: 'append',
        fault: {
          ...failing(status.NOT_FOUND, 'not leader', exception('not-leader', where)),
          when: 'before',
        },
      },
    ];
    await at.store.append('pool-1', 'no-stream', [sampleEvent('led')]);
    await at.server.close();
    expect(await readWholeLog(at.store)).toHaveLength(1);
  });

  test.each([
    [
      'Maximum Append Size of 10 Exceeded.',
      exception('maximum-append-size-exceeded', { 'maximum-append-size': '10' }),
    ],
    [
      'Event with Id: x, Size: 11, exceeds Maximum Append Event Size of 10.',
      exception('maximum-append-event-size-exceeded', { 'maximum-append-event-size': '10' }),
    ],
  ])('of more than the server takes is too large: %s', async (details, metadata) => {
    at.always = {
      method: 'append',
      fault: { ...failing(status.INVALID_ARGUMENT, details, metadata), when: 'before' },
    };
    const error = await refusal(at.store.append('pool-1', 'no-stream', [sampleEvent('a')]));
    expect(error.code).toBe('too-large');
  });

  test('to a stream deleted for ever is refused for ever, and so is reading it', async () => {
    const metadata = exception('stream-deleted', { 'stream-name': 'pool-1' });
    const deleted = {
      ...failing(status.FAILED_PRECONDITION, 'deleted', metadata),
      when: 'before',
    } as const;
    at.always = { method: 'append', fault: deleted };
    expect((await refusal(at.store.append('pool-1', 'no-stream', [sampleEvent('a')]))).code).toBe(
      'deleted',
    );
    at.always = { method: 'read', fault: deleted };
    expect((await refusal(at.store.readStream('pool-1'))).code).toBe('deleted');
  });

  test('after INTERNAL the connection is another: the client would keep the old one for ever', async () => {
    await at.store.append('pool-1', 'no-stream', [sampleEvent('a')]);
    at.plan = [
      { method: 'append', fault: { ...failing(status.INTERNAL, 'broken'), when: 'before' } },
    ];
    await at.store.append('pool-1', 0n, [sampleEvent('b')]);
    const [first, failed, again] = at.calls.filter(({ method }) => method === 'append');
    expect(failed?.connection).toBe(first?.connection);
    expect(again?.connection).not.toBe(first?.connection);
  });

  test('that fails takes no other client’s append with it, and the batched way is never taken', async () => {
    const other = await at.open(at.server.url, 'other');
    at.plan = [
      { method: 'append', fault: { ...failing(status.INTERNAL, 'broken'), when: 'before' } },
    ];
    const both = [at.store, other].map((each, i) =>
      each.append(`pool-${i}`, 'no-stream', [sampleEvent(`both ${i}`)]),
    );
    expect((await Promise.all(both)).map((r) => r.revision)).toEqual([0n, 0n]);
    expect(at.calls.filter(({ method }) => method === 'append')).toHaveLength(3);
    expect(at.calls.some(({ method }) => method === 'batch-append')).toBe(false);
  });

  test('under a name of the server’s own is refused', async () => {
    const event = sampleEvent('a');
    for (const stream of ['$all', '$$pool-1', EPOCH_STREAM]) {
      expect((await refusal(at.store.append(stream, 'no-stream', [event]))).code).toBe('invalid');
    }
    const typed = { ...event, type: '$metadata' };
    expect((await refusal(at.store.append('pool-1', 'no-stream', [typed]))).code).toBe('invalid');
  });
});

/** Resolves when so many events of samples stand in the log. */
async function arrived(log: EventStore, count: number): Promise<void> {
  let seen = 0;
  for await (const message of log.subscribe()) {
    if (message.kind !== 'events') continue;
    seen += message.events.filter((e) => e.stream !== EPOCH_STREAM).length;
    if (seen >= count) return;
  }
}
