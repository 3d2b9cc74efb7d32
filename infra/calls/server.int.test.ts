/** What is not a trusted caller's call of this service, in time, is refused, and nothing is executed. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { refuse } from '@bivouac/events/language';
import { SignJWT } from 'jose';

import { type Clock, ManualClock, systemClock } from '../runtime/clock.ts';
import { RuntimeError } from '../runtime/errors.ts';
import { createLogger } from '../runtime/logging.ts';
import { openIdentity } from './identity.ts';
import { Add, Bench, principal, SampleService, Totals } from './sample-calls.ts';
import { serveCalls } from './server.ts';
import { keyIdOf } from './token.ts';
import { openTrustedCallers } from './trusted.ts';
import { messageOf } from './wire.ts';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.end());

/** A server that would have executed it. */
async function server(clock: Clock = systemClock) {
  const made = await bench.trustedFile();
  const service = new SampleService();
  const lines: string[] = [];
  const calls = serveCalls({
    ...{ service: 'samples', contracts: [Add, Totals], caller: service, clock },
    trusted: await openTrustedCallers(made.trusted),
    logger: createLogger('info', { write: (line) => lines.push(line) }),
  });
  const { url } = await bench.listen((request, response) => void calls(request, response));
  const gateway = await openIdentity(made.identity);
  const token = await gateway.tokenFor('samples', systemClock);
  return { service, calls, url, token, lines, gateway, made };
}

const command = messageOf({ accountId: 'x' }, { principal, idempotencyKey: 'k' });

async function post(
  url: string,
  token: string | undefined,
  options: { path?: string; body?: string; headers?: Record<string, string>; method?: string } = {},
) {
  const method = options.method ?? 'POST';
  const response = await fetch(`${url}${options.path ?? '/calls/samples.Add'}`, {
    method,
    ...(method === 'GET' ? {} : { body: options.body ?? JSON.stringify(command) }),
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...options.headers,
    },
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as unknown,
  };
}

const problem = (code: string, says: string) => ({
  error: { code, message: expect.stringContaining(says) },
});

test('a call with a good token is executed', async () => {
  const { url, token, service } = await server();
  expect(await post(url, token)).toMatchObject({ status: 200, body: { ok: true, revision: '1' } });
  expect(service.asked).toHaveLength(1);
});

/** A token as a caller could make it. */
function signed(
  key: KeyObject | Uint8Array,
  change: {
    alg?: string;
    kid?: string;
    typ?: string;
    iss?: string;
    aud?: string;
    from?: number;
    seconds?: number | null;
  },
): Promise<string> {
  const from = Math.floor((change.from ?? Date.now()) / 1000);
  const jwt = new SignJWT()
    .setProtectedHeader({
      alg: change.alg ?? 'EdDSA',
      typ: change.typ ?? 'bivouac-call+jwt',
      ...(change.kid === undefined ? {} : { kid: change.kid }),
    })
    .setIssuer(change.iss ?? 'gateway')
    .setAudience(change.aud ?? 'samples')
    .setIssuedAt(from);
  if (change.seconds !== null) jwt.setExpirationTime(from + (change.seconds ?? 60));
  return jwt.sign(key);
}

test('a token that is missing, expired, forged, for something else or of a stranger opens nothing', async () => {
  const { url, token, service, lines, made } = await server();
  const { createPrivateKey } = await import('node:crypto');
  const { privateKey } = JSON.parse(readFileSync(made.identity, 'utf8')) as { privateKey: string };
  const key = createPrivateKey(privateKey);
  const kid = keyIdOf(made.publicKey);
  const stranger = generateKeyPairSync('ed25519').privateKey;
  const [head = '', body = '', signature = ''] = token.split('.');
  const none = Buffer.from('{"alg":"none","typ":"bivouac-call+jwt"}').toString('base64url');
  const now = Date.now();
  const bad: readonly (readonly [string, string | undefined])[] = [
    ['missing', undefined],
    ['no token', 'x'],
    ['cut', `${head}.${body}`],
    ['unsigned', `${none}.${body}.`],
    ['forged', `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`],
    [
      'another body',
      `${head}.${Buffer.from('{"iss":"gateway"}').toString('base64url')}.${signature}`,
    ],
    ['a stranger’s key', await signed(stranger, { kid })],
    ['a stranger', await signed(stranger, { kid: 'ffffffffffffffff' })],
    ['no key named', await signed(key, {})],
    [
      'the public key as a secret',
      await signed(Buffer.from(made.publicKey), { kid, alg: 'HS256' }),
    ],
    ['of another type', await signed(key, { kid, typ: 'JWT' })],
    ['another name', await signed(key, { kid, iss: 'endpoint' })],
    ['another service', await signed(key, { kid, aud: 'billing' })],
    ['expired', await signed(key, { kid, from: now - 120_000 })],
    ['without an end', await signed(key, { kid, seconds: null })],
    [
      'good for a day, made long ago',
      await signed(key, { kid, from: now - 120_000, seconds: 86_400 }),
    ],
    ['from the future', await signed(key, { kid, from: now + 60_000 })],
  ];
  // The same made well is good, so that each of these is refused for what it says.
  expect((await post(url, await signed(key, { kid }))).status).toBe(200);
  service.asked.length = 0;
  for (const [what, shown] of bad) {
    const answer = await post(url, shown);
    expect([what, answer.status, answer.body]).toEqual([
      what,
      401,
      problem('unauthenticated', 'token'),
    ]);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  }
  expect(service.asked).toEqual([]);
  expect(lines).toHaveLength(bad.length);
  expect(lines.join('')).not.toContain(signature);
});

