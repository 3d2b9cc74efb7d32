/**
 * The gateway over HTTP: a container read with its addresses and its operation, and a container given
 * another name, durably. The limit is bare Yoga, as fast as it can be made, answering a constant of
 * the same size (limits/bare-yoga.ts); both over as many connections, by the same load generator.
 */
import type { ChildProcess } from 'node:child_process';
import { newKey } from '@bivouac/all';
import { listen } from '@bivouac/infra/process';
import { parsePosition } from '@bivouac/events/language';
import { systemPrincipal } from '@bivouac/infra/runtime';
import { OperationById } from '@bivouac/provisioning/api';
import { z } from 'zod';

import { firstLine, startChild } from './children.ts';
import { type BenchPart, type Figure, pairsOf, progress } from './figure.ts';
import { Orders, orderWorld, type OrderWorld } from './orders.ts';

/** Requests of one side of a pair, of warming up before the first, and the connections they share. */
const QUERIES = 4000;
const MUTATIONS = 4000;
const WARM_UP = 12_000;
const CONNECTIONS = 64;
/** Containers that are renamed in turn: one stream each. */
const CONTAINERS = 20;

const QUERY = `query ($container: ID!, $operation: ID!) {
  container(id: $container) {
    id hostname lifecycle generation createdAt
    addresses { address } holds { id kind } observed { state } image { id name }
  }
  operation(id: $operation) { id kind status progress steps { name attempt status } }
}`;
const MUTATION = `mutation ($key: String!, $input: RenameContainerInput!) {
  renameContainer(idempotencyKey: $key, input: $input) {
    __typename
    ... on ContainerRenamed { containerId position }
    ... on UserError { code message }
  }
}`;

/** `graphql.query` and `graphql.mutation`; takes about a minute. */
export const graphqlBenchmarks: BenchPart = {
  names: ['graphql.query', 'graphql.mutation'],
  run,
};

interface Ordered {
  readonly containerId: string;
  readonly operationId: string;
}

async function run(): Promise<Record<string, Figure>> {
  const world = await orderWorld();
  const orders = new Orders(world);
  const { host, gateway } = world.installation;
  const server = await listen({
    host: '127.0.0.1',
    port: 0,
    ready: () => host.ready(),
    handle: (request, response) => gateway.handle(request, response),
  });
  try {
    const ordered: Ordered[] = [];
    for (let i = 0; i < CONTAINERS; i++) ordered.push(await order(world, orders));
    await host.settled();
    const { seeded } = world;
    const key = await newKey(host, seeded.customer, seeded.ownerMemberId, 'bench', 'bench');
    await host.settled();
    const ours = { url: `${server.url}/graphql`, authorization: `Bearer ${key}` };
    return {
      'graphql.query': await query(ours, ordered),
      'graphql.mutation': await mutation(ours, ordered, world),
    };
  } finally {
    orders.close();
    await server.stop(1000);
    await world.close();
  }
}

async function order(world: OrderWorld, orders: Orders): Promise<Ordered> {
  const { customer } = world.seeded;
  const { operationId } = await orders.orderFor(customer);
  await world.installation.host.settled();
  const reply = await world.installation.host.query(
    OperationById,
    { operationId },
    { principal: systemPrincipal('system:bench', customer.tenantId, customer.homeId) },
  );
  if (!reply.ok) throw new Error(reply.refusal.message);
  if (reply.result === null) throw new Error('the order is not in the read model');
  return { operationId, containerId: reply.result.target.id };
}

export interface Gateway {
  readonly url: string;
  readonly authorization: string;
}

async function query(ours: Gateway, ordered: readonly Ordered[]): Promise<Figure> {
  const [first] = ordered;
  const body = JSON.stringify({
    query: QUERY,
    variables: { container: first?.containerId, operation: first?.operationId },
  });
  return againstYoga(ours, QUERIES, '{"query":"{ it }"}', () => body);
}

async function mutation(
  ours: Gateway,
  ordered: readonly Ordered[],
  { installation }: OrderWorld,
): Promise<Figure> {
  const head = async (): Promise<bigint> =>
    parsePosition((await installation.store.head()).position ?? '0'.repeat(20));
  let rounds = 0;
  let answered = 0;
  const before = await head();
  const figure = await againstYoga(ours, MUTATIONS, '{"query":"mutation { it }"}', (count) => {
    const round = rounds++;
    answered += count;
    const container = ordered[round % ordered.length]?.containerId;
    return JSON.stringify({
      query: MUTATION,
      variables: {
        key: `rename-${round}-{n}`,
        input: { containerId: container, hostname: `c${round}-{n}.example.com` },
      },
    });
  });
  // A rename is one event at least.
  const written = (await head()) - before;
  if (written < answered)
    throw new Error(`${answered} renames were answered, ${written} events are in the log`);
  return figure;
}

/** Requests a second of ours and of bare Yoga, whose constant is as long as our answer. */
export async function againstYoga(
  ours: Gateway,
  amount: number,
  bareBody: string,
  ourBody: (count: number) => string,
  warmUp = WARM_UP,
): Promise<Figure> {
  const ask = (count: number): Promise<Outcome> =>
    load(ours.url, count, { authorization: ours.authorization }, ourBody(count));
  const { bytes } = await ask(CONNECTIONS);
  progress(`an answer has ${bytes} bytes`);
  const bare = await startYoga(bytes - '{"data":{"it":""}}'.length);
  try {
    const perSecond = ({ answered, seconds }: Outcome): number => answered / seconds;
    const askBare = async (count: number): Promise<Outcome> => {
      const outcome = await load(bare.url, count, {}, bareBody);
      if (outcome.bytes !== bytes) throw new Error('the limit answers another size');
      return outcome;
    };
    // Both are compiled to the full before they are measured.
    await ask(warmUp);
    await askBare(warmUp);
    return await pairsOf(
      'requests/s',
      async () => perSecond(await ask(amount)),
      async () => perSecond(await askBare(amount)),
    );
  } finally {
    bare.child.kill();
  }
}

const OutcomeSchema = z.object({
  answered: z.number(),
  wrong: z.number(),
  bytes: z.number(),
  seconds: z.number(),
});
type Outcome = z.output<typeof OutcomeSchema>;

async function load(
  url: string,
  amount: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<Outcome> {
  const plan = JSON.stringify({ url, amount, connections: CONNECTIONS, headers, body });
  const child = startChild('load.js', plan);
  const outcome = OutcomeSchema.parse(JSON.parse(await firstLine(child)));
  if (outcome.wrong > 0) throw new Error(`${outcome.wrong} of ${amount} requests failed`);
  return outcome;
}

async function startYoga(length: number): Promise<{ url: string; child: ChildProcess }> {
  const child = startChild('limits/bare-yoga.ts', String(length));
  return { url: `http://127.0.0.1:${await firstLine(child)}/graphql`, child };
}
