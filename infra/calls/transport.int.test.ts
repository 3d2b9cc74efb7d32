/** Calls over real connections: kept and used again, pinned to an address, encrypted, cut off. */
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { cert, key } from '../channels/testing/certificate.ts';
import { systemClock } from '../runtime/clock.ts';
import { createLogger } from '../runtime/logging.ts';
import { callServices, type CallServicesOptions } from './client.ts';
import { openIdentity } from './identity.ts';
import { Add, Bench, principal, SampleService, Totals } from './sample-calls.ts';
import { serveCalls } from './server.ts';
import { transportTo } from './transport.ts';
import { openTrustedCallers } from './trusted.ts';
import { messageOf } from './wire.ts';

const logger = createLogger('silent');
let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.end());

async function callsOf(service: SampleService) {
  const { trusted } = await bench.trustedFile();
  return serveCalls({
    ...{
      service: 'samples',
      contracts: [Add, Totals],
      caller: service,
      clock: systemClock,
      logger,
    },
    trusted: await openTrustedCallers(trusted),
  });
}

async function callerOf(urls: readonly string[], options: Partial<CallServicesOptions> = {}) {
  const { identity } = await bench.trustedFile();
  const remote = callServices({
    services: new Map([['samples', urls]]),
    identity: await openIdentity(identity),
    ...{ clock: systemClock, logger, ...options },
  });
  bench.onEnd(() => remote.close());
  return remote;
}

const ask = { accountId: 'x' };

test('connections are bounded, kept, and used again', async () => {
  const service = new SampleService();
  const calls = await callsOf(service);
  const { url, server } = await bench.listen((request, response) => void calls(request, response));
  let made = 0;
  server.on('connection', () => (made += 1));
  const remote = await callerOf([url], { connections: 4 });
  const many = () =>
    Promise.all(Array.from({ length: 40 }, () => remote.query(Totals, ask, { principal })));
  expect((await many()).every(({ ok }) => ok)).toBe(true);
  await many();
  expect(service.asked).toHaveLength(80);
  expect(made).toBeGreaterThan(0);
  expect(made).toBeLessThanOrEqual(4);
});

/** So many subjects that each of two replicas has some. */
const COUNT = 64;

test('a command whose replica dies before it answers is given once more, as the same command', async () => {
  const service = new SampleService();
  const calls = await callsOf(service);
  const dying = await bench.listen((request, response) => {
    // It is done, and the process is killed before it can say so.
    const socket = request.socket;
    service.onCommand = async () => {
      socket.destroy();
      service.onCommand = new SampleService().onCommand;
      return {
        ok: true,
        result: { total: 1 },
        stream: 's',
        revision: 0n,
        position: 'p',
        repeated: false,
      };
    };
    void calls(request, response);
  });
  const { url } = await bench.listen((request, response) => void calls(request, response));
  const remote = await callerOf([dying.url, url]);
  for (let n = 0; n < COUNT; n++) {
    const call = { principal, idempotencyKey: `k${n}` };
    const reply = await remote.command(Add, { accountId: `ten_${n}` }, call);
    expect(reply).toMatchObject({ ok: true });
  }
  const keys = service.asked.map(({ call }) =>
    'idempotencyKey' in call ? call.idempotencyKey : '',
  );
  expect(new Set(keys)).toEqual(new Set(Array.from({ length: COUNT }, (_, n) => `k${n}`)));
  const twice = keys.filter((one, n) => keys.indexOf(one) !== n);
  expect(twice.length).toBeGreaterThan(0);
  expect(new Set(twice).size).toBe(twice.length);
});

test('a host name’s address is connected to, under the name', async () => {
  const calls = await callsOf(new SampleService());
  const hosts: (string | undefined)[] = [];
  const { url } = await bench.listen((request, response) => {
    hosts.push(request.headers.host);
    void calls(request, response);
  });
  const { port } = new URL(url);
  const remote = await callerOf([`http://samples.internal:${port}`], {
    resolve: () => Promise.resolve(['127.0.0.1']),
  });
  expect(await remote.query(Totals, ask, { principal })).toMatchObject({ ok: true });
  expect(hosts).toEqual([`samples.internal:${port}`]);
});

