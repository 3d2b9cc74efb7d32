/** A channel keeps order, bounds what it takes, and notices a peer that has fallen silent. */
import { once } from 'node:events';
import { connect as dial, type Socket } from 'node:net';

import { afterEach, expect, test } from '@jest/globals';

import { ManualClock, systemClock } from '../runtime/clock.ts';
import type { Channel } from './port.ts';
import { cert, key } from './testing/certificate.ts';
import { connectChannel, listenForChannels, type Listener, type ListenOptions } from './index.ts';

const listeners: Listener[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const listener of listeners.splice(0)) await listener.close();
});

/** One end of a channel, with what it heard. */
class End {
  readonly heard: unknown[] = [];
  channel: Channel | undefined;
  readonly closed: Promise<string>;
  #close: (reason: string) => void = () => undefined;
  #waiting: (() => void)[] = [];

  constructor() {
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  readonly opened = (channel: Channel) => {
    this.channel = channel;
    this.#wake();
    return {
      message: (value: unknown) => {
        this.heard.push(value);
        this.#wake();
      },
      closed: (reason: string) => {
        this.#close(reason);
      },
    };
  };

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

async function listen(options: Partial<ListenOptions> = {}) {
  const end = new End();
  const listener = await listenForChannels({
    host: '127.0.0.1',
    port: 0,
    path: '/agents',
    clock: systemClock,
    most: 10,
    accept: end.opened,
    ...options,
  });
  listeners.push(listener);
  return { end, listener };
}

async function connected(options: Partial<ListenOptions> = {}) {
  const { end: there, listener } = await listen(options);
  const here = new End();
  const channel = await connectChannel({
    url: listener.url,
    clock: options.clock ?? systemClock,
    opened: here.opened,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  await there.until(() => there.channel !== undefined);
  return { here, there, channel, listener };
}

test('values arrive both ways in their order', async () => {
  const { here, there, channel } = await connected();
  for (let n = 0; n < 500; n++) void channel.send({ n });
  await there.channel?.send('hello');
  await there.until(() => there.heard.length === 500);
  expect(there.heard).toEqual(Array.from({ length: 500 }, (_, n) => ({ n })));
  await here.until(() => here.heard.length === 1);
  channel.close();
  await Promise.all([here.closed, there.closed]);
});

test('what was sent before the end arrives before it', async () => {
  const { here, there } = await connected();
  void there.channel?.send({ type: 'closing' });
  there.channel?.close();
  await here.closed;
  expect(here.heard).toEqual([{ type: 'closing' }]);
});

test('a message beyond the bound ends the channel and is not heard', async () => {
  const { there, channel } = await connected({ limits: { messageBytes: 1000 } });
  void channel.send('x'.repeat(2000));
  expect(await there.closed).toMatch(/max payload/i);
  expect(there.heard).toEqual([]);
});

test('a peer that takes nothing is given up once too much is queued for it', async () => {
  const { here, there, channel } = await connected({ limits: { queuedBytes: 1_000_000 } });
  here.channel?.pause();
  const text = 'x'.repeat(500_000);
  // The kernel's buffers take some of it.
  for (let n = 0; n < 200; n++) void there.channel?.send(text);
  expect(await there.closed).toMatch(/too slowly/);
  channel.resume();
  await here.closed;
});

test('a pause holds the peer back, and nothing is lost by it', async () => {
  const { there, channel } = await connected();
  there.channel?.pause();
  const sent = Array.from({ length: 50 }, () => channel.send('x'.repeat(200_000)));
  there.channel?.resume();
  await Promise.all(sent);
  await there.until(() => there.heard.length === 50);
});

test('a silent peer is taken for gone; one that only answers signs of life is not', async () => {
  const clock = new ManualClock(0);
  const limits = { heartbeatMilliseconds: 100, silenceMilliseconds: 300 };
  const { end, listener } = await listen({ clock, limits });
  const lively = new End();
  await connectChannel({ url: listener.url, clock: systemClock, opened: lively.opened });
  await end.until(() => end.channel !== undefined);
  const livelyEnd = end.channel;
  // Upgrades, and is not heard of again: its machine has lost its network.
  const { port } = new URL(listener.url);
  const mute = dial({ host: '127.0.0.1', port: Number(port) });
  sockets.push(mute);
  mute.write(
    'GET /agents HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n' +
      'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await once(mute, 'data');
  await end.until(() => end.channel !== livelyEnd);
  const ended = once(mute, 'close');
  for (let n = 0; n < 4; n++) {
    clock.advance(100);
    // The pong has come when what was sent after it has been answered by its own arrival.
    await livelyEnd?.send({ n });
    await lively.until(() => lively.heard.length === n + 1);
    await lively.channel?.send({ n });
    const seen = end.heard.length;
    await end.until(() => end.heard.length > seen || end.heard.length === n + 1);
  }
  await ended;
  expect(lively.heard).toHaveLength(4);
});

test('text that is not JSON, another path and too many channels are refused', async () => {
  const { end, listener } = await listen({ most: 1 });
  const { origin } = new URL(listener.url.replace('ws:', 'http:'));
  expect((await fetch(`${origin}/agents`)).status).toBe(426);
  const opened = () => new End().opened;
  const elsewhere = { url: listener.url.replace('/agents', '/other'), clock: systemClock };
  await expect(connectChannel({ ...elsewhere, opened: opened() })).rejects.toThrow(/404/);
  const first = new End();
  await connectChannel({ url: listener.url, clock: systemClock, opened: first.opened });
  await end.until(() => end.channel !== undefined);
  await expect(
    connectChannel({ url: listener.url, clock: systemClock, opened: opened() }),
  ).rejects.toThrow(/503/);
});

test('over TLS only whose authority is trusted is talked to', async () => {
  const { end, listener } = await listen({ tls: { cert, key } });
  expect(listener.url).toMatch(/^wss:/);
  const opened = () => new End().opened;
  await expect(
    connectChannel({ url: listener.url, clock: systemClock, opened: opened() }),
  ).rejects.toThrow(/self-signed certificate/);
  const channel = await connectChannel({
    ...{ url: listener.url, clock: systemClock, opened: opened(), ca: cert },
  });
  await channel.send('hello');
  await end.until(() => end.heard.length === 1);
  const clear = { url: listener.url.replace('wss:', 'ws:'), clock: systemClock };
  await expect(connectChannel({ ...clear, opened: opened() })).rejects.toThrow(/cannot be reached/);
});

test('where nobody listens, it says so', async () => {
  const { listener } = await listen();
  await listener.close();
  const opened = new End().opened;
  await expect(connectChannel({ url: listener.url, clock: systemClock, opened })).rejects.toThrow(
    /cannot be reached/,
  );
  listeners.splice(0);
});
