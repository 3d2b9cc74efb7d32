/**
 * A list over HTTP: a page of a hundred containers of a tenant that has ten thousand. They are copies
 * of some that were really ordered. The limit is bare Yoga answering a constant of the same size.
 */
import { newKey, startEmbedded } from '@bivouac/all';
import { listen } from '@bivouac/infra/process';
import { createLogger, systemClock } from '@bivouac/infra/runtime';
import { openEmbeddedStore } from '@bivouac/infra/event-store';
import { parsePosition } from '@bivouac/events/language';
import { z } from 'zod';

import { CopiedLog } from './copied-log.ts';
import { type BenchPart, type Figure, progress } from './figure.ts';
import { againstYoga, type Gateway } from './graphql.ts';
import { configOf, Orders, orderWorld, type OrderWorld } from './orders.ts';

const CONTAINERS = 10_000;
const ORDERED = 20;
const PAGE = 100;
/** Requests of one side of a pair, and of warming up before the first. */
const QUERIES = 300;
const WARM_UP = 1000;

const QUERY = `query ($after: String) {
  containers(first: ${PAGE}, after: $after) {
    edges { cursor node { id hostname lifecycle createdAt addresses { address } } }
    pageInfo { hasNextPage endCursor }
  }
}`;

/** `query.list`; takes about a minute. */
export const listBenchmarks: BenchPart = { names: ['query.list'], run };

async function run(): Promise<Record<string, Figure>> {
  const world = await orderWorld();
  try {
    const orders = new Orders(world);
    for (let i = 0; i < ORDERED; i++) await orders.orderFor(world.seeded.customer);
    await world.installation.host.settled();
    orders.close();
    await world.stop();
    await multiply(world.folder);
    return { 'query.list': await listed(world) };
  } finally {
    await world.close();
  }
}

/** Copies the containers, and nothing else of their orders, until there are so many. */
async function multiply(folder: string): Promise<void> {
  const isOwn = (id: string): boolean => id.startsWith('ctr_') || id.includes('-');
  const log = new CopiedLog(folder, {
    stream: (stream) => stream.startsWith('container-'),
    id: isOwn,
  });
  const store = await openEmbeddedStore({ folder });
  const before = Number(parsePosition((await store.head()).position ?? '0'.repeat(20)));
  let each = 0;
  for (let end = false, after: string | undefined; !end;) {
    const page = await store.readAll(after === undefined ? {} : { after });
    each += page.events.filter(({ stream }) => stream.startsWith('container-')).length;
    after = page.events.at(-1)?.position;
    ({ end } = page);
  }
  await store.close();
  await log.extendTo(before + each * (CONTAINERS / ORDERED - 1));
}

async function listed({ folder, seeded }: OrderWorld): Promise<Figure> {
  const installation = await startEmbedded({
    config: configOf(folder),
    clock: systemClock,
    logger: createLogger('error', process.stderr),
    onFailure: (error) => {
      console.error(error);
      process.exit(1);
    },
  });
  const { host, gateway } = installation;
  const server = await listen({
    host: '127.0.0.1',
    port: 0,
    ready: () => host.ready(),
    handle: (request, response) => gateway.handle(request, response),
  });
  try {
    const key = await newKey(host, seeded.customer, seeded.ownerMemberId, 'bench', 'bench');
    await host.settled();
    const ours = { url: `${server.url}/graphql`, authorization: `Bearer ${key}` };
    const starts = await startsOf(ours);
    progress(`${starts.length} pages of ${PAGE}`);
    let asked = 0;
    return await againstYoga(
      ours,
      QUERIES,
      '{"query":"{ it }"}',
      // Full pages alone: answers are of one size.
      () => JSON.stringify({ query: QUERY, variables: { after: starts[asked++ % starts.length] } }),
      WARM_UP,
    );
  } finally {
    await server.stop(1000);
    await installation.stop(10_000);
  }
}

const PageSchema = z.object({
  data: z.object({
    containers: z.object({
      edges: z.array(z.unknown()),
      pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string() }),
    }),
  }),
});

/** Reads all pages; answers the cursors that full ones lie behind. */
async function startsOf(ours: Gateway): Promise<string[]> {
  const starts: string[] = [];
  let after: string | null = null;
  let count = 0;
  for (;;) {
    const response: Response = await fetch(ours.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: ours.authorization },
      body: JSON.stringify({ query: QUERY, variables: { after } }),
    });
    const { data } = PageSchema.parse(await response.json());
    const { edges, pageInfo } = data.containers;
    count += edges.length;
    if (after !== null && edges.length === PAGE) starts.push(after);
    if (!pageInfo.hasNextPage) break;
    after = pageInfo.endCursor;
  }
  if (count < CONTAINERS) throw new Error(`only ${count} containers are listed`);
  return starts;
}
