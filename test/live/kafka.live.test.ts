/** The main job with a real bus: BUS_URL, or the broker that `infra/dev/up kafka` starts. */
import { connect } from 'node:net';

import { expect, test } from '@jest/globals';
import { embedded, runDemo } from '@bivouac/all';
import { readConfig } from '@bivouac/infra/runtime';

const url = process.env['BUS_URL'] ?? 'kafka://127.0.0.1:9092';
const [host = '', port = ''] = (/^kafka:\/\/([^,/?]+)/.exec(url)?.[1] ?? '').split(':');

function reachable(): Promise<boolean> {
  const socket = connect({ host, port: Number(port) });
  return new Promise((resolve) => {
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

test('an order over Kafka becomes a container, is charged to the cent, and leaves nothing behind', async () => {
  if (!(await reachable())) {
    const missing = `Kafka was not reached at ${host}:${port}: run infra/dev/up kafka.`;
    if (process.env['CI'] === 'true') throw new Error(missing);
    console.warn(missing);
    return;
  }
  const report = await runDemo(embedded({ ...readConfig({}), BUS_URL: url }), () => undefined);
  expect(report).toMatchObject({
    operation: { status: 'succeeded' },
    container: { lifecycle: 'deleted' },
    invoice: { total: { amount: '25.07', currency: 'EUR' } },
    leftovers: 0,
  });
}, 180_000);
