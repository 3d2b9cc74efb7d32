/** A call between processes answers what the same call in one process would. */
import { createServer } from 'node:net';

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { refuse } from '@bivouac/events/language';

import { systemClock } from '../runtime/clock.ts';
import { createLogger } from '../runtime/logging.ts';
import { processMetrics, type ProcessMetrics } from '../runtime/metrics/index.ts';
import { callServices, openIdentity, openTrustedCallers, serveCalls } from './index.ts';
import { Add, Bench, principal, SampleService, Totals } from './sample-calls.ts';

const logger = createLogger('silent');
let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.end());

/** A replica of the sample service. */
async function replica(service = new SampleService(), port = 0) {
  const { trusted } = await bench.trustedFile();
  const calls = serveCalls({
    service: 'samples',
    contracts: [Add, Totals],
    caller: service,
    trusted: await openTrustedCallers(trusted),
    clock: systemClock,
    logger,
  });
  const { url, server } = await bench.listen((request, response) => {
    void calls(request, response);
  }, port);
  return { service, calls, url, server };
}

async function callerOf(
  urls: readonly string[],
  options: { deadlineMs?: number; attemptMs?: number; metrics?: ProcessMetrics } = {},
) {
  const { identity } = await bench.trustedFile();
  const remote = callServices({
    services: new Map([['samples', urls]]),
    identity: await openIdentity(identity),
    clock: systemClock,
    logger,
    ...options,
  });
  bench.onEnd(() => remote.close());
  return remote;
}

const add = { accountId: 'ten_1', amount: 2 };

test('a command arrives as it was given, and its reply as it was made', async () => {
  const { url, service } = await replica();
  const remote = await callerOf([url]);
  const call = {
    principal,
    idempotencyKey: 'k1',
    correlationId: 'req_1',
    causationId: undefined,
    expectedRevision: '7',
  };
  service.onCommand = () =>
    Promise.resolve({
      ok: true,
      result: { total: 5, note: undefined },
      stream: 'samples-1',
      revision: 2n ** 63n,
      position: undefined,
      repeated: true,
    });
  expect(await remote.command(Add, add, call)).toEqual({
    ok: true,
    result: { total: 5 },
    stream: 'samples-1',
    revision: 2n ** 63n,
    position: undefined,
    repeated: true,
  });
  expect(service.asked).toEqual([{ contract: 'samples.Add', input: add, call }]);
  expect(service.asked[0]?.call.principal).toEqual(principal);
});

test('a query arrives as it was asked, with the position it waits for', async () => {
  const { url, service } = await replica();
  const remote = await callerOf([url]);
  const staff = { ...principal, memberId: undefined, reach: 'all', rights: 'all' } as const;
  const call = { principal: staff, atLeast: '00000000000000000009' };
  service.onQuery = () =>
    Promise.resolve({
      ok: true,
      result: { totals: [{ total: 1 }] },
      position: '00000000000000000009',
    });
  expect(await remote.query(Totals, { accountId: 'ten_1' }, call)).toEqual({
    ok: true,
    result: { totals: [{ total: 1 }] },
    position: '00000000000000000009',
  });
  service.onQuery = () => Promise.resolve({ ok: true, result: null, position: null });
  expect(await remote.query(Totals, { accountId: 'ten_1' }, call)).toEqual({
    ok: true,
    result: null,
    position: null,
  });
  expect(service.asked.map((asked) => asked.call)).toEqual([call, call]);
});

test('a refusal comes as the service gave it, and is never asked for again', async () => {
  const { url, service } = await replica();
  const remote = await callerOf([url, (await replica(service)).url]);
  const { refusal } = refuse('UNAVAILABLE', 'The store is away.', {
    path: ['input', 'amount'],
    retryable: true,
    details: { asked: '10', free: [1, { n: null }] },
  });
  service.onCommand = () => Promise.resolve({ ok: false, refusal });
  service.onQuery = () => Promise.resolve({ ok: false, refusal });
  expect(await remote.command(Add, add, { principal, idempotencyKey: 'k' })).toEqual({
    ok: false,
    refusal,
  });
  expect(await remote.query(Totals, { accountId: 'x' }, { principal })).toEqual({
    ok: false,
    refusal,
  });
  expect(service.asked).toHaveLength(2);
});

test('where no replica answers, a query is unavailable and a command was not done', async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const address = closed.address();
  await new Promise((resolve) => closed.close(resolve));
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const remote = await callerOf([`http://127.0.0.1:${port}`], { deadlineMs: 300 });
  await expect(remote.query(Totals, { accountId: 'x' }, { principal })).rejects.toMatchObject({
    code: 'unavailable',
  });
  expect(await remote.command(Add, add, { principal, idempotencyKey: 'k' })).toMatchObject({
    ok: false,
    refusal: { code: 'UNAVAILABLE', retryable: true },
  });
  // It comes up, and calls under way find it.
  const waiting = (await callerOf([`http://127.0.0.1:${port}`])).query(
    Totals,
    { accountId: 'x' },
    { principal },
  );
  await replica(new SampleService(), port);
  expect(await waiting).toMatchObject({ ok: true });
});

test('each call is timed once, repetitions included, by what became of it', async () => {
  const { url, service } = await replica();
  const metrics = processMetrics({ ofNode: false });
  const remote = await callerOf([url], { metrics });
  const call = { principal, idempotencyKey: 'k' };
  await remote.command(Add, add, call);
  await remote.query(Totals, { accountId: 'ten_1' }, { principal });
  const { refusal } = refuse('UNAVAILABLE', 'The store is away.', { retryable: true });
  service.onCommand = () => Promise.resolve({ ok: false, refusal });
  // A refusal is an answer.
  await remote.command(Add, add, call);

  const nobody = createServer();
  await new Promise<void>((resolve) => nobody.listen(0, '127.0.0.1', resolve));
  const address = nobody.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await new Promise((resolve) => nobody.close(resolve));
  const alone = await callerOf([`http://127.0.0.1:${port}`], { metrics, deadlineMs: 300 });
  expect(await alone.command(Add, add, call)).toMatchObject({
    ok: false,
    refusal: { code: 'UNAVAILABLE' },
  });

  const counts = [
    ...(await metrics.scrape()).text.matchAll(
      /^bivouac_call_seconds_count\{service="samples",outcome="([a-z-]+)"\} (\d+)$/gm,
    ),
  ].map(([, outcome, count]) => [outcome, Number(count)]);
  expect(Object.fromEntries(counts)).toEqual({
    ...{ answered: 3, 'not-done': 1, 'maybe-done': 0, misconfigured: 0, defect: 0 },
  });
});
