/** What the gateway is over HTTP, also to those it does not know. */
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';

import { Authenticate, RevokeApiKey } from '@bivouac/accounts/api';
import { afterEach, describe, expect, test } from '@jest/globals';
import { serverAudits } from 'graphql-http';

import { codesOf, setUp } from '../../test/asking.ts';

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listening(gateway: ReturnType<typeof setUp>['gateway']): Promise<string> {
  const server = createServer((request, response) => void gateway.handle(request, response));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${portOf(server)}/graphql`;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

describe('GraphQL over HTTP', () => {
  const { gateway, keyOf } = setUp();
  const audits = serverAudits({
    url: 'http://localhost/graphql',
    fetchFn: (url: string, init?: RequestInit) => {
      const headers = new Headers(init?.headers);
      headers.set('authorization', `Bearer ${keyOf('Alpha')}`);
      return gateway.yoga.fetch(url, { ...init, headers: Object.fromEntries(headers) });
    },
  });

  test('has an audit for each clause of the specification', () => {
    expect(audits.length).toBeGreaterThan(50);
  });

  test.each(audits.map((audit) => [audit.name, audit] as const))('%s', async (_name, audit) => {
    expect(await outcomeOf(audit)).toEqual({ status: 'ok', reason: undefined });
  });

  test('is kept over a real connection as well', async () => {
    const url = await listening(gateway);
    const real = serverAudits({
      url,
      fetchFn: (asked: string, init?: RequestInit) => {
        const headers = new Headers(init?.headers);
        headers.set('authorization', `Bearer ${keyOf('Alpha')}`);
        return fetch(asked, { ...init, headers });
      },
    });
    for (const audit of real) {
      const outcome = await outcomeOf(audit);
      expect({ name: audit.name, ...outcome }).toEqual({
        name: audit.name,
        status: 'ok',
        reason: undefined,
      });
    }
  });
});

async function outcomeOf(audit: ReturnType<typeof serverAudits>[number]) {
  const result = await audit.fn();
  return { status: result.status, reason: 'reason' in result ? result.reason : undefined };
}

describe('a plain request, which Yoga does not see, is answered as Yoga would', () => {
  const query = '{ viewer { role account { name } } }';
  const json = (body: unknown): string => JSON.stringify(body);
  const bodies: readonly (readonly [string, string])[] = [
    ['a query', json({ query })],
    [
      'variables',
      json({
        query: 'query Q($n: Int) { containers(first: $n) { edges { cursor } } }',
        variables: { n: 2 },
      }),
    ],
    [
      'an operation by name',
      json({ query: 'query A { __typename } query B { viewer { role } }', operationName: 'B' }),
    ],
    [
      'extensions and nothing',
      json({ query, variables: null, extensions: {}, operationName: null }),
    ],
    ['letters beyond ASCII', json({ query: '{ viewer { r\u00f6le: role } }' })],
    [
      'an alias beyond ASCII',
      json({
        query: `query Q($n: String!) { __type(name: $n) { name } }`,
        variables: { n: 'Käse' },
      }),
    ],
    ['no operation of that name', json({ query: 'query A { __typename }', operationName: 'B' })],
    ['a document that is none', json({ query: '{ viewer {' })],
    ['a field that is none', json({ query: '{ nothing }' })],
    [
      'a variable that is missing',
      json({ query: 'query Q($id: ID!) { container(id: $id) { id } }' }),
    ],
    ['an argument that cannot be', json({ query: '{ container(id: "x") { id } }' })],
    [
      'a request that costs too much',
      json({
        query:
          '{ containers(first: 100) { edges { node { operations(first: 100) { edges { node { id } } } } } } }',
      }),
    ],
    ['no query', json({ variables: {} })],
    ['a query that is no text', json({ query: 1 })],
    ['variables that are no object', json({ query, variables: [1] })],
    ['an unknown parameter', json({ query, more: 1 })],
    ['several at once', json([{ query }, { query }])],
    ['no object', '1'],
    ['no JSON', '{'],
    ['nothing', ''],
    ['a long text that is no JSON', 'x'.repeat(100_000)],
  ];
  const asks: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['as it comes', {}],
    ['JSON', { accept: 'application/json' }],
    ['the media type of GraphQL', { accept: 'application/graphql-response+json' }],
    ['one or the other', { accept: 'application/graphql-response+json, application/json;q=0.9' }],
    ['a media type there is none of', { accept: 'text/csv' }],
    ['with a charset', { 'content-type': 'application/json; charset=utf-8' }],
    ['another media type', { 'content-type': 'text/plain' }],
    ['from a position that is none', { 'x-bivouac-at-least': 'soon' }],
    ['with an unknown key', { authorization: 'Bearer bvk_1' }],
  ];

  test.each(asks)('asked for %s', async (_name, more) => {
    const { gateway, keyOf } = setUp({ newRequestId: () => 'made' });
    const url = await listening(gateway);
    for (const [name, body] of bodies) {
      const headers = {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(body)),
        authorization: `Bearer ${keyOf('Alpha')}`,
        accept: '*/*',
        ...more,
      };
      const ours = await told(fetch(url, { method: 'POST', headers, body }));
      // Yoga's own way in, which the plain one leaves out.
      const yogas = await told(gateway.yoga.fetch(url, { method: 'POST', headers, body }));
      expect({ name, ...ours }).toEqual({ name, ...yogas });
    }
  });
});

test('an account that has asked for too much is answered 429 over a real connection', async () => {
  const { gateway, cache, keyOf } = setUp();
  cache.refuseFor = 1500;
  const url = await listening(gateway);
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${keyOf('Alpha')}` },
    body: JSON.stringify({ query: '{ viewer { role } }' }),
  });
  expect([response.status, response.headers.get('retry-after')]).toEqual([429, '2']);
  expect(await response.json()).toMatchObject({
    errors: [{ extensions: { code: 'RATE_LIMITED', retryAfter: 2 } }],
  });
});

