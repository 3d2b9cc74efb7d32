/** Another plan for a running container: quota, node, limits and charges move together, or not at all. */
import { afterEach, expect, test } from '@jest/globals';

import { closeAll, nothing, open, type Running } from './installation.ts';

afterEach(closeAll);

/** What a container of a plan takes of the customer's quota. */
async function used(running: Running): Promise<readonly [memory: number, containers: number]> {
  await running.quiet();
  const held = await running.held();
  return [held['reserved memoryBytes'] ?? 0, held['reserved containers'] ?? 0];
}

const GIB = 2 ** 30;

test('a resize up and down again moves the quota, and nothing is left over in the end', async () => {
  const running = await open();
  const containerId = await running.running();
  expect(await used(running)).toEqual([1 * GIB, 1]);
  for (const [plan, memory] of [
    ['2000', 2],
    ['1000', 1],
  ] as const) {
    const resized = await running.end(
      await running.owner.mutate('resizeContainer', { containerId, plan }),
    );
    expect(resized).toMatchObject({ status: 'SUCCEEDED', error: null });
    expect(await used(running)).toEqual([memory * GIB, 1]);
  }
  const purged = await running.end(
    await running.owner.mutate('purgeContainer', { containerId, reason: 'moved away' }),
  );
  expect(purged).toMatchObject({ status: 'SUCCEEDED', error: null });
  await running.quiet();
  expect(await running.held()).toEqual(nothing);
});

test('a resize beyond the quota is refused, and all is as it was', async () => {
  const running = await open();
  const containerId = await running.running();
  const before = await running.held();
  const account = { accountId: running.seeded.customer.tenantId, reason: 'a small customer' };
  const limit = {
    ...{ containers: 10, cpuMillis: 100_000, addresses: 10 },
    ...{ memoryBytes: String(1.5 * GIB), diskBytes: String(2 ** 40) },
  };
  await running.staff.mutate('setLimit', { ...account, limit });
  const resized = await running.end(
    await running.owner.mutate('resizeContainer', { containerId, plan: '2000' }),
  );
  expect(resized).toMatchObject({ status: 'FAILED', error: { code: 'QUOTA_EXCEEDED' } });
  await running.quiet();
  expect(await running.held()).toEqual(before);
});
