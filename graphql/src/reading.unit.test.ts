/** Reading: one thing, lists, and the walls between tenants. */
import { AccountById, ApiKeys } from '@bivouac/accounts/api';
import { InvoiceById } from '@bivouac/billing/api';
import { ContainerById, ContainerHistory, Containers, Nodes } from '@bivouac/containers/api';
import { formatPosition } from '@bivouac/events/language';
import { deriveId } from '@bivouac/events/values';
import { OperationById } from '@bivouac/provisioning/api';
import { describe, expect, test } from '@jest/globals';

import { codesOf, setUp } from '../test/asking.ts';
import { pageOf } from '../test/services-in-memory.ts';

interface Item {
  readonly cursor: string;
  readonly node: { readonly hostname: string };
}
interface ListOf {
  readonly edges: readonly Item[];
  readonly pageInfo: Readonly<Record<string, unknown>>;
}

describe('one thing', () => {
  test('is answered with what belongs to it, each read once', async () => {
    const { ask, services, containers } = setUp();
    const reply = await ask(
      `query Q($id: ID!) { container(id: $id) {
        id hostname lifecycle limits { diskBytes } addresses { address family }
        operation { id status progress steps { name status } target { id __typename } }
        a: account { name } b: account { name } } }`,
      { variables: { id: containers[0]?.id } },
    );
    expect(reply.errors).toEqual([]);
    expect(reply.data).toMatchObject({
      container: {
        id: containers[0]?.id,
        hostname: 'a0.example.com',
        lifecycle: 'RUNNING',
        limits: { diskBytes: '9007199254740993' },
        addresses: [{ address: '192.0.2.10', family: 'IPV4' }],
        operation: {
          status: 'RUNNING',
          progress: 40,
          steps: [{ name: 'reserve', status: 'DONE' }],
          target: { id: containers[0]?.id, __typename: 'Container' },
        },
        a: { name: 'Alpha' },
        b: { name: 'Alpha' },
      },
    });
    expect(services.of(ContainerById)).toHaveLength(1);
    expect(services.of(OperationById)).toHaveLength(1);
    expect(services.of(AccountById)).toHaveLength(1);
  });

  test('that failed says why, as an error that is data', async () => {
    const { ask, services, operations } = setUp();
    const [operation] = operations;
    if (operation === undefined) throw new Error('no operation');
    services.onQuery(OperationById, () => ({
      ...operation,
      status: 'failed' as const,
      error: {
        code: 'QUOTA_EXCEEDED',
        message: 'The account may have 2 containers.',
        path: ['vector', 'containers'],
        details: { axis: 'containers', limit: '2', used: '2', asked: '1' },
      },
    }));
    const reply = await ask(
      `query Q($id: ID!) { operation(id: $id) { status error { __typename code message
        ... on QuotaExceeded { resource limit used asked } } } }`,
      { variables: { id: operation.id } },
    );
    expect(reply.data).toEqual({
      operation: {
        status: 'FAILED',
        error: {
          __typename: 'QuotaExceeded',
          code: 'QUOTA_EXCEEDED',
          message: 'The account may have 2 containers.',
          resource: 'containers',
          limit: '2',
          used: '2',
          asked: '1',
        },
      },
    });
  });

  test.each([
    ['unknown', deriveId('container', 'nobody')],
    ['foreign', deriveId('container', 'b0.example.com')],
  ])('that is %s is null, by node as by its own field', async (_name, id) => {
    const { ask } = setUp();
    const reply = await ask(
      'query Q($id: ID!) { node(id: $id) { id } container(id: $id) { id } }',
      {
        variables: { id },
      },
    );
    expect(reply.errors).toEqual([]);
    expect(reply.data).toEqual({ node: null, container: null });
  });

  test('is found by node with its own type', async () => {
    const { ask, containers, alpha } = setUp();
    const reply = await ask(
      'query Q($a: ID!, $b: ID!) { a: node(id: $a) { __typename id } b: node(id: $b) { __typename id } }',
      { variables: { a: containers[0]?.id, b: alpha.id } },
    );
    expect(reply.data).toEqual({
      a: { __typename: 'Container', id: containers[0]?.id },
      b: { __typename: 'Account', id: alpha.id },
    });
  });

  test.each([
    'x',
    '',
    'ctr_',
    'ctr_01h455vb4pex5vsknk084sn02',
    'ctr_81h455vb4pex5vsknk084sn02q',
    'CTR_01h455vb4pex5vsknk084sn02q',
    'abc_01h455vb4pex5vsknk084sn02q',
    '__proto___01h455vb4pex5vsknk084sn02q',
  ])('by the malformed id %j is an error that names the argument', async (id) => {
    const { ask, services } = setUp();
    for (const field of ['node', 'container']) {
      const reply = await ask(`query Q($id: ID!) { ${field}(id: $id) { id } }`, {
        variables: { id },
      });
      expect(codesOf(reply)).toEqual(['INVALID_ID']);
      expect(reply.errors[0]?.extensions['argument']).toBe('id');
      expect(reply.errors[0]?.message).toContain('expected an id like');
    }
    expect(services.of(ContainerById)).toEqual([]);
  });

  test('by the id of another kind is an error that says what was expected', async () => {
    const { ask, alpha } = setUp();
    const reply = await ask('query Q($id: ID!) { container(id: $id) { id } }', {
      variables: { id: alpha.id },
    });
    expect(codesOf(reply)).toEqual(['INVALID_ID']);
    expect(reply.errors[0]?.message).toContain('ctr_');
  });
});

