// What is counted of requests, subscriptions, commits and nodes is what happened, to the one.
import { afterEach, expect, test } from '@jest/globals';

import { agentInstead } from '../alarms/agent-instead.ts';
import { type Alarmed, alarmed } from '../alarms/alarmed.ts';

import { events, serve } from './event-stream.ts';
import { closeAll } from './installation.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await closeAll();
});
const atEnd = (end: () => unknown): void => void ends.push(end);

async function value({ metrics }: Alarmed, series: string): Promise<number> {
  const lines = (await metrics.scrape()).text.split('\n');
  const line = lines.find((one) => one.startsWith(`bivouac_${series} `));
  return Number(line?.slice(line.lastIndexOf(' ') + 1));
}

/** Looks again and again: a socket says by and by that it was closed. */
async function until(on: Alarmed, series: string, wanted: number): Promise<void> {
  while ((await value(on, series)) !== wanted) await new Promise((r) => setImmediate(r));
}

test('a request counts once by how it ended, and is timed once; subscriptions are counted while they are open', async () => {
  const on = await alarmed({ atEnd });
  const { staff, keys } = on.running;
  const counted = async () => ({
    done: await value(on, 'graphql_requests_total{outcome="done"}'),
    refused: await value(on, 'graphql_requests_total{outcome="refused"}'),
    failed: await value(on, 'graphql_requests_total{outcome="failed"}'),
    timed: await value(on, 'graphql_seconds_count'),
  });
  const before = await counted();
  await staff.ask('{ accounts(first: 1) { edges { node { id } } } }');
  await staff.ask('{ accounts(first: 1) { edges { node { id } } } }');
  // What is wrong with a request is its caller's.
  expect(
    (await staff.ask('{ accounts(first: -1) { edges { node { id } } } }')).errors,
  ).toHaveLength(1);
  expect(await counted()).toEqual({
    ...{ done: before.done + 2, refused: before.refused + 1, failed: before.failed },
    timed: before.timed + 3,
  });

  const id = await on.running.running();
  const { server, url } = await serve(on.running);
  atEnd(() => new Promise((resolve) => server.close(resolve)));
  expect(await value(on, 'subscriptions_open')).toBe(0);
  const query = 'subscription ($id: ID!) { container(id: $id) { container { id } } }';
  const cuts = [new AbortController(), new AbortController()];
  const streams = cuts.map((cut) =>
    events({ url, key: keys.staff, query, variables: { id } }, cut),
  );
  for (const stream of streams) await stream.next();
  expect(await value(on, 'subscriptions_open')).toBe(2);
  for (const [i, left] of [1, 0].entries()) {
    cuts[i]?.abort();
    await until(on, 'subscriptions_open', left);
  }
});

test('what a read model went past is what was appended, and it commits that once for 200 ms', async () => {
  const on = await alarmed({ atEnd });
  const { installation, clock, seeded, staff } = on.running;
  const { host, store } = installation;
  const counted = async () => ({
    commits: await value(on, 'commits_total{service="accounts"}'),
    passed: await value(on, 'follower_events_total{follower="accounts"}'),
  });
  const pass = async (milliseconds: number): Promise<void> => {
    clock.advance(milliseconds);
    await new Promise((resolve) => setImmediate(resolve));
    await host.settled();
  };
  await pass(200);
  const before = await counted();
  const { position: head } = await store.head();
  for (const kind of ['ABUSE', 'BILLING']) {
    const input = { accountId: seeded.customer.tenantId, kind, reason: 'a test' };
    expect(await staff.mutate('placeHold', input)).toMatchObject({ __typename: 'HoldPlaced' });
  }
  await host.settled();
  const { events: appended } = await store.readAll({ ...(head !== null && { after: head }) });
  const passed = before.passed + appended.length;
  expect(await counted()).toEqual({ commits: before.commits, passed });
  await pass(199);
  expect(await counted()).toEqual({ commits: before.commits, passed });
  await pass(1);
  expect((await counted()).commits).toBe(before.commits + 1);
});

test('what a node has not answered is counted while its agent is away, and done when it is back', async () => {
  const on = await alarmed({ atEnd, settings: { AGENT_LISTEN: '0' } });
  const agent = await agentInstead(on.running);
  await agent.stop();
  expect(await value(on, 'instructions_unanswered')).toBe(0);
  const order = await on.running.order();
  await on.running.whenStep(order, 'build');
  await until(on, 'instructions_unanswered', 1);
  expect(await value(on, 'operations{kind="provision",state="running"}')).toBe(1);
  on.running.clock.advance(30_000);
  expect(await value(on, 'operation_oldest_seconds{kind="provision",state="running"}')).toBe(30);

  const back = await agentInstead(on.running);
  atEnd(() => back.stop());
  expect(await on.running.end(order)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await value(on, 'instructions_unanswered')).toBe(0);
  expect(await value(on, 'operations{kind="provision",state="running"}')).toBeNaN();
});