/** Of a response what the caller's program sees. */
async function told(answering: Promise<Response>) {
  const response = await answering;
  const { status, headers } = response;
  const names = ['content-type', 'x-request-id', 'www-authenticate', 'retry-after', 'allow'];
  return {
    status,
    headers: Object.fromEntries(names.map((name) => [name, headers.get(name)])),
    body: await response.text(),
  };
}

describe('a body', () => {
  const tenMegabytes = JSON.stringify({ query: `{ __typename } #${'x'.repeat(10_000_000)}` });

  test('of ten megabytes is refused with 413 by its length, and nothing of it is parsed', async () => {
    const { gateway, services, keyOf } = setUp();
    const url = await listening(gateway);
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${keyOf('Alpha')}` },
      body: tenMegabytes,
    });
    expect(response.status).toBe(413);
    const body = (await response.json()) as { errors: { extensions: unknown }[] };
    expect(body.errors[0]?.extensions).toMatchObject({ code: 'BODY_TOO_LARGE', limit: 1_048_576 });
    expect(services.calls).toEqual([]);
  });

  test('that does not tell its length is refused with 413 as soon as it is too long', async () => {
    const { gateway, keyOf } = setUp();
    const url = await listening(gateway);
    const chunks = Array.from({ length: 160 }, () => new Uint8Array(65_536).fill(32));
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${keyOf('Alpha')}` },
      body: new Blob(chunks).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(response.status).toBe(413);
    expect(await response.text()).toContain('BODY_TOO_LARGE');
  });

  test('without a length and within the limit is answered', async () => {
    const { gateway, keyOf } = setUp();
    const url = await listening(gateway);
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${keyOf('Alpha')}` },
      body: new Blob([JSON.stringify({ query: '{ viewer { role } }' })]).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(await response.json()).toMatchObject({ data: { viewer: { role: 'OWNER' } } });
  });

  test('of a media type that a foreign page can send unasked is refused with 415', async () => {
    const { gateway, keyOf } = setUp();
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/graphql',
    ]) {
      const response = await gateway.yoga.fetch('http://localhost/graphql', {
        method: 'POST',
        headers: { 'content-type': type, authorization: `Bearer ${keyOf('Alpha')}` },
        body: '{"query":"{ viewer { role } }"}',
      });
      expect([type, response.status]).toEqual([type, 415]);
    }
  });

  test('with several requests at once is refused', async () => {
    const { gateway, keyOf } = setUp();
    const response = await gateway.yoga.fetch('http://localhost/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${keyOf('Alpha')}` },
      body: JSON.stringify([{ query: '{ viewer { role } }' }, { query: '{ viewer { role } }' }]),
    });
    expect(response.status).toBe(400);
  });
});