describe('a service that answers what its caller does not reach', () => {
  const foreign = deriveId('container', 'b0.example.com');

  test('is not believed: the thing is dropped and the defect logged', async () => {
    const { ask, services, containers, log, beta } = setUp();
    services.onQuery(ContainerById, () => containers.at(-1) ?? null);
    const reply = await ask('query Q($id: ID!) { container(id: $id) { hostname } }', {
      variables: { id: foreign },
    });
    expect(reply.data).toEqual({ container: null });
    expect(log).toMatchObject([
      { level: 'error', facts: { defect: 'foreign-answer', tenantIds: [beta.id] } },
    ]);
  });

  test('is not believed in a list either', async () => {
    const { ask, services, containers, log } = setUp();
    services.onQuery(Containers, ({ page }) => pageOf(containers, page));
    const reply = await ask('{ containers(last: 2) { edges { node { hostname } } } }');
    expect(reply.data).toEqual({
      containers: { edges: [{ node: { hostname: 'a24.example.com' } }] },
    });
    expect(log).toHaveLength(1);
  });

  test('is not believed about invoices, operations and keys', async () => {
    const { ask, services, beta, operations, log } = setUp();
    const money = { amount: '1.00', currency: 'EUR' };
    const source = { stream: 'series-x', revision: '0' };
    services
      .onQuery(InvoiceById, ({ invoiceId }) => ({
        id: invoiceId,
        number: '2026-000001',
        accountId: beta.id,
        issuerId: beta.id,
        month: '2026-04',
        periods: [],
        ratedBy: 'calendar-days.half-up.1' as const,
        total: money,
        subtotals: { plans: money, addresses: money, setup: money },
        lineCount: 1,
        state: 'open' as const,
        paid: { amount: '0.00', currency: 'EUR' },
        open: money,
        dueAt: null,
        dunning: null,
        voided: null,
        issuedAt: '2026-05-01T00:00:00.000Z',
        issued: source,
        closed: source,
        bookedAt: '2026-05-01T00:00:00.000Z',
        position: formatPosition(1n),
        lines: [],
      }))
      .onQuery(OperationById, () => operations.at(-1) ?? null)
      .onQuery(ApiKeys, () => ({
        items: [
          {
            cursor: 'c',
            node: {
              id: deriveId('apiKey', 'x'),
              tenantId: beta.id,
              memberId: deriveId('member', 'x'),
              label: 'x',
              createdAt: '2026-05-01T00:00:00.000Z',
              expiresAt: null,
              revokedAt: null,
              scopes: null,
              rotatedAt: null,
              usedOn: null,
              position: formatPosition(1n),
            },
          },
        ],
        hasNext: false,
        hasPrevious: false,
      }));
    const reply = await ask(
      `query Q($i: ID!, $o: ID!) { invoice(id: $i) { number } operation(id: $o) { id }
        apiKeys { edges { node { id } } } }`,
      { variables: { i: deriveId('invoice', 'x'), o: deriveId('operation', 'x') } },
    );
    expect(reply.data).toEqual({ invoice: null, operation: null, apiKeys: { edges: [] } });
    expect(log).toHaveLength(3);
  });
});

