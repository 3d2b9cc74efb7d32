// The trail over GraphQL: complete for the staff, who leave a trace; the own tree for a customer.
import { afterAll, expect, test } from '@jest/globals';
import { z } from 'zod';

import { closeAll, open } from './installation.ts';

afterAll(closeAll);

const TrailSchema = z.object({
  auditEvents: z.object({
    edges: z.array(
      z.object({
        cursor: z.string(),
        node: z.object({
          position: z.string(),
          type: z.string(),
          accountId: z.string(),
          data: z.record(z.string(), z.unknown()),
        }),
      }),
    ),
    pageInfo: z.object({ hasNextPage: z.boolean(), hasPreviousPage: z.boolean() }),
  }),
});

const trail = `query ($filter: AuditFilter, $reason: String, $first: Int, $after: String, $last: Int) {
  auditEvents(filter: $filter, reason: $reason, first: $first, after: $after, last: $last) {
    edges { cursor node { position type accountId data } }
    pageInfo { hasNextPage hasPreviousPage } } }`;

test("an order's whole history is on the trail, for each as far as they reach", async () => {
  const running = await open();
  const { staff, owner, seeded } = running;
  const containerId = await running.running();
  const looked = { filter: { object: containerId }, reason: 'ticket 4711', first: 100 };

  const seen = (await staff.read(TrailSchema, trail, looked)).auditEvents.edges;
  const types = seen.map(({ node }) => node.type);
  expect(types).toEqual(expect.arrayContaining(['containers.ContainerRunning']));
  const positions = seen.map(({ node }) => node.position);
  expect(positions).toEqual([...positions].sort());

  const own = (await owner.read(TrailSchema, trail, { filter: {}, first: 100 })).auditEvents.edges;
  expect(own.length).toBeGreaterThan(3);
  const { tenantId } = seeded.customer;
  expect(own.filter(({ node }) => node.accountId !== tenantId)).toEqual([]);

  // The staff's questions are on it, with why; the owner's are not.
  const accesses = { filter: { types: ['audit.AccessRecorded'] }, last: 10 };
  const asked = (await staff.read(TrailSchema, trail, accesses)).auditEvents.edges;
  expect(asked.map(({ node }) => node.data)).toMatchObject([
    { what: { object: containerId }, reason: 'ticket 4711', audience: 'staff' },
    { what: { types: ['audit.AccessRecorded'] }, audience: 'staff' },
  ]);
  const hidden = await owner.read(TrailSchema, trail, { ...accesses, last: 10 });
  expect(hidden.auditEvents.edges).toEqual([]);

  // Page by page it is the same list.
  const paged: string[] = [];
  for (let after: string | undefined; ;) {
    const { edges, pageInfo } = (
      await staff.read(TrailSchema, trail, {
        filter: looked.filter,
        first: 2,
        ...(after !== undefined && { after }),
      })
    ).auditEvents;
    paged.push(...edges.map(({ node }) => node.position));
    after = edges.at(-1)?.cursor;
    if (!pageInfo.hasNextPage) break;
  }
  expect(paged).toEqual(positions);
});
