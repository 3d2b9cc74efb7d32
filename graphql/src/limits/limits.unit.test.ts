/** What a request may cost, how deep it may go, and what errors look like. */
import { ContainerById, Containers } from '@bivouac/containers/api';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'graphql';
import fc from 'fast-check';

import { codesOf, setUp } from '../../test/asking.ts';
import { refused } from '../../test/services-in-memory.ts';
import { schema } from '../schema.ts';
import { costOf } from './cost.ts';

const cost = (query: string, variables: Record<string, unknown> = {}, operation?: string): number =>
  costOf(schema, parse(query), operation, variables);

describe('cost', () => {
  test('counts each object once and a list as often as its page is long', () => {
    expect(cost('{ viewer { role } }')).toBe(1);
    expect(cost('{ containers { edges { node { id } } } }')).toBe(1 + 20 * 2);
    expect(cost('{ containers(first: 1) { edges { node { id } } } }')).toBe(1 + 2);
    expect(cost('{ containers(first: 100) { edges { node { id } } } }')).toBe(1 + 100 * 2);
    expect(cost('{ containers(last: 7) { edges { node { id } } pageInfo { hasNextPage } } }')).toBe(
      1 + 7 * 2 + 1,
    );
  });

  test('multiplies pages within pages', () => {
    const query = `{ containers(first: 10) { edges { node {
      operations(first: 5) { edges { node { id } } } } } } }`;
    expect(cost(query)).toBe(1 + 10 * (1 + 1 + (1 + 5 * 2)));
  });

  test('takes page lengths from variables and their defaults', () => {
    const query = 'query Q($n: Int = 3) { containers(first: $n) { edges { node { id } } } }';
    expect(cost(query)).toBe(1 + 3 * 2);
    expect(cost(query, { n: 50 })).toBe(1 + 50 * 2);
  });

  test('counts fragments wherever they are spread', () => {
    const query = `
      { a: containers(first: 2) { ...Page } b: containers(first: 4) { ...Page } }
      fragment Page on ContainerConnection { edges { node { ...Item } } }
      fragment Item on Container { account { id } }`;
    expect(cost(query)).toBe(1 + 2 * 3 + (1 + 4 * 3));
  });

  test('is the cost of the operation that runs', () => {
    const query = `query A { viewer { role } } query B { containers { edges { node { id } } } }`;
    expect(cost(query, {}, 'A')).toBe(1);
    expect(cost(query, {}, 'B')).toBe(41);
  });

  test('grows with the page, whatever the page is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99 }), (n) => {
        const at = (first: number): number =>
          cost('query Q($n: Int!) { containers(first: $n) { edges { node { id } } } }', {
            n: first,
          });
        return at(n + 1) === at(n) + 2;
      }),
    );
  });

  test('of fragments that double at each of 60 levels is found at once', () => {
    const levels = Array.from(
      { length: 60 },
      (_, i) => `fragment F${i} on Account { ...F${i + 1} parent { id } ...F${i + 1} }`,
    );
    const query = `{ viewer { account { ...F0 } } } ${levels.join('\n')}
      fragment F60 on Account { parent { id } }`;
    expect(cost(query)).toBeGreaterThan(1e17);
  });

  test('is told with every answer', async () => {
    const { ask } = setUp();
    const reply = await ask('{ containers(first: 3) { edges { node { id } } } }');
    expect(reply.extensions).toEqual({ cost: 7 });
  });

  test('beyond the limit refuses the request before any service is asked', async () => {
    const { ask, services } = setUp({ maxCost: 40 });
    const reply = await ask('{ containers { edges { node { id } } } }');
    expect(codesOf(reply)).toEqual(['COST_LIMIT']);
    expect(reply.errors[0]?.extensions).toMatchObject({ cost: 41, limit: 40 });
    expect(reply.extensions).toEqual({ cost: 41 });
    expect(reply.data).toBeUndefined();
    expect(services.of(Containers)).toEqual([]);
  });

  test('at the limit does not', async () => {
    const { ask } = setUp({ maxCost: 41 });
    expect(codesOf(await ask('{ containers { edges { node { id } } } }'))).toEqual([]);
  });
});

