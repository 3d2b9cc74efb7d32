// A broker that says nothing any more is left; one that works at something long is waited for.
import { Socket } from 'node:net';

import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { ISocketFactory } from 'kafkajs';

import { inFrames } from './frames.ts';

const [FETCH, METADATA, JOIN_GROUP] = [1, 3, 11];
/** Longer than anything that is answered at once. */
const LONG = 6000;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A connection that can be asked and answered; its other end keeps what it is told. */
function connection() {
  const raw = new Socket();
  const written: Uint8Array[] = [];
  raw.write = (bytes: Uint8Array | string): boolean =>
    written.push(typeof bytes === 'string' ? Buffer.from(bytes) : bytes) > 0;
  const sockets: ISocketFactory = () => raw;
  const socket = inFrames(sockets)({
    ...{ host: 'nowhere', port: 1, ssl: {}, onConnect: () => undefined },
  });
  // As the client does: without one, what ends a connection would end the process.
  socket.on('error', () => undefined);
  return {
    socket,
    written,
    ask: (key: number) => {
      const request = Buffer.alloc(14);
      request.writeInt32BE(10);
      request.writeInt16BE(key, 4);
      socket.write(request);
    },
    answer: () => socket.emit('data', Buffer.from([0, 0, 0, 1, 7])),
    /** Some of an answer. */
    begin: () => socket.emit('data', Buffer.from([0, 0, 0, 9, 7])),
  };
}

test.each([
  ['what the cluster looks like', METADATA],
  ['what is new', FETCH],
])('a broker that does not say %s is left, and why is said', async (_what, key) => {
  const { socket, ask, written } = connection();
  const closed = new Promise<unknown>((resolve) => socket.once('error', resolve));
  ask(key);
  expect(written).toHaveLength(1);
  expect(socket.destroyed).toBe(false);
  jest.advanceTimersByTime(LONG);
  expect(socket.destroyed).toBe(true);
  jest.useRealTimers();
  expect(await closed).toMatchObject({
    message: expect.stringMatching(/has not answered request \d+ for \d+ ms/),
  });
});

test('one that answers is kept, however long nothing is asked then', () => {
  const { socket, ask, answer } = connection();
  for (let n = 0; n < 3; n++) {
    ask(METADATA);
    jest.advanceTimersByTime(LONG / 2);
    answer();
    jest.advanceTimersByTime(LONG);
  }
  expect(socket.destroyed).toBe(false);
});

test('a group that comes together is waited for, and so is what was asked behind it until it has', () => {
  const { socket, ask, answer } = connection();
  ask(JOIN_GROUP);
  ask(METADATA);
  jest.advanceTimersByTime(10 * LONG);
  expect(socket.destroyed).toBe(false);
  answer();
  jest.advanceTimersByTime(LONG / 2);
  expect(socket.destroyed).toBe(false);
  jest.advanceTimersByTime(LONG);
  expect(socket.destroyed).toBe(true);
});

test('one that stops amid an answer is left', () => {
  const { socket, ask, begin } = connection();
  ask(FETCH);
  begin();
  jest.advanceTimersByTime(LONG);
  expect(socket.destroyed).toBe(true);
});

test('a connection that is over is cut by nothing', () => {
  const { socket, ask } = connection();
  ask(METADATA);
  socket.emit('close');
  jest.advanceTimersByTime(LONG);
  expect(socket.destroyed).toBe(false);
  expect(jest.getTimerCount()).toBe(0);
});