describe('a list', () => {
  const list = async (
    setup: ReturnType<typeof setUp>,
    args: string,
    as = 'Alpha',
  ): Promise<ListOf> => {
    const reply = await setup.ask(
      `{ containers${args} { edges { cursor node { hostname } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`,
      { as },
    );
    expect(reply.errors).toEqual([]);
    return reply.data?.['containers'] as ListOf;
  };
  const names = (of: ListOf): readonly string[] =>
    of.edges.map((edge) => edge.node.hostname.replace('.example.com', ''));

  test('has twenty items unless told, and its second page the rest', async () => {
    const setup = setUp();
    const first = await list(setup, '');
    expect(names(first)).toHaveLength(20);
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    const second = await list(setup, `(after: "${String(first.pageInfo['endCursor'])}")`);
    expect(names(second)).toEqual(['a20', 'a21', 'a22', 'a23', 'a24']);
    expect(second.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
  });

  test('goes backwards in the same order', async () => {
    const setup = setUp();
    const last = await list(setup, '(last: 3)');
    expect(names(last)).toEqual(['a22', 'a23', 'a24']);
    expect(last.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    const before = await list(setup, `(last: 2, before: "${last.edges[0]?.cursor}")`);
    expect(names(before)).toEqual(['a20', 'a21']);
    expect(before.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
  });

  test('that is empty has no cursors', async () => {
    const setup = setUp();
    const none = await list(setup, `(accountId: "${deriveId('tenant', 'nobody')}")`);
    expect(none.edges).toEqual([]);
    expect(none.pageInfo).toEqual({
      hasNextPage: false,
      hasPreviousPage: false,
      startCursor: null,
      endCursor: null,
    });
  });

  test('shows each tenant its own, and the staff all', async () => {
    const setup = setUp();
    expect(names(await list(setup, '(first: 100)', 'Alpha'))).toHaveLength(25);
    expect(names(await list(setup, '', 'Beta'))).toEqual(['b0']);
    expect(names(await list(setup, '(first: 100)', 'Provider'))).toHaveLength(26);
  });

  test.each([
    ['first: 0', 'first'],
    ['first: -1', 'first'],
    ['first: 101', 'first'],
    ['last: 0', 'last'],
    ['last: 2147483647', 'last'],
    ['first: 1, last: 1', 'last'],
    ['after: ""', 'after'],
    [`before: "${'x'.repeat(501)}"`, 'before'],
  ])('asked for with %s is refused, naming %s', async (args, argument) => {
    const { ask, services } = setUp();
    const reply = await ask(`{ containers(${args}) { edges { cursor } } }`);
    expect(codesOf(reply)).toEqual(['INVALID_ARGUMENT']);
    expect(reply.errors[0]?.extensions['argument']).toBe(argument);
    expect(services.of(Containers)).toEqual([]);
  });

  test('of the staff is forbidden to others', async () => {
    const { ask, services } = setUp();
    services.onQuery(Nodes, () => ({ items: [], hasNext: false, hasPrevious: false }));
    expect(codesOf(await ask('{ nodes { edges { cursor } } }'))).toEqual(['FORBIDDEN']);
    const staff = await ask('{ nodes { edges { cursor } } }', { as: 'Provider' });
    expect(staff.data).toEqual({ nodes: { edges: [] } });
  });
});

describe('a history', () => {
  const events = Array.from({ length: 5 }, (_, i) => ({
    cursor: String(i + 7),
    eventId: `e${i}`,
    type: 'containers.ContainerRenamed',
    time: '2026-04-10T09:00:00.000Z',
    actorId: 'key_x',
    data: { hostname: `h${i}` },
  }));

  const setUpWithHistory = () => {
    const setup = setUp();
    // As the host pages streams: from the end, the newest comes first.
    setup.services.onQuery(ContainerHistory, ({ page }) => {
      const { after, before, limit, reverse } = page;
      const inside = events.filter(
        ({ cursor }) =>
          (after === undefined || Number(cursor) > Number(after)) &&
          (before === undefined || Number(cursor) < Number(before)),
      );
      const read = reverse ? [...inside].reverse() : inside;
      return { items: read.slice(0, limit), end: read.length <= limit };
    });
    const read = async (args: string): Promise<ListOf & { edges: { node: { id: string } }[] }> => {
      const reply = await setup.ask(
        `query Q($id: ID!) { container(id: $id) { history(${args}) {
          edges { cursor node { id type actor data } }
          pageInfo { hasNextPage hasPreviousPage } } } }`,
        { variables: { id: setup.containers[0]?.id } },
      );
      expect(reply.errors).toEqual([]);
      const container = reply.data?.['container'] as { history: never };
      return container.history;
    };
    return { ...setup, read };
  };
  const idsOf = (page: { edges: { node: { id: string } }[] }): readonly string[] =>
    page.edges.map((edge) => edge.node.id);

  test('pages forwards and backwards, oldest first both ways', async () => {
    const { read } = setUpWithHistory();
    const first = await read('first: 2');
    expect([idsOf(first), first.pageInfo]).toEqual([
      ['e0', 'e1'],
      { hasNextPage: true, hasPreviousPage: false },
    ]);
    const next = await read('first: 9, after: "8"');
    expect([idsOf(next), next.pageInfo]).toEqual([
      ['e2', 'e3', 'e4'],
      { hasNextPage: false, hasPreviousPage: true },
    ]);
    const last = await read('last: 2');
    expect([idsOf(last), last.pageInfo]).toEqual([
      ['e3', 'e4'],
      { hasNextPage: false, hasPreviousPage: true },
    ]);
    const before = await read('last: 9, before: "10"');
    expect([idsOf(before), before.pageInfo]).toEqual([
      ['e0', 'e1', 'e2'],
      { hasNextPage: true, hasPreviousPage: false },
    ]);
  });

  test('shows what the service let through, as it is', async () => {
    const { read } = setUpWithHistory();
    const page = await read('first: 1');
    expect(page.edges[0]?.node).toEqual({
      id: 'e0',
      type: 'containers.ContainerRenamed',
      actor: 'key_x',
      data: { hostname: 'h0' },
    });
  });
});

describe('atLeast', () => {
  const [low, high] = [formatPosition(5n), formatPosition(9n)];

  test('as an argument and as a header reaches the services; the later one counts', async () => {
    const { ask, services, containers } = setUp();
    await ask('query Q($id: ID!, $p: Position) { container(id: $id, atLeast: $p) { id } }', {
      variables: { id: containers[0]?.id, p: high },
      headers: { 'x-bivouac-at-least': low },
    });
    expect(services.of(ContainerById)[0]?.atLeast).toBe(high);
  });

  test('counts for everything that is read for the field', async () => {
    const { ask, services, containers } = setUp();
    await ask(
      'query Q($id: ID!, $p: Position) { container(id: $id, atLeast: $p) { operation { id } } }',
      { variables: { id: containers[0]?.id, p: high } },
    );
    expect(services.of(OperationById)[0]?.atLeast).toBe(high);
  });
});
