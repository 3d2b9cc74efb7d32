// A process listens before it can answer, says so, and is closed however far its start has come.
import { afterEach, expect, test } from '@jest/globals';

import { Closing } from './closing.ts';
import { openEntrance } from './entrance.ts';

const settings = {
  ...{ HOST: '127.0.0.1', PORT: 0, SHUTDOWN_MS: 1000 },
  ...{ SERVICE_TLS_CERT: undefined, SERVICE_TLS_KEY: undefined },
};

const opened: Closing[] = [];
function closing(): Closing {
  const one = new Closing();
  opened.push(one);
  return one;
}
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

const statusOf = async (url: string): Promise<number> => (await fetch(url)).status;

test('before it can answer it is alive and not ready, and asks to come again', async () => {
  const entrance = await openEntrance(settings, closing());
  expect(await statusOf(`${entrance.url}/health/live`)).toBe(200);
  expect(await statusOf(`${entrance.url}/health/ready`)).toBe(503);
  const early = await fetch(`${entrance.url}/anything`);
  expect([early.status, early.headers.get('retry-after')]).toEqual([503, '1']);

  let well = true;
  entrance.open(
    (_request, response) => {
      response.end('answered');
      return Promise.resolve();
    },
    () => well,
  );
  expect(await (await fetch(`${entrance.url}/anything`)).text()).toBe('answered');
  expect(await statusOf(`${entrance.url}/health/ready`)).toBe(200);
  well = false;
  expect(await statusOf(`${entrance.url}/health/ready`)).toBe(503);
  expect(entrance.ready()).toBe(false);
});

test('a port in use is said with the setting to change, before anything else is done', async () => {
  const { url } = await openEntrance(settings, closing());
  const taken = { ...settings, PORT: Number(new URL(url).port) };
  await expect(openEntrance(taken, closing())).rejects.toThrow(/in use.*PORT/);
});

test('a start that fails behind it leaves nothing listening', async () => {
  const one = closing();
  let url = '';
  const start = one.opening(async () => {
    ({ url } = await openEntrance(settings, one));
    throw new Error('the store is away');
  });
  await expect(start).rejects.toThrow('the store is away');
  await expect(fetch(url)).rejects.toThrow();
});

test('a certificate that cannot be read is named with its setting', async () => {
  const tls = { ...settings, SERVICE_TLS_CERT: '/nowhere/cert.pem', SERVICE_TLS_KEY: '/nowhere/k' };
  await expect(openEntrance(tls, closing())).rejects.toThrow(/SERVICE_TLS_CERT.*nowhere/);
});