test('a token that was good is no good once it is over', async () => {
  const clock = new ManualClock(Date.now());
  const { url, token, service } = await server(clock);
  expect((await post(url, token)).status).toBe(200);
  clock.advance(60_000);
  expect((await post(url, token)).status).toBe(200);
  clock.advance(15_000);
  expect((await post(url, token)).status).toBe(401);
  expect(service.asked).toHaveLength(2);
});

test('a caller speaks only for whom it may', async () => {
  const { url, token, service, lines } = await server();
  for (const kind of ['node', 'policy', 'timer'] as const) {
    const as = messageOf({}, { principal: { ...principal, kind }, idempotencyKey: 'k' });
    expect(await post(url, token, { body: JSON.stringify(as) })).toMatchObject({
      status: 403,
      body: problem('forbidden', `gateway may not speak for principals of kind ${kind}`),
    });
    const asked = messageOf({}, { principal: { ...principal, kind } });
    expect(
      await post(url, token, { path: '/calls/samples.Totals', body: JSON.stringify(asked) }),
    ).toMatchObject({ status: 403 });
  }
  expect(service.asked).toEqual([]);
  expect(lines).toHaveLength(6);
});

test('what is no call of this service is refused with what to do', async () => {
  const { url, token, service } = await server();
  const { principal: who } = (command as { call: { principal: object } }).call;
  const send = async (options: Parameters<typeof post>[2]) => {
    const { status, body } = await post(url, token, options);
    return [status, body];
  };
  const call = (change: object, callChange: object = {}) =>
    JSON.stringify({
      ...command,
      call: { principal: who, idempotencyKey: 'k', ...callChange },
      ...change,
    });
  expect(await send({ path: '/calls/billing.Plans' })).toEqual([
    404,
    problem('unknown-contract', 'samples has no contract "billing.Plans"'),
  ]);
  expect(await send({ path: '/calls/toString' })).toEqual([
    404,
    problem('unknown-contract', 'toString'),
  ]);
  expect(await send({ path: '/other' })).toEqual([
    404,
    problem('unknown-contract', '/calls/<contract name>'),
  ]);
  expect(await send({ method: 'GET' })).toEqual([404, problem('unknown-contract', 'by POST')]);
  expect(await send({ body: '' })).toEqual([400, problem('malformed', 'no JSON')]);
  expect(await send({ body: '['.repeat(100_000) + ']'.repeat(100_000) })).toEqual([
    400,
    problem('malformed', 'nested too deeply'),
  ]);
  expect(await send({ body: '{}' })).toEqual([400, problem('malformed', 'call')]);
  expect(await send({ body: call({ more: 1 }) })).toEqual([400, problem('malformed', 'more')]);
  expect(await send({ body: call({}, { idempotencyKey: undefined }) })).toEqual([
    400,
    problem('malformed', 'call.idempotencyKey'),
  ]);
  expect(await send({ body: call({}, { idempotencyKey: '' }) })).toEqual([
    400,
    problem('malformed', 'call.idempotencyKey'),
  ]);
  expect(await send({ body: call({}, { principal: { ...who, reach: 'some' } }) })).toEqual([
    400,
    problem('malformed', 'call.principal.reach'),
  ]);
  expect(await send({ body: call({}, { principal: { ...who, confinedTo: 'x' } }) })).toEqual([
    400,
    problem('malformed', 'confinedTo'),
  ]);
  for (const given of ['soon', '-1', '1.5', ''])
    expect(await send({ headers: { 'x-bivouac-deadline-ms': given } })).toEqual([
      400,
      problem('malformed', 'x-bivouac-deadline-ms'),
    ]);
  expect(service.asked).toEqual([]);
});

