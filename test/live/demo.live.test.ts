/** The main job on a real engine: NODE_URL, or LXD's default socket as `infra/dev/up lxd` starts it. */
import { existsSync } from 'node:fs';

import { expect, test } from '@jest/globals';
import { embedded, runDemo } from '@bivouac/all';
import { readConfig } from '@bivouac/infra/runtime';

const url = process.env['NODE_URL'] ?? 'lxd+unix:';
const reachable = url !== 'lxd+unix:' || existsSync('/var/lib/lxd/unix.socket');

test('an order becomes a real container, is charged to the cent, and leaves nothing behind', async () => {
  if (!reachable) {
    const missing = 'LXD was not reached at /var/lib/lxd/unix.socket: run infra/dev/up lxd.';
    if (process.env['CI'] === 'true') throw new Error(missing);
    console.warn(missing);
    return;
  }
  const said: string[] = [];
  const report = await runDemo(embedded({ ...readConfig({}), NODE_URL: url }), (_time, text) =>
    said.push(text),
  );
  expect(said.join('\n')).toContain('runs on lxd-1');
  expect(report).toMatchObject({
    operation: { status: 'succeeded' },
    container: { lifecycle: 'deleted' },
    invoice: { total: { amount: '25.07', currency: 'EUR' } },
    leftovers: 0,
  });
  expect(report.addresses).toHaveLength(2);
}, 180_000);
