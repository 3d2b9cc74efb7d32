// The client hears whole replies, in order, however they come; of one that is cut off it hears nothing.
import { Socket } from 'node:net';

import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { inFrames } from './frames.ts';

function frameOf(text: string): Buffer {
  const body = Buffer.from(text);
  const frame = Buffer.alloc(4 + body.length);
  frame.writeInt32BE(body.length);
  body.copy(frame, 4);
  return frame;
}

/** What a listener hears of bytes that come in these pieces. */
function heard(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const socket = inFrames(() => new Socket())({
    ...{ host: 'nowhere', port: 1, ssl: {}, onConnect: () => undefined },
  });
  const all: Buffer[] = [];
  socket.on('data', (data: Buffer) => all.push(Buffer.from(data)));
  const places = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort(
    (a, b) => a - b,
  );
  let at = 0;
  for (const place of places) {
    if (place > at) socket.emit('data', bytes.subarray(at, place));
    at = Math.max(at, place);
  }
  socket.destroy();
  return all;
}

test('law: however replies are cut into pieces, each is heard whole and in order; a part of one is not', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 40 }), { maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 20 }),
      fc.nat(),
      (texts, cuts, lost) => {
        const frames = texts.map(frameOf);
        const whole = Buffer.concat(frames);
        const bytes = whole.subarray(0, whole.length - (lost % (whole.length + 1)));
        const pieces = heard(bytes, cuts);
        // As many as have come to their end.
        const ends = frames.map((_, n) => Buffer.concat(frames.slice(0, n + 1)).length);
        const end = Math.max(0, ...ends.filter((one) => one <= bytes.length));
        expect(Buffer.concat(pieces)).toEqual(whole.subarray(0, end));
        // Each piece ends where a reply does.
        let at = 0;
        for (const piece of pieces) expect(ends).toContain((at += piece.length));
      },
    ),
    { numRuns: 500 },
  );
});

test('what no broker says ends the connection and is not kept; whole replies before it are heard', () => {
  // An alert of TLS, as a broker that demands it says to who does not speak it.
  const alert = Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x16]);
  const socket = inFrames(() => new Socket())({
    ...{ host: 'kafka.example.com', port: 9094, ssl: {}, onConnect: () => undefined },
  });
  const all: Buffer[] = [];
  socket.on('data', (data: Buffer) => all.push(Buffer.from(data)));
  const ended = new Promise((resolve) => socket.once('error', resolve));
  socket.emit('data', Buffer.concat([frameOf('a reply'), alert]));
  socket.emit('data', Buffer.alloc(1024));
  expect(all).toEqual([frameOf('a reply')]);
  expect(socket.destroyed).toBe(true);
  return expect(ended).resolves.toMatchObject({
    message: expect.stringContaining('kafka.example.com:9094 answers is no reply of a Kafka'),
  });
});

test('what is no data goes through as it was', () => {
  const socket = inFrames(() => new Socket())({
    ...{ host: 'nowhere', port: 1, ssl: {}, onConnect: () => undefined },
  });
  const errors: unknown[] = [];
  socket.on('error', (error) => errors.push(error));
  const error = new Error('gone');
  socket.emit('error', error);
  expect(errors).toEqual([error]);
  socket.destroy();
});