test('a caller who goes away in the middle of a body ends its request, and nothing is asked', async () => {
  const { gateway, services, keyOf } = setUp();
  let end: (outcome: unknown) => void = () => undefined;
  const ended = new Promise<unknown>((resolve) => (end = resolve));
  const server = createServer((request, response) => {
    gateway.handle(request, response).then(end, end);
    request.once('data', () => client.destroy());
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = connect(portOf(server), '127.0.0.1');
  client.write(
    `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n` +
      `authorization: Bearer ${keyOf('Alpha')}\r\ncontent-length: 100\r\n\r\n{"query":`,
  );
  expect(await ended).toMatchObject({ code: 'ECONNRESET' });
  const asked = services.calls.filter(({ principal }) => principal.kind === 'key');
  expect([services.of(Authenticate).length, asked]).toEqual([1, []]);
});

describe('a request id', () => {
  test('is the caller’s own where it brings one, and goes with every command', async () => {
    const { ask } = setUp();
    const reply = await ask('{ viewer { role } }', { headers: { 'x-request-id': 'mine-1' } });
    expect(reply.headers.get('x-request-id')).toBe('mine-1');
  });

  test('is made where there is none, or one that is not fit for a log', async () => {
    const { ask } = setUp({ newRequestId: () => 'made' });
    expect((await ask('{ viewer { role } }')).headers.get('x-request-id')).toBe('made');
    const odd = await ask('{ viewer { role } }', { headers: { 'x-request-id': 'a b' } });
    expect(odd.headers.get('x-request-id')).toBe('made');
  });

  test('stands on refusals too', async () => {
    const { ask } = setUp({ newRequestId: () => 'made' });
    expect((await ask('{ viewer { role } }', { as: null })).headers.get('x-request-id')).toBe(
      'made',
    );
  });
});

test('a browser gets GraphiQL with the first query and the first order', async () => {
  const { gateway } = setUp();
  const response = await gateway.yoga.fetch('http://localhost/graphql', {
    headers: { accept: 'text/html' },
  });
  const page = await response.text();
  expect(page).toContain('query First');
  expect(page).toContain('mutation FirstOrder');
});

test('a browser gets none where it is switched off', async () => {
  const { gateway } = setUp({ graphiql: false });
  const response = await gateway.yoga.fetch('http://localhost/graphql', {
    headers: { accept: 'text/html' },
  });
  expect(response.status).toBe(401);
});

test('a mutation is not run by GET', async () => {
  const { gateway, keyOf, services } = setUp();
  const query = encodeURIComponent(
    'mutation { revokeApiKey(idempotencyKey: "k", input: { keyId: "key_x" }) { __typename } }',
  );
  const response = await gateway.yoga.fetch(`http://localhost/graphql?query=${query}`, {
    headers: { authorization: `Bearer ${keyOf('Alpha')}` },
  });
  expect(response.status).toBe(405);
  expect(services.of(RevokeApiKey)).toEqual([]);
});

test('a header x-bivouac-at-least that is no position is refused before anything is asked', async () => {
  const { ask, services } = setUp();
  const reply = await ask('{ viewer { role } }', { headers: { 'x-bivouac-at-least': 'soon' } });
  expect([reply.status, ...codesOf(reply)]).toEqual([400, 'BAD_REQUEST']);
  expect(services.calls).toEqual([]);
});