test('a body beyond the bound is not read to its end, whether it says its length or not', async () => {
  const { url, token, service } = await server();
  const { hostname, port } = new URL(url);
  const most = 16 * 1024 * 1024;
  const answered = (headers: Record<string, string>) =>
    new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(
        {
          ...{ hostname, port, method: 'POST', path: '/calls/samples.Add' },
          headers: { authorization: `Bearer ${token}`, ...headers },
        },
        (response) => {
          resolve(response.statusCode);
          request.destroy();
        },
      );
      request.on('error', reject);
      // It never ends: only the bound can end it.
      const chunk = Buffer.alloc(1024 * 1024, 'x');
      for (let n = 0; n <= 17; n++) request.write(chunk);
    });
  expect(await answered({ 'transfer-encoding': 'chunked' })).toBe(413);
  expect(await answered({ 'content-length': String(most * 2) })).toBe(413);
  expect(service.asked).toEqual([]);
});

test('a call is not answered beyond its deadline, and not executed when it is over before', async () => {
  const clock = new ManualClock(Date.now());
  const { url, token, service } = await server(clock);
  expect(await post(url, token, { headers: { 'x-bivouac-deadline-ms': '0' } })).toMatchObject({
    status: 504,
    body: problem('deadline', 'by its deadline'),
  });
  expect(service.asked).toEqual([]);
  const reached = new Promise<void>((resolve) => {
    service.onCommand = () => {
      resolve();
      return new Promise(() => undefined);
    };
  });
  const slow = post(url, token, { headers: { 'x-bivouac-deadline-ms': '2000' } });
  await reached;
  clock.advance(1_999);
  expect(
    await Promise.race([slow, new Promise((resolve) => setImmediate(() => resolve('waits')))]),
  ).toBe('waits');
  clock.advance(1);
  expect((await slow).status).toBe(504);
});

test('a stopping replica turns new calls away and answers those under way', async () => {
  const { url, token, service, calls } = await server();
  let finish: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => {
    const answer = service.onCommand;
    service.onCommand = async (asked) => {
      resolve();
      await new Promise<void>((done) => (finish = done));
      return answer(asked);
    };
  });
  const underWay = post(url, token);
  await reached;
  let stopped = false;
  const stopping = calls.stop().then(() => (stopped = true));
  const turnedAway = await post(url, token);
  expect(turnedAway).toMatchObject({ status: 503, body: problem('shutting-down', 'stopping') });
  expect(turnedAway.headers.get('retry-after')).toBe('1');
  expect(turnedAway.headers.get('connection')).toBe('close');
  expect(stopped).toBe(false);
  finish();
  expect((await underWay).status).toBe(200);
  await stopping;
  expect(service.asked).toHaveLength(1);
  await calls.stop();
});

test('a stopping replica waits no longer than it is told', async () => {
  const clock = new ManualClock(Date.now());
  const { url, token, service, calls } = await server(clock);
  const reached = new Promise<void>((resolve) => {
    service.onCommand = () => {
      resolve();
      return new Promise(() => undefined);
    };
  });
  const underWay = post(url, token);
  await reached;
  const stopping = calls.stop(5_000);
  clock.advance(5_000);
  await stopping;
  clock.advance(60_000);
  expect((await underWay).status).toBe(504);
});

test('what the host throws is said as what it means, and its words stay in the log', async () => {
  const { url, token, service, lines } = await server();
  const path = '/calls/samples.Totals';
  const body = JSON.stringify(messageOf({ accountId: 'x' }, { principal }));
  const answerTo = async (error: Error) => {
    service.onQuery = () => Promise.reject(error);
    const { status, body: said, headers } = await post(url, token, { path, body });
    return [status, said, headers.get('retry-after')];
  };
  expect(await answerTo(new RuntimeError('unavailable', 'x'))).toEqual([
    503,
    problem('unavailable', 'ask again'),
    '1',
  ]);
  expect(await answerTo(new RuntimeError('shutting-down', 'x'))).toEqual([
    503,
    problem('shutting-down', 'x'),
    '1',
  ]);
  expect(await answerTo(new RuntimeError('outcome-unknown', 'x'))).toEqual([
    504,
    problem('deadline', 'x'),
    null,
  ]);
  lines.length = 0;
  expect(await answerTo(new Error('a secret of the store'))).toEqual([
    500,
    problem('defect', 'its log has it'),
    null,
  ]);
  expect(lines.join('')).toContain('a secret of the store');
  service.onQuery = () =>
    Promise.resolve({ ok: true, result: { totals: [{ total: 1n }] }, position: null });
  expect((await post(url, token, { path, body })).body).toEqual(
    problem('defect', 'result.totals.0.total is a bigint'),
  );
});

test('a host that is stopping is a replica that is stopping', async () => {
  const { url, token, service } = await server();
  const { refusal } = refuse('SHUTTING_DOWN', 'This replica is stopping.', { retryable: true });
  service.onCommand = () => Promise.resolve({ ok: false, refusal });
  expect(await post(url, token)).toMatchObject({
    status: 503,
    body: problem('shutting-down', 'stopping'),
  });
});