test('with TLS the authorities given are trusted, and nobody else', async () => {
  const service = new SampleService();
  const calls = await callsOf(service);
  const server = createTlsServer(
    { cert, key },
    (request, response) => void calls(request, response),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  bench.onEnd(
    () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  const url = `https://127.0.0.1:${port}`;
  const trusting = await callerOf([url], { ca: cert });
  expect(await trusting.query(Totals, ask, { principal })).toMatchObject({ ok: true });
  const stranger = await callerOf([url], { deadlineMs: 300 });
  expect(await stranger.command(Add, ask, { principal, idempotencyKey: 'k' })).toMatchObject({
    refusal: { code: 'UNAVAILABLE' },
  });
  // The certificate is not of that name.
  const misled = await callerOf([`https://samples.internal:${port}`], {
    ...{ ca: cert, deadlineMs: 300, resolve: () => Promise.resolve(['127.0.0.1']) },
  });
  expect(await misled.command(Add, ask, { principal, idempotencyKey: 'k' })).toMatchObject({
    refusal: { code: 'UNAVAILABLE' },
  });
  expect(service.asked).toHaveLength(1);
});

test('a caller that nobody trusts is told so, and a proxy’s answer is none', async () => {
  const service = new SampleService();
  const calls = await callsOf(service);
  const { url } = await bench.listen((request, response) => void calls(request, response));
  const stranger = new Bench();
  bench.onEnd(() => stranger.end());
  const remote = callServices({
    services: new Map([['samples', [url]]]),
    identity: await openIdentity((await stranger.trustedFile()).identity),
    ...{ clock: systemClock, logger },
  });
  bench.onEnd(() => remote.close());
  await expect(remote.query(Totals, ask, { principal })).rejects.toMatchObject({
    code: 'misconfigured',
    message: expect.stringContaining('TRUSTED_CALLERS_FILE'),
  });
  expect(service.asked).toEqual([]);

  const proxy = await bench.listen((_request, response) => {
    response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>');
  });
  const behind = await callerOf([proxy.url], { deadlineMs: 1_000 });
  expect(await behind.command(Add, ask, { principal, idempotencyKey: 'k' })).toMatchObject({
    refusal: { code: 'OUTCOME_UNKNOWN' },
  });
});

test('a reply beyond the bound is not read, and not asked for again', async () => {
  const service = new SampleService();
  const totals = Array.from({ length: 1_000 }, () => ({ total: 1 }));
  service.onQuery = () => Promise.resolve({ ok: true, result: { totals }, position: null });
  const calls = await callsOf(service);
  const { url } = await bench.listen((request, response) => void calls(request, response));
  const remote = await callerOf([url], {
    transport: (options) => transportTo({ ...options, mostBytes: 1_000 }),
  });
  await expect(remote.query(Totals, ask, { principal })).rejects.toMatchObject({
    code: 'defect',
    message: expect.stringContaining('beyond 1000 bytes'),
  });
  expect(service.asked).toHaveLength(1);
});

test('an address that a name has lost takes no more calls', async () => {
  const transport = transportTo({
    ...{ origin: 'http://127.0.0.1:9', address: undefined, ca: undefined, connections: 1 },
  });
  await transport.close('idle');
  const call = { contract: 'samples.Add', token: 't', body: '{}', deadlineMs: 1_000 };
  expect(await transport.exchange({ ...call, late: new AbortController().signal })).toMatchObject({
    kind: 'unsent',
  });
});

test('a replica that hangs is given up by the caller’s own timer', async () => {
  const hanging = await bench.listen(() => undefined);
  const remote = await callerOf([hanging.url], { deadlineMs: 1_000 });
  await expect(remote.query(Totals, ask, { principal })).rejects.toMatchObject({
    code: 'unavailable',
  });
  expect(await remote.command(Add, ask, { principal, idempotencyKey: 'k' })).toMatchObject({
    refusal: { code: 'OUTCOME_UNKNOWN' },
  });
});

test('what waits for a connection until its deadline was not sent, and never is', async () => {
  const service = new SampleService();
  const calls = await callsOf(service);
  const held: (() => void)[] = [];
  let arrived: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => (arrived = resolve));
  const { url } = await bench.listen((request, response) => {
    held.push(() => void calls(request, response));
    arrived();
  });
  const transport = transportTo({
    ...{ origin: url, address: undefined, ca: undefined, connections: 1 },
  });
  bench.onEnd(() => transport.close('now'));
  const { identity } = await bench.trustedFile();
  const token = await (await openIdentity(identity)).tokenFor('samples', systemClock);
  const body = JSON.stringify(messageOf(ask, { principal, idempotencyKey: 'k' }));
  const call = { contract: 'samples.Add', token, body, deadlineMs: 10_000 };
  const first = transport.exchange({ ...call, late: new AbortController().signal });
  await reached;
  const late = new AbortController();
  const second = transport.exchange({ ...call, late: late.signal });
  late.abort();
  expect(await second).toMatchObject({ kind: 'unsent' });
  for (const go of held) go();
  expect(await first).toMatchObject({ kind: 'answered' });
  const third = transport.exchange({ ...call, late: new AbortController().signal });
  while (held.length < 2) await new Promise((resolve) => setImmediate(resolve));
  held[1]?.();
  expect(await third).toMatchObject({ kind: 'answered' });
  expect(held).toHaveLength(2);
  expect(service.asked).toHaveLength(2);
});

test('closing ends calls under way', async () => {
  let arrived: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => (arrived = resolve));
  const hanging = await bench.listen(() => {
    arrived();
  });
  const remote = await callerOf([hanging.url]);
  const asking = remote.query(Totals, ask, { principal }).catch((error: unknown) => error);
  await reached;
  await remote.close();
  expect(await asking).toMatchObject({ code: 'unavailable' });
});
