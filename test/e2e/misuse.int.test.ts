/** Misuse over real HTTP: a clear answer, and nothing done. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { listen } from '@bivouac/infra/process';

import { Client } from './client.ts';
import { closeAll, open, type Running } from './installation.ts';

let running: Running;
let server: Awaited<ReturnType<typeof listen>>;
let url: string;
let owner: Client;
let staff: Client;

beforeAll(async () => {
  running = await open();
  const { host, gateway } = running.installation;
  server = await listen({
    host: '127.0.0.1',
    port: 0,
    ready: () => host.ready(),
    handle: (request, response) => gateway.handle(request, response),
  });
  url = `${server.url}/graphql`;
  owner = client(running.keys.owner);
  staff = client(running.keys.staff);
});
afterAll(async () => {
  await server.stop(1000);
  await closeAll();
});

function client(key: string | undefined): Client {
  return new Client(fetch, key, url);
}

/** What is asked must change nothing in the log. */
async function doingNothing<T>(act: () => Promise<T>): Promise<T> {
  const before = await running.lastFact();
  const answer = await act();
  expect(await running.lastFact()).toBe(before);
  return answer;
}

const viewer = '{ viewer { keyId } }';

test('without a key, or with one that is none: 401, UNAUTHENTICATED and a sentence', async () => {
  const { owner: good } = running.keys;
  const last = good.at(-1) === '0' ? '1' : '0';
  for (const key of [
    undefined,
    '',
    'nonsense',
    'bvk_',
    good.slice(0, -1),
    good.slice(0, -1) + last,
  ]) {
    const { status, data, errors } = await client(key).ask(viewer);
    expect({ key, status, data }).toEqual({ key, status: 401, data: null });
    expect(errors).toHaveLength(1);
    expect(errors[0]?.code).toBe('UNAUTHENTICATED');
    expect(errors[0]?.message).toMatch(/key/i);
    // A key, right or nearly so, is not repeated to anyone.
    expect(JSON.stringify(errors)).not.toContain(good.slice(8, 40));
  }
  expect((await owner.ask(viewer)).status).toBe(200);
});

test('an expired key and a revoked one are refused with 401', async () => {
  const { seeded, clock, installation } = running;
  const input = {
    accountId: seeded.customer.tenantId,
    memberId: seeded.ownerMemberId,
    label: 'short',
  };
  const expiresAt = new Date(clock.now() + 60_000).toISOString();
  const short = await staff.mutate('createApiKey', { ...input, expiresAt });
  const other = await staff.mutate('createApiKey', input);
  await installation.host.settled();
  const [expiring, revoking] = [client(short.key ?? ''), client(other.key ?? '')];
  expect((await expiring.ask(viewer)).status).toBe(200);
  expect((await revoking.ask(viewer)).status).toBe(200);
  expect((await staff.mutate('revokeApiKey', { keyId: other.keyId })).__typename).toBe(
    'ApiKeyRevoked',
  );
  await installation.host.settled();
  clock.advance(60_000);
  for (const dead of [expiring, revoking]) {
    const { status, errors } = await dead.ask(viewer);
    expect(status).toBe(401);
    expect(errors.map(({ code }) => code)).toEqual(['UNAUTHENTICATED']);
  }
  const again = await doingNothing(() =>
    staff.mutate('createApiKey', { ...input, expiresAt: new Date(clock.now() - 1).toISOString() }),
  );
  expect(again).toMatchObject({ __typename: 'ValidationFailed', code: 'KEY_EXPIRY_PAST' });
});

test.each(['2026-13', '0000-01', '1970-01', '9999-12'])(
  'the month %s, which no account can be charged for, is refused and nothing is done',
  async (month) => {
    const document = `mutation ($input: CloseMonthInput!) {
      closeMonth(idempotencyKey: "${month}", input: $input) { __typename } }`;
    const input = { accountId: running.seeded.customer.tenantId, month };
    const { errors } = await doingNothing(() => staff.ask(document, { input }));
    expect(errors).toMatchObject([{ code: 'INVALID_ARGUMENT' }]);
    expect(errors[0]?.message).toContain('expected a month like 2026-04');
  },
);

test.each([
  ['nothing', ''],
  ['a blank', ' '],
  ['a prefix', 'ctr_'],
  ['too short', 'ctr_0'],
  ['of another kind', 'ten_01h455vb4pex5vsknk084sn02q'],
  ['a path', '../../etc'],
  ['far too long', `ctr_${'z'.repeat(5000)}`],
  ['a null byte', '\0'],
  ['beyond ASCII', 'ctr_💥'],
])('a malformed id, %s, is told from one that names nothing', async (_what, id) => {
  const asked = await owner.ask('query ($id: ID!) { container(id: $id) { id } }', { id });
  expect(asked.data?.['container'] ?? null).toBeNull();
  expect(asked.errors.map(({ code }) => code)).toEqual(['INVALID_ID']);
  const answer = await doingNothing(() =>
    owner.mutate('terminateContainer', { containerId: id, reason: 'try' }),
  );
  expect(answer).toMatchObject({
    __typename: 'ValidationFailed',
    code: 'INVALID_INPUT',
    path: ['input', 'containerId'],
  });
  expect(answer.message?.length).toBeLessThan(500);
});

