/** What containers use: counted by the agent, rolled up by the hour, shown to whom it concerns. */
import { afterEach, expect, test } from '@jest/globals';
import { z } from 'zod';

import type { Client } from './client.ts';
import { closeAll, open, type Running } from './installation.ts';

afterEach(closeAll);

const HOUR = 3_600_000;

const UsageSchema = z.array(
  z.object({
    start: z.string(),
    cpuNanos: z.string().transform(BigInt),
    receivedBytes: z.string().transform(BigInt),
    gapSeconds: z.number(),
    diskBytes: z.string().nullable(),
  }),
);

const fields = 'start cpuNanos receivedBytes gapSeconds diskBytes';
async function usageOf(
  running: Running,
  of: { readonly container: string } | { readonly account: string },
  resolution: 'HOUR' | 'DAY',
  client: Client = running.owner,
): Promise<z.output<typeof UsageSchema> | null> {
  const kind = 'container' in of ? 'container' : 'account';
  const now = running.clock.now();
  const { found } = await client.read(
    z.object({ found: z.object({ usage: UsageSchema }).nullable() }),
    `query ($id: ID!, $from: DateTime!, $to: DateTime!) { found: ${kind}(id: $id) {
      usage(from: $from, to: $to, resolution: ${resolution}) { ${fields} } } }`,
    {
      id: 'container' in of ? of.container : of.account,
      from: new Date(now - 30 * 24 * HOUR).toISOString(),
      to: new Date(now + 24 * HOUR).toISOString(),
    },
  );
  return found?.usage ?? null;
}

/** Looks now and whenever the read models have moved. */
async function until<T>(running: Running, look: () => Promise<T | undefined>): Promise<T> {
  let moved: () => void = () => undefined;
  const stop = running.installation.host.follower.onApplied(() => {
    moved();
  });
  try {
    for (;;) {
      const next = new Promise<void>((resolve) => {
        moved = resolve;
      });
      const found = await look();
      if (found !== undefined) return found;
      await next;
    }
  } finally {
    stop();
  }
}

/** Lets hours pass, each once the one before it has been rolled up. */
async function pass(running: Running, container: string, hours: number): Promise<void> {
  const count = async (): Promise<number> =>
    (await usageOf(running, { container }, 'HOUR'))?.length ?? 0;
  for (let n = 0; n < hours; n++) {
    const before = await count();
    running.clock.advance(HOUR);
    await until(running, async () => ((await count()) > before ? true : undefined));
  }
}

/** The events of a stream, by type. */
async function eventsOf(running: Running, home: string): Promise<readonly string[]> {
  const { store } = running.installation;
  const types: string[] = [];
  for (let after: Parameters<typeof store.readAll>[0] = {}; ;) {
    const page = await store.readAll(after);
    for (const { stream, type } of page.events)
      if (stream.startsWith(`usage-${home}`)) types.push(type);
    const last = page.events.at(-1);
    if (page.end || last === undefined) return types;
    after = { after: last.position };
  }
}

test('a container’s hours and days are rolled up, added up over the tree, and seen by whom they concern', async () => {
  const running = await open();
  const { tenantId } = running.seeded.customer;
  const container = await running.running();
  await pass(running, container, 3);
  const hours = (await usageOf(running, { container }, 'HOUR')) ?? [];
  expect(hours.map(({ start }) => start)).toEqual([...new Set(hours.map(({ start }) => start))]);
  const total = hours.reduce((sum, { cpuNanos }) => sum + cpuNanos, 0n);
  expect(total).toBeGreaterThan(0n);
  const days = (await usageOf(running, { container }, 'DAY')) ?? [];
  expect(days.reduce((sum, { cpuNanos }) => sum + cpuNanos, 0n)).toBe(total);
  expect(days.at(-1)?.diskBytes).toMatch(/^[1-9]/);

  const second = await running.running({ hostname: 'web2.example.com' });
  await pass(running, second, 2);
  const both = await Promise.all(
    [container, second].map((id) => usageOf(running, { container: id }, 'HOUR')),
  );
  const sum = both.flat().reduce((all, usage) => all + (usage?.receivedBytes ?? 0n), 0n);
  const account = (await usageOf(running, { account: tenantId }, 'HOUR')) ?? [];
  expect(account.reduce((all, { receivedBytes }) => all + receivedBytes, 0n)).toBe(sum);

  const stranger = await running.anotherCustomer('stranger');
  expect(await usageOf(running, { container }, 'HOUR', stranger.client)).toBeNull();
  expect(await usageOf(running, { account: tenantId }, 'HOUR', stranger.client)).toBeNull();
  expect(await usageOf(running, { account: stranger.id }, 'HOUR', stranger.client)).toEqual([]);

  // Its one node has reported: each hour is closed, and nothing came after.
  await running.installation.host.settled();
  const types = await eventsOf(running, tenantId);
  const rolledUp = types.filter((type) => type === 'quotas.UsageRolledUp').length;
  expect(types.filter((type) => type === 'quotas.UsageHourClosed')).toHaveLength(rolledUp);
  expect(types).toHaveLength(2 * rolledUp);
});

test('a container that is stopped and started is never charged less than nothing, and the gap is said', async () => {
  const running = await open();
  const container = await running.running();
  await pass(running, container, 1);
  const [before] = (await usageOf(running, { container }, 'DAY')) ?? [];
  for (const name of ['stopContainer', 'startContainer']) {
    const done = await running.owner.mutate(name, { containerId: container });
    expect([name, done.code]).toEqual([name, undefined]);
    await running.quiet();
  }
  await pass(running, container, 2);
  const [after] = (await usageOf(running, { container }, 'DAY')) ?? [];
  expect((after?.cpuNanos ?? 0n) > (before?.cpuNanos ?? 0n)).toBe(true);
});

test('an agent that was away goes on where it was: nothing is counted twice, and no hour is reported again', async () => {
  const running = await open();
  const container = await running.running();
  await pass(running, container, 2);
  const { tenantId } = running.seeded.customer;
  const before = await eventsOf(running, tenantId);
  const counted = await usageOf(running, { container }, 'HOUR');
  const { folder, clock } = running;
  await running.stop();

  const again = await open({ folder, now: clock.now() + 60_000 });
  expect(await usageOf(again, { container }, 'HOUR')).toEqual(counted);
  expect(await eventsOf(again, tenantId)).toEqual(before);
  await pass(again, container, 1);
  expect((await usageOf(again, { container }, 'HOUR'))?.slice(0, counted?.length)).toEqual(counted);
});

test('a range that is too long or ends before it begins is refused by the argument’s name', async () => {
  const running = await open();
  const id = running.seeded.customer.tenantId;
  for (const to of ['2026-03-01T00:00:00.000Z', '2027-05-01T00:00:00.000Z']) {
    const { errors } = await running.owner.ask(
      `query ($id: ID!, $to: DateTime!) { account(id: $id) {
        usage(from: "2026-04-01T00:00:00.000Z", to: $to, resolution: HOUR) { start } } }`,
      { id, to },
    );
    expect(errors).toEqual([
      { code: 'INVALID_ARGUMENT', message: expect.stringMatching(/to.*744/) },
    ]);
  }
});
