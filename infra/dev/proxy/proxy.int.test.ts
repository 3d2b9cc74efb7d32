// What the proxy does to connections is what it was told, and what it lets through comes whole and in order.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type NetConnectOpts, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { afterEach, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { ManualClock } from '../../runtime/clock.ts';
import { FaultyProxy, type FaultyProxyOptions } from './proxy.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (let close = closing.pop(); close !== undefined; close = closing.pop()) await close();
});

/** A server that says everything back, and how much it has heard. */
async function echo(): Promise<{ readonly to: NetConnectOpts; heard(): string }> {
  let heard = '';
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      heard += String(bytes);
    });
    socket.pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('there is no port');
  return { to: { host: '127.0.0.1', port: address.port }, heard: () => heard };
}

async function proxied(more: Partial<FaultyProxyOptions> = {}) {
  const server = await echo();
  const proxy = await FaultyProxy.start({ to: server.to, ...more });
  closing.push(() => proxy.close());
  return { proxy, server };
}

/** Who connects, and what it hears. */
class Client {
  readonly socket: Socket;
  heard = '';
  /** Resolves with the code of its end; undefined: it ended in order. */
  readonly ended: Promise<string | undefined>;

  constructor(to: NetConnectOpts) {
    this.socket = connect(to);
    closing.push(async () => this.socket.destroy());
    let code: string | undefined;
    this.socket.on('error', (error) => {
      code = 'code' in error ? String(error.code) : error.message;
    });
    this.socket.on('data', (bytes) => {
      this.heard += String(bytes);
    });
    this.ended = once(this.socket, 'close').then(
      () => code,
      () => code,
    );
  }

  async hears(length: number): Promise<string> {
    while (this.heard.length < length) await once(this.socket, 'data');
    return this.heard;
  }
}

const to = (proxy: FaultyProxy): NetConnectOpts => ({ host: '127.0.0.1', port: proxy.port });

/** As many turns as anything that was not held would need to arrive. */
async function someTurns(turns = 200): Promise<void> {
  for (let n = 0; n < turns; n++) await nextTurn();
}

test('what is sent arrives whole and in order, to its end, also more than is ever on its way at once', async () => {
  const { proxy } = await proxied();
  const client = new Client(to(proxy));
  const sent = Array.from({ length: 400_000 }, (_, n) => `${n} `).join('');
  client.socket.end(sent);
  expect(await client.ended).toBeUndefined();
  expect(client.heard).toBe(sent);
  expect(proxy.open).toBe(0);
});

test('law: cut after any number of bytes either way, exactly those have arrived; then it is as before', async () => {
  const { proxy, server } = await proxied();
  const text = 'abcdefghijklmnopqrstuvwxyz'.repeat(40);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('up', 'down'),
      fc.nat({ max: text.length - 1 }),
      async (way: 'up' | 'down', bytes) => {
        const before = server.heard().length;
        const cut = proxy.cutAfter(way, bytes);
        const client = new Client(to(proxy));
        client.socket.write(text);
        await cut;
        await client.ended;
        if (way === 'down') expect(client.heard).toBe(text.slice(0, bytes));
        else expect(text.slice(0, bytes).startsWith(client.heard)).toBe(true);
        const next = new Client(to(proxy));
        next.socket.write(text);
        expect(await next.hears(text.length)).toBe(text);
        next.socket.destroy();
        await next.ended;
        const arrived = way === 'up' ? bytes : text.length;
        expect(server.heard().slice(before)).toBe(text.slice(0, arrived) + text);
      },
    ),
    { numRuns: 60 },
  );
  expect(proxy.cuts).toBe(60);
});

test('what is late arrives when its time has come, and not before; the same of a slow line', async () => {
  const clock = new ManualClock(0);
  const { proxy, server } = await proxied({ clock });
  const client = new Client(to(proxy));
  proxy.delay(100);
  client.socket.write('one');
  await proxy.whenAccepted(1);
  await someTurns();
  clock.advance(99);
  await someTurns();
  expect(server.heard()).toBe('');
  while (client.heard === '') {
    clock.advance(100);
    await nextTurn();
  }
  expect(client.heard).toBe('one');

  proxy.heal();
  proxy.throttle(10);
  const began = clock.now();
  client.socket.write('0123456789');
  while (client.heard.length < 13) {
    clock.advance(50);
    await nextTurn();
  }
  // A second each way.
  expect(clock.now() - began).toBeGreaterThanOrEqual(2000);
});

test('what is held arrives in the end; half-open, nothing ever does, and afterwards it is reset', async () => {
  const { proxy, server } = await proxied();
  const client = new Client(to(proxy));
  client.socket.write('a');
  await client.hears(1);
  proxy.hold();
  client.socket.write('b');
  await someTurns();
  expect([server.heard(), client.heard]).toEqual(['a', 'a']);
  proxy.heal();
  expect(await client.hears(2)).toBe('ab');

  proxy.swallow();
  const idle = new Client(to(proxy));
  client.socket.write('c');
  await proxy.whenAccepted(2);
  idle.socket.write('d');
  await someTurns();
  expect([server.heard(), client.heard, idle.heard, proxy.open]).toEqual(['ab', 'ab', '', 2]);
  proxy.heal();
  expect([await client.ended, await idle.ended]).toEqual(['ECONNRESET', 'ECONNRESET']);
  const next = new Client(to(proxy));
  next.socket.write('e');
  expect(await next.hears(1)).toBe('e');
});

test('half-open, who has sent nothing goes on afterwards', async () => {
  const { proxy } = await proxied();
  const client = new Client(to(proxy));
  client.socket.write('a');
  await client.hears(1);
  proxy.swallow();
  await someTurns();
  proxy.heal();
  client.socket.write('b');
  expect(await client.hears(2)).toBe('ab');
});

test('refused, those who are connected and who come are reset; a server that is not there ends who comes', async () => {
  const { proxy } = await proxied();
  const client = new Client(to(proxy));
  client.socket.write('a');
  await client.hears(1);
  proxy.refuse();
  expect(await client.ended).toBe('ECONNRESET');
  expect(await new Client(to(proxy)).ended).toBe('ECONNRESET');
  proxy.heal();
  const again = new Client(to(proxy));
  again.socket.write('a');
  expect(await again.hears(1)).toBe('a');

  const nobody = await FaultyProxy.start({ to: { path: '/nonexistent' } });
  closing.push(() => nobody.close());
  await new Client(to(nobody)).ended;
  expect(nobody.open).toBe(0);
});

test('a judge sees what goes over its connection and cuts what it will; between Unix sockets too', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'bivouac-proxy-'));
  closing.push(async () => rmSync(folder, { recursive: true }));
  const at = path.join(folder, 'socket');
  const { proxy } = await proxied({
    at,
    judge: () => {
      let asked = '';
      return (way, bytes) => {
        if (way === 'up') asked += String(bytes);
        return way === 'down' && asked === 'lose' ? 'cut' : 'pass';
      };
    },
  });
  const [kept, lost] = [new Client({ path: at }), new Client({ path: at })];
  kept.socket.write('keep');
  lost.socket.write('lose');
  expect(await kept.hears(4)).toBe('keep');
  await lost.ended;
  expect([lost.heard, proxy.cuts]).toEqual(['', 1]);
});
