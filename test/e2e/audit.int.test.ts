// The trail over GraphQL: complete for the staff, the own tree for a customer; whoever asks is on it.
import { afterAll, expect, test } from '@jest/globals';
import { z } from 'zod';

import type { Client } from './client.ts';
import { closeAll, open } from './installation.ts';

afterAll(closeAll);

const TrailSchema = z.object({
  auditEvents: z.object({
    edges: z.array(
      z.object({
        cursor: z.string(),
        node: z.object({
          position: z.string(),
          stream: z.string(),
          type: z.string(),
          actor: z.string(),
          accountId: z.string(),
          data: z.record(z.string(), z.unknown()).nullable(),
        }),
      }),
    ),
    pageInfo: z.object({
      hasNextPage: z.boolean(),
      hasPreviousPage: z.boolean(),
      startCursor: z.string().nullable(),
      endCursor: z.string().nullable(),
    }),
  }),
});

const document = `query ($filter: AuditFilter, $first: Int, $after: String, $last: Int, $before: String) {
  auditEvents(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { position stream type actor accountId data } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;

async function trail(client: Client, variables: Record<string, unknown>) {
  const { auditEvents } = await client.read(TrailSchema, document, variables);
  return { ...auditEvents, nodes: auditEvents.edges.map(({ node }) => node) };
}

test('what an order did is on the trail, for each as far as they reach, and so is who asked', async () => {
  const running = await open();
  const { staff, owner, seeded } = running;
  const accepted = await running.order();
  const containerId = (await running.end(accepted)).targetId;
  const looked = { filter: { object: containerId }, first: 100 };

  const seen = (await trail(staff, looked)).nodes;
  expect(seen.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['containers.ContainerRunning']),
  );
  const positions = seen.map(({ position }) => position);
  expect(positions).toEqual([...positions].sort());

  // An operation's history has the answers to its asks.
  const ofOrder = await trail(staff, { filter: { object: accepted.operationId }, first: 100 });
  const kinds = new Set(ofOrder.nodes.map(({ stream }) => stream.split('-')[0]));
  expect([...kinds].sort()).toEqual(['answer', 'operation']);

  const { tenantId } = seeded.customer;
  const own = (await trail(owner, { first: 100 })).nodes;
  expect(own.length).toBeGreaterThan(30);
  expect(own.filter(({ accountId }) => accountId !== tenantId)).toEqual([]);
  const theirs = await trail(staff, { filter: { accountId: tenantId }, first: 100 });
  expect(theirs.nodes.map(({ position }) => position)).toEqual(
    expect.arrayContaining(own.map(({ position }) => position)),
  );

  // By the key that ordered: that order, and what it asked.
  const key = own.find(({ type }) => type === 'provisioning.OperationStarted')?.actor;
  const byKey = (await trail(staff, { filter: { actor: key }, first: 100 })).nodes;
  expect(byKey.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['audit.TrailRead', 'provisioning.OperationStarted']),
  );
  expect(byKey.filter(({ actor }) => actor !== key)).toEqual([]);

  const reads = { filter: { types: ['audit.TrailRead'] }, last: 100 };
  const asked = (await trail(staff, reads)).nodes;
  expect(asked.map(({ data }) => data)).toMatchObject([
    { question: { object: containerId }, audience: 'staff' },
    { question: { object: accepted.operationId }, audience: 'staff' },
    { question: {}, audience: 'customer' },
    { question: { accountId: tenantId }, audience: 'staff' },
    { question: { actor: key }, audience: 'staff' },
  ]);
  // The staff's are no affair of the customer.
  expect((await trail(owner, reads)).nodes).toHaveLength(1);
});

test('page by page the trail is the same list in both directions', async () => {
  const running = await open();
  const { staff } = running;
  const containerId = await running.running();
  const upToPosition = (await trail(staff, { last: 1 })).nodes[0]?.position;
  const filter = { object: containerId, upToPosition };
  const all = (await trail(staff, { filter, first: 100 })).nodes.map(({ position }) => position);
  expect(all.length).toBeGreaterThan(4);
  const forwards: string[] = [];
  for (let after: string | null = null; ;) {
    const { nodes, pageInfo } = await trail(staff, { filter, first: 2, after });
    forwards.push(...nodes.map(({ position }) => position));
    after = pageInfo.endCursor;
    if (!pageInfo.hasNextPage) break;
  }
  expect(forwards).toEqual(all);
  const backwards: string[] = [];
  for (let before: string | null = null; ;) {
    const { nodes, pageInfo } = await trail(staff, { filter, last: 3, before });
    backwards.unshift(...nodes.map(({ position }) => position));
    before = pageInfo.startCursor;
    if (!pageInfo.hasPreviousPage) break;
  }
  expect(backwards).toEqual(all);
});

test('what cannot be asked is refused by name; what cannot be recorded is not answered', async () => {
  const running = await open();
  const { staff, installation } = running;
  const refused = await staff.ask(document, { filter: { types: ['containers.Nothing'] } });
  expect(refused.errors).toMatchObject([{ code: 'INVALID_ARGUMENT' }]);
  expect(refused.errors[0]?.message).toContain('containers.Nothing is no type of event');

  const { store } = installation;
  const { position: before } = await store.head();
  const append = store.append.bind(store);
  store.append = (stream, expected, events) =>
    stream.startsWith('trailread-')
      ? Promise.reject(Object.assign(new Error('full'), { code: 'unavailable' }))
      : append(stream, expected, events);
  const unanswered = await staff.ask(document, {});
  expect(unanswered.data).toBeNull();
  expect(unanswered.errors).toHaveLength(1);
  store.append = append;
  // What the gateway notes by itself, e.g. that a key was used, may have come meanwhile.
  const since = await store.readAll(before === null ? {} : { after: before });
  expect(since.events.filter(({ stream }) => stream.startsWith('trailread-'))).toEqual([]);
  expect((await trail(staff, { first: 1 })).nodes).toHaveLength(1);
});
