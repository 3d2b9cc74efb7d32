/** Stopped in the middle and started again on the same folder: everything ends, nothing is doubled. */
import { afterEach, expect, test } from '@jest/globals';
import { allServices } from '@bivouac/all';

import { closeAll, nothing, open, type Running } from './installation.ts';

afterEach(closeAll);

async function dumps(running: Running): Promise<Record<string, string>> {
  const { follower } = running.installation.host;
  const hashes: Record<string, string> = {};
  for (const { name } of allServices) hashes[name] = (await follower.dump(name)).sha256;
  return hashes;
}

test('stopped in the middle of orders, all of them end after the next start, each once', async () => {
  const before = await open({ nodeUrl: 'fake:?slow=create:40,start:20' });
  const orders = 12;
  const accepted = await Promise.all(
    Array.from({ length: orders }, (_, n) =>
      before.order({ hostname: `vps${n}.example.com` }, `o${n}`),
    ),
  );
  const last = accepted.at(-1);
  if (last === undefined) throw new Error('no order');
  await before.whenStep(last, 'prepare');
  await before.stop();

  const after = await open({ folder: before.folder, now: before.clock.now() + 5000 });
  for (const answer of accepted) {
    expect(await after.end(answer)).toMatchObject({ status: 'SUCCEEDED', error: null });
  }
  // The clicks again, after the restart: the same operations, nothing more.
  const clicker = after.client(before.keys.owner);
  for (let n = 0; n < orders; n++) {
    const again = { hostname: `vps${n}.example.com` };
    expect(await after.order(again, `o${n}`, clicker)).toMatchObject({
      repeated: true,
      operationId: accepted[n]?.operationId,
    });
  }
  await after.quiet();
  expect(await after.held()).toMatchObject({
    instances: orders,
    leases: orders,
    placements: orders,
    rosterEntries: orders,
    openCharges: orders,
    unansweredInstructions: 0,
    'reserved containers': orders,
  });

  // And everything given back after yet another start.
  await after.stop();
  const third = await open({ folder: after.folder, now: after.clock.now() + 5000 });
  for (const [n, answer] of accepted.entries()) {
    const { targetId } = await third.end(answer);
    const ended = await third.end(
      await third.owner.mutate(
        'terminateContainer',
        { containerId: targetId, reason: 'over' },
        `t${n}`,
      ),
    );
    expect(ended.status).toBe('SUCCEEDED');
  }
  expect(await third.held()).toEqual(nothing);
});

test('a second start continues: what was there reads the same, and its keys still work', async () => {
  const first = await open();
  const containerId = await first.running();
  const seen = await first.container(containerId, first.owner);
  await first.stop();
  const second = await open({ folder: first.folder, now: first.clock.now() });
  expect(await second.container(containerId, second.client(first.keys.owner))).toEqual(seen);
  expect(second.seeded).toEqual(first.seeded);
  expect(second.installation.nodes.list).toEqual(first.installation.nodes.list);
});

test('read models thrown away and rebuilt from the log are equal to the last row', async () => {
  const first = await open();
  const containerId = await first.running();
  await first.running({ hostname: 'other.example.com', extraAddresses: 2 });
  await first.end(await first.order({ plan: 'none' }));
  await first.end(
    await first.owner.mutate('terminateContainer', { containerId, reason: 'moved away' }),
  );
  await first.installation.host.settled();
  const live = await dumps(first);
  await first.stop();
  await first.forgetViews();

  const second = await open({ folder: first.folder, now: first.clock.now(), newKeys: false });
  expect(await dumps(second)).toEqual(live);
  // Also while it runs.
  for (const { name } of allServices) await second.installation.host.follower.rebuild(name);
  expect(await dumps(second)).toEqual(live);
});
