// How long a question is asked again, by the errors that the client itself throws.
import { expect, test } from '@jest/globals';
import { KafkaJSError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } from 'kafkajs';

import { ManualClock } from '../../runtime/clock.ts';
import { isGathering, NotAgreedError, patiently } from './patience.ts';

/** A refusal as the protocol says it. */
const said = (type: string): Error =>
  new KafkaJSProtocolError(Object.assign(new Error(`the broker says ${type}`), { type, code: 0 }));

/** What the client throws of one that it has repeated: its code is gone where it asked for a new joining. */
const repeated = (error: Error): Error =>
  new KafkaJSNumberOfRetriesExceeded(error, { retryCount: 3, retryTime: 1000 });

/** Milliseconds until it is answered or given up. */
async function asked(error: Error, refusals = Infinity): Promise<number> {
  const network = new ManualClock('2026-04-10T09:00:00.000Z');
  const began = network.now();
  let over = false;
  let times = 0;
  const asking = patiently(
    network,
    () => (times++ < refusals ? Promise.reject(error) : Promise.resolve()),
    (each) => each instanceof NotAgreedError || isGathering(each) || each === passing,
  ).then(
    () => (over = true),
    (given: unknown) => {
      expect(given).toBe(error);
      over = true;
    },
  );
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    if (over) break;
    network.advance(100);
  }
  await asking;
  return network.now() - began;
}

const passing = new Error('it passes');

test.each([
  ['a group comes together', said('REBALANCE_IN_PROGRESS')],
  ['a group came together meanwhile', said('ILLEGAL_GENERATION')],
  ['a group has forgotten the member', said('UNKNOWN_MEMBER_ID')],
  ['the client has joined a few times', repeated(new KafkaJSError(said('REBALANCE_IN_PROGRESS')))],
  ['a coordinator loads its groups', said('GROUP_LOAD_IN_PROGRESS')],
  ['nobody coordinates a group', repeated(said('GROUP_COORDINATOR_NOT_AVAILABLE'))],
  ['partitions have no leader', new NotAgreedError('no leader')],
])('%s: it is asked again for a minute', async (_, error) => {
  expect(await asked(error)).toBe(60_000);
  expect(await asked(error, 3)).toBe(300);
});

test('another refusal that passes is asked again for ten seconds, any other not at all', async () => {
  expect(await asked(passing)).toBe(10_000);
  expect(await asked(said('GROUP_AUTHORIZATION_FAILED'))).toBe(0);
  expect(await asked(repeated(said('REQUEST_TIMED_OUT')))).toBe(0);
});