describe('shape', () => {
  test('beyond the depth is refused, also through fragments', async () => {
    const { ask } = setUp({ maxDepth: 4 });
    const fits = '{ containers { edges { node { id } } } }';
    const deep = '{ containers { edges { node { account { id } } } } }';
    const spread = `{ containers { ...P } } fragment P on ContainerConnection { edges { ...E } }
      fragment E on ContainerEdge { node { account { id } } }`;
    expect(codesOf(await ask(fits))).toEqual([]);
    expect(codesOf(await ask(deep))).toEqual(['DEPTH_LIMIT']);
    expect(codesOf(await ask(spread))).toEqual(['DEPTH_LIMIT']);
  });

  test('with too many aliases is refused, also through fragments', async () => {
    const { ask } = setUp({ maxAliases: 4 });
    const four = '{ a: __typename b: __typename c: __typename d: __typename }';
    const spread = `{ a: viewer { ...V } b: viewer { ...V } }
      fragment V on Viewer { c: role d: role }`;
    expect(codesOf(await ask(four))).toEqual([]);
    expect(codesOf(await ask(spread))).toEqual(['ALIAS_LIMIT']);
  });

  test('with too many tokens is refused before it is validated', async () => {
    const { ask } = setUp({ maxTokens: 20 });
    const reply = await ask(`{ viewer { ${'role '.repeat(20)} } }`);
    expect(codesOf(reply)).toEqual(['TOKEN_LIMIT']);
  });

  test('of introspection has a depth limit of its own', async () => {
    const { ask } = setUp();
    const nested = (n: number): string =>
      n === 0 ? 'name' : `fields { type { ${nested(n - 1)} } }`;
    const reply = await ask(`{ __schema { types { ${nested(4)} } } }`);
    expect(codesOf(reply)).toEqual(['GRAPHQL_VALIDATION_FAILED']);
  });

  test('a fragment within itself is an error, not a loop', async () => {
    const { ask } = setUp();
    const reply = await ask(`{ viewer { ...V } } fragment V on Viewer { role ...V }`);
    expect(codesOf(reply)).toEqual(['GRAPHQL_VALIDATION_FAILED']);
  });
});

describe('errors', () => {
  const one = 'query Q($id: ID!) { container(id: $id) { hostname } }';

  test('of the document have codes', async () => {
    const { ask } = setUp();
    expect(codesOf(await ask('{ viewer {'))).toEqual(['GRAPHQL_PARSE_FAILED']);
    expect(codesOf(await ask('{ nothing }'))).toEqual(['GRAPHQL_VALIDATION_FAILED']);
    expect(codesOf(await ask(one))).toEqual(['INVALID_ARGUMENT']);
    expect(
      codesOf(
        await ask('query Q($p: Position) { viewer(atLeast: $p) { role } }', {
          variables: { p: 'x' },
        }),
      ),
    ).toEqual(['INVALID_ARGUMENT']);
  });

  test('that nobody expected are masked, logged, and lead to the log by the request id', async () => {
    const { ask, services, containers, log } = setUp();
    services.onQuery(ContainerById, () => {
      throw new Error('SELECT secret FROM containers');
    });
    const reply = await ask(one, {
      variables: { id: containers[0]?.id },
      headers: { 'x-request-id': 'r-1' },
    });
    expect(codesOf(reply)).toEqual(['INTERNAL']);
    expect(reply.errors[0]?.extensions['requestId']).toBe('r-1');
    expect(reply.errors[0]?.path).toEqual(['container']);
    expect(JSON.stringify(reply)).not.toContain('secret');
    expect(log).toMatchObject([{ level: 'error', facts: { requestId: 'r-1' } }]);
  });

  test('of a service that cannot be reached say so and may be repeated', async () => {
    const { ask, services, containers } = setUp();
    services.onQuery(ContainerById, () => {
      throw Object.assign(new Error('connection refused'), { code: 'unavailable' });
    });
    const reply = await ask(one, { variables: { id: containers[0]?.id } });
    expect(codesOf(reply)).toEqual(['UNAVAILABLE']);
    expect(JSON.stringify(reply)).not.toContain('connection refused');
  });

  test.each([
    ['NOT_YET', 'NOT_YET'],
    ['NOT_ALLOWED', 'FORBIDDEN'],
    ['INVALID_INPUT', 'INVALID_ARGUMENT'],
    ['INVENTORY_MISSING', 'REFUSED'],
  ])('of a query refused with %s have the code %s', async (refusal, code) => {
    const { ask, services, containers } = setUp();
    services.onQuery(ContainerById, () => refused(refusal));
    const reply = await ask(one, { variables: { id: containers[0]?.id } });
    expect(codesOf(reply)).toEqual([code]);
    if (code === 'REFUSED') expect(reply.errors[0]?.extensions['reason']).toBe(refusal);
  });

  test('of a query’s input name the argument as the request has it', async () => {
    const { ask, services } = setUp();
    services.onQuery(Containers, () =>
      refused('INVALID_INPUT', 'The field page.after is not accepted: it is too long.', {
        path: ['page', 'after'],
        details: { problems: [{ path: ['page', 'after'], message: 'it is too long' }] },
      }),
    );
    const reply = await ask('{ containers { edges { cursor } } }');
    expect(reply.errors).toMatchObject([
      {
        message: 'The field after is not accepted: it is too long. Correct it and send it again.',
        extensions: { code: 'INVALID_ARGUMENT', argument: ['after'] },
      },
    ]);
  });
});
