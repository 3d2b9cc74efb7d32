// Who opens a log learns whose it is, or why it cannot be used; and finds a cluster again by its name.
import { expect, test } from '@jest/globals';
import { refusal, sampleEvent } from '../contract/samples.ts';
import { memoryEventStore } from '../memory.ts';
import { EPOCH_STREAM } from './codec.ts';
import { faultyServer, portOf } from './testing/faulty-server.ts';

const at = faultyServer();

test('several who begin a log at once name it alike', async () => {
  const empty = await at.serve(memoryEventStore());
  const opened = await Promise.all(['a', 'b', 'c', 'd'].map((name) => at.open(empty.url, name)));
  const heads = await Promise.all(opened.map((each) => each.head()));
  expect(new Set(heads.map((head) => head.epoch)).size).toBe(1);
  expect(heads.every((head) => head.position === null)).toBe(true);
});

test('a log that another program has begun is refused', async () => {
  const foreign = memoryEventStore();
  await foreign.append(EPOCH_STREAM, 'no-stream', [sampleEvent('foreign')]);
  const { url } = await at.serve(foreign);
  expect((await refusal(at.open(url, 'foreign'))).code).toBe('corrupt');
});

test('a cluster found by its name may go away under many calls, and is found again', async () => {
  const port = portOf(at.server);
  const query = 'tls=false&maxDiscoverAttempts=2&discoveryInterval=5&gossipTimeout=1';
  const found = await at.open(`esdb+discover://127.0.0.1:${port}?${query}`, 'discovering');
  const follower = found.subscribe()[Symbol.asyncIterator]();
  await follower.next();
  const under = Array.from({ length: 20 }, (_, i) =>
    found.append(`pool-${i}`, 'no-stream', [sampleEvent(`under ${i}`)]).catch((e: unknown) => e),
  );
  await at.server.close();
  const away = Array.from({ length: 20 }, () => refusal(found.readAll()));
  expect(new Set((await Promise.all(away)).map((e) => e.code))).toEqual(new Set(['unavailable']));
  for (const outcome of await Promise.all(under)) {
    expect(outcome).toEqual(
      expect.objectContaining(
        outcome instanceof Error
          ? { code: expect.stringMatching(/^(unavailable|outcome-unknown)$/) }
          : { revision: 0n },
      ),
    );
  }
  at.server = await at.serve(at.log, port);
  await found.append('pool-again', 'no-stream', [sampleEvent('again')]);
  for (let seen = false; !seen;) {
    const step = await follower.next();
    if (step.done !== true && step.value.kind === 'events') {
      seen = step.value.events.some((e) => e.stream === 'pool-again');
    }
  }
});

test('an event store that cannot be reached is said to be so when it is opened', async () => {
  await at.server.close();
  const error = await refusal(at.open(at.server.url, 'away'));
  expect(error.code).toBe('unavailable');
  expect(error.message).toContain('EVENT_STORE_URL');
  expect((await refusal(at.open('esdb://host:2113', 'unnamed'))).code).toBe('invalid');
});
