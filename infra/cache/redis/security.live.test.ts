// A Redis that is reached by TLS lets in whom it knows, over what is trusted; whatever is not so is an
// outage that says why, and nobody waits for it.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';

import { systemClock } from '../../runtime/clock.ts';
import { openCacheEngine } from '../index.ts';
import type { Cache } from '../port.ts';
import { Authority, type Certificate } from './testing/certificates.ts';
import { OwnRedis, withRedis } from './testing/server.ts';

withRedis(() => {
  let authority: Authority;
  let stranger: Authority;
  let server: Certificate;
  const servers: OwnRedis[] = [];
  const caches: Cache[] = [];

  beforeAll(async () => {
    authority = await Authority.make('ours');
    stranger = await Authority.make('somebody');
    server = await authority.sign('server');
  });
  afterEach(async () => {
    for (const cache of caches.splice(0)) await cache.close();
    for (const each of servers.splice(0)) await each.dispose();
  });
  afterAll(async () => {
    await authority.dispose();
    await stranger.dispose();
  });

  async function start(
    how: Partial<Parameters<typeof OwnRedis.startSecure>[0]> = {},
  ): Promise<OwnRedis> {
    const started = await OwnRedis.startSecure({
      ...{ ca: authority.ca, ...server, askClients: false, ...how },
    });
    servers.push(started);
    return started;
  }

  /** The cache by TLS, with these parameters. */
  async function open(
    { port }: OwnRedis,
    parameters: Readonly<Record<string, string>>,
    scheme = 'rediss',
  ): Promise<Cache> {
    const query = new URLSearchParams(parameters).toString();
    const url = `${scheme}://127.0.0.1:${port}${query === '' ? '' : `?${query}`}`;
    const cache = await openCacheEngine({ url, installation: 'test', clock: systemClock });
    caches.push(cache);
    return cache;
  }

  /** Everything that the port has, over connections for calls and for news. */
  async function expectUsable(cache: Cache): Promise<void> {
    await cache.set('key', 'value', 60_000);
    expect(await cache.get('key')).toBe('value');
    expect(await cache.lease('lease', 'holder', 60_000)).toMatchObject({
      token: expect.any(BigInt),
    });
    const stop = new AbortController();
    const heard = new Promise<string>((resolve) => {
      void cache.subscribe('news', resolve, stop.signal).then(() => cache.publish('news', 'told'));
    });
    expect(await heard).toBe('told');
    stop.abort();
  }

  /** What the outage says, once the connection was tried. */
  async function outageOf(cache: Cache): Promise<string> {
    while (caches.includes(cache)) {
      const message = await cache.get('key').then(
        () => 'no outage',
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      // Before the first attempt has failed it does not know why yet.
      if (!/is not connected$/.test(message)) return message;
      await new Promise(setImmediate);
    }
    return 'no outage was seen';
  }

  test('with the authority everything works', async () => {
    await expectUsable(await open(await start(), { ca: authority.ca }));
  });

  test('with a certificate of ours too, where the server asks for one', async () => {
    const redis = await start({ askClients: true });
    const ours = await authority.sign('gateway');
    await expectUsable(await open(redis, { ca: authority.ca, ...ours }));
    expect(await outageOf(await open(redis, { ca: authority.ca }))).toMatch(
      /certificate required|ECONNRESET|closed|EPIPE/,
    );
    const theirs = await stranger.sign('gateway');
    expect(await outageOf(await open(redis, { ca: authority.ca, ...theirs }))).toMatch(
      /unknown ca|ECONNRESET|closed|EPIPE/,
    );
  });

  test('a user and a password by TLS, and a wrong one', async () => {
    const redis = await start({
      options: [
        ...['--user', 'default', 'off'],
        ...['--user', 'bivouac', 'on', '>secret', '~*', '&*', '+@all'],
      ],
    });
    const file = join(authority.ca, '..', 'password');
    await writeFile(file, 'secret\n');
    const who = { ca: authority.ca, user: 'bivouac', passwordFile: file };
    await expectUsable(await open(redis, who));
    await writeFile(file, 'wrong');
    expect(await outageOf(await open(redis, who))).toMatch(/WRONGPASS/);
    expect(await outageOf(await open(redis, { ca: authority.ca }))).toMatch(/NOAUTH/);
  });

  test.each<[string, RegExp, () => Promise<[OwnRedis, Record<string, string>, string?]>]>([
    [
      'whose authority is another',
      /self-signed|unable to verify|unable to get/,
      async () => [await start(), { ca: stranger.ca }],
    ],
    [
      'whose authority nobody named',
      /self-signed|unable to verify|unable to get/,
      async () => [await start(), {}],
    ],
    [
      'whose certificate has expired',
      /expired/,
      async () => [await start(await authority.sign('old', -1)), { ca: authority.ca }],
    ],
    [
      'whose certificate is for another address',
      /does not match certificate|not in the cert/,
      async () => [
        await start(await authority.sign('elsewhere', 1, '10.0.0.1')),
        { ca: authority.ca },
      ],
    ],
    [
      'that speaks TLS, and is spoken to without',
      /closed|ECONNRESET|did not|EPIPE|protocol/i,
      async () => [await start(), {}, 'redis'],
    ],
  ])('a server %s is an outage that says so', async (_, why, made) => {
    expect(await outageOf(await open(...(await made())))).toMatch(why);
  });

  test('a server without TLS is an outage to who expects it', async () => {
    const plain = await OwnRedis.start();
    servers.push(plain);
    expect(await outageOf(await open(plain, { ca: authority.ca }))).toMatch(
      /wrong version|packet length|ETIMEDOUT|closed|ECONNRESET/i,
    );
  });

  test.each(['ca', 'cert', 'key'])('a file that cannot be read is named: %s', async (name) => {
    const redis = await start();
    const ours = await authority.sign('named');
    const parameters = { ca: authority.ca, ...ours, [name]: '/nowhere/file.pem' };
    await expect(open(redis, parameters)).rejects.toMatchObject({
      code: 'misconfigured',
      message: expect.stringContaining('/nowhere/file.pem'),
    });
  });

  test('one that comes back with a certificate that is good is used again', async () => {
    const old = await authority.sign('renewed', -1);
    const redis = await start(old);
    const cache = await open(redis, { ca: authority.ca });
    expect(await outageOf(cache)).toMatch(/expired/);
    await redis.kill();
    // Under the same name: what is renewed is a file.
    await authority.sign('renewed');
    await redis.run();
    while (caches.includes(cache) && (await outageOf(cache)) !== 'no outage') {
      await new Promise(setImmediate);
    }
    await expectUsable(cache);
  });
});