test('over-long and malformed names are refused by field', async () => {
  const { customer, imageId } = running.seeded;
  const order = { accountId: customer.tenantId, plan: '1000', imageId };
  for (const hostname of [
    'a'.repeat(300),
    '',
    '-x.example.com',
    'a b',
    'ü.example',
    'a\n.example',
  ]) {
    const answer = await doingNothing(() =>
      owner.mutate('provisionContainer', { ...order, hostname }),
    );
    expect(answer).toMatchObject({
      __typename: 'ValidationFailed',
      path: ['input', 'hostname'],
    });
    expect(answer.message?.length).toBeLessThan(500);
  }
  const accountId = customer.tenantId;
  for (const name of ['n'.repeat(10_000), '', '   ']) {
    const answer = await doingNothing(() => owner.mutate('renameTenant', { accountId, name }));
    expect(answer).toMatchObject({ __typename: 'ValidationFailed', path: ['input', 'name'] });
    expect(answer.message?.length).toBeLessThan(500);
  }
  const long = await doingNothing(() =>
    owner.mutate('renameTenant', { accountId, name: 'fine' }, 'k'.repeat(201)),
  );
  expect(long).toMatchObject({ __typename: 'ValidationFailed', path: ['idempotencyKey'] });
  const empty = await doingNothing(() =>
    owner.mutate('renameTenant', { accountId, name: 'fine' }, ' '),
  );
  expect(empty).toMatchObject({ __typename: 'ValidationFailed', path: ['idempotencyKey'] });
});

test('negative, huge and fractional quantities are refused', async () => {
  const { customer, imageId } = running.seeded;
  const order = { accountId: customer.tenantId, hostname: 'q.example.com', plan: '1000', imageId };
  for (const extraAddresses of [-1, 33, 2_147_483_647]) {
    const answer = await doingNothing(() =>
      owner.mutate('provisionContainer', { ...order, extraAddresses }),
    );
    expect(answer).toMatchObject({
      __typename: 'ValidationFailed',
      path: ['input', 'extraAddresses'],
    });
  }
  const document = `mutation ($input: ProvisionContainerInput!) {
    provisionContainer(idempotencyKey: "q", input: $input) { __typename } }`;
  for (const extraAddresses of [1.5, 1e30, '2']) {
    const { data, errors } = await doingNothing(() =>
      owner.ask(document, { input: { ...order, extraAddresses } }),
    );
    expect(data).toBeNull();
    expect(errors).toHaveLength(1);
    expect(errors[0]?.message).toMatch(/Int/);
  }
  const vector = { containers: 1, cpuMillis: 1, memoryBytes: '1', diskBytes: '1', addresses: 1 };
  const limits = [
    { ...vector, containers: -1 },
    { ...vector, addresses: -5 },
    { ...vector, memoryBytes: '-1' },
    { ...vector, diskBytes: '9'.repeat(40) },
  ];
  for (const limit of limits) {
    const answer = await doingNothing(() =>
      staff.ask(
        `mutation ($input: SetLimitInput!) { done: setLimit(idempotencyKey: "l", input: $input) {
          __typename ... on UserError { message } } }`,
        { input: { accountId: customer.tenantId, limit, reason: 'try' } },
      ),
    );
    // A scalar is refused by the schema, a number by its field.
    if (answer.errors.length === 0) {
      expect(answer.data).toMatchObject({ done: { __typename: 'ValidationFailed' } });
    } else expect(answer.errors[0]?.message).toMatch(/Bytes|bytes/);
  }
  for (const first of [-1, 0, 101, 2_000_000_000]) {
    const { errors } = await owner.ask(
      'query ($n: Int) { containers(first: $n) { edges { cursor } } }',
      {
        n: first,
      },
    );
    expect(errors).toHaveLength(1);
    expect(errors[0]?.message).toMatch(/first/);
  }
});

test('a body of 10 MB is refused with 413 and nothing of it is done, announced or not', async () => {
  const body = JSON.stringify({
    query: viewer,
    variables: { padding: 'x'.repeat(10 * 1024 * 1024) },
  });
  const headers = {
    'content-type': 'application/json',
    authorization: `Bearer ${running.keys.owner}`,
  };
  await doingNothing(async () => {
    for (const sent of [body, new Blob([body]).stream()]) {
      // The server may answer and hang up before all of it was sent.
      const response = await fetch(url, {
        method: 'POST',
        headers,
        body: sent,
        duplex: 'half',
      } as RequestInit);
      expect(response.status).toBe(413);
      expect(await response.text()).toMatch(/larger than \d+ bytes/);
    }
  });
  expect((await owner.ask(viewer)).status).toBe(200);
});

test('bodies that are no request are refused in words, and the server goes on', async () => {
  const headers = {
    'content-type': 'application/json',
    authorization: `Bearer ${running.keys.owner}`,
  };
  for (const body of [
    '',
    '{',
    'null',
    '[]',
    '"x"',
    '{"query": 7}',
    '{"query":"{"}',
    '\u0000\u0001',
  ]) {
    const response = await fetch(url, { method: 'POST', headers, body });
    expect({ body, status: response.status }).toEqual({ body, status: expect.any(Number) });
    expect([200, 400]).toContain(response.status);
    const reply = (await response.json()) as { errors?: { message: string }[] };
    expect(reply.errors?.[0]?.message).toMatch(/\w+/);
    expect(JSON.stringify(reply)).not.toMatch(/node_modules|\.ts:\d/);
  }
  const form = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'text/plain' },
    body: JSON.stringify({ query: viewer }),
  });
  expect(form.status).toBe(415);
  expect((await fetch(`${server.url}/elsewhere`)).status).toBeGreaterThanOrEqual(400);
  expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
  expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
});
