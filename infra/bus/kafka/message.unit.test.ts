// What goes onto the topic comes back as it was; what is none of ours is refused, whatever it is.
import { expect, test } from '@jest/globals';
import { formatPosition, type StoredEvent } from '@bivouac/events/language';
import fc from 'fast-check';

import { partitionOf } from '../partition.ts';
import { sampleEvent } from '../../event-store/contract/samples.ts';
import { busMessage, eventMessage, markerMessage, MessageError, sizeOf } from './message.ts';

const text = fc.string({ maxLength: 40 });
const position = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(formatPosition);
const events: fc.Arbitrary<StoredEvent> = fc
  .record({
    homeid: fc.string({ minLength: 1, maxLength: 40 }),
    tenantid: fc.string({ minLength: 1, maxLength: 40 }),
    actorid: text,
    correlationid: text,
    causationid: text,
    inputhash: text,
    schemaver: fc.integer({ min: 1, max: 1000 }),
    data: fc.uint8Array({ maxLength: 300 }),
    stream: fc.string({ minLength: 1, maxLength: 40 }),
    revision: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
    position,
  })
  .map((fields) => ({ ...sampleEvent('x'), ...fields, epoch: 'one' }));

/** As the client gives headers: bytes. */
const received = ({ headers, value }: ReturnType<typeof eventMessage>) => ({
  value,
  headers: Object.fromEntries(
    Object.entries(headers).map(([name, header]) => [name, Buffer.from(header)]),
  ),
});

test('an event comes back as it was, on the partition of its home', () => {
  fc.assert(
    fc.property(events, fc.option(position), (event, prev) => {
      const sent = eventMessage(event, prev);
      expect([sent.partition, sent.key]).toEqual([partitionOf(event.homeid), event.homeid]);
      const read = busMessage(received(sent));
      if (read.kind !== 'event') throw new Error('it came back as a marker');
      expect({ ...read.event, data: Buffer.from(read.event.data) }).toEqual({
        ...event,
        data: Buffer.from(event.data),
      });
      expect(read.prev).toBe(prev);
    }),
  );
});

test('its size is at least a third of what it takes', () => {
  fc.assert(
    fc.property(events, (event) => {
      const message = eventMessage(event, null);
      const parts = Object.entries(message.headers).flat();
      const real =
        message.value.length + parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0);
      expect(sizeOf(message) * 3).toBeGreaterThanOrEqual(real);
    }),
  );
});

test('a marker comes back as it was', () => {
  fc.assert(
    fc.property(fc.option(position), fc.option(position), (prev, head) => {
      const sent = markerMessage(5, { prev, head }, { epoch: 'one', headId: 'x' });
      expect(busMessage(received(sent))).toEqual({ kind: 'marker', prev, head });
    }),
  );
});

test('what is none of ours, or was damaged, is refused and never read as something else', () => {
  const good = received(
    eventMessage(
      {
        ...sampleEvent('x'),
        stream: 's',
        revision: 1n,
        position: formatPosition(7n),
        epoch: 'one',
      },
      formatPosition(6n),
    ),
  );
  for (const name of ['ce_type', 'ce_position', 'ce_revision', 'ce_homeid', 'ce_epoch', 'ce_id']) {
    const { [name]: _gone, ...headers } = good.headers;
    expect(() => busMessage({ ...good, headers })).toThrow(MessageError);
  }
  for (const [name, value] of Object.entries({
    ce_position: '7',
    ce_prev: 'x',
    ce_revision: '-1',
    ce_schemaver: '1.5',
  })) {
    expect(() => busMessage({ ...good, headers: { ...good.headers, [name]: value } })).toThrow(
      name,
    );
  }
  expect(() => busMessage({ ...good, value: null })).toThrow('no body');
  expect(() => busMessage({ ...good, headers: { ...good.headers, ce_type: ['a', 'b'] } })).toThrow(
    'twice',
  );
  expect(() => busMessage({ value: Buffer.from('x') })).toThrow(MessageError);
});

test('the span of its publishing goes with an event; what is no span keeps nothing from being read', () => {
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const sent = eventMessage(
    { ...sampleEvent('x'), stream: 's', revision: 0n, position: formatPosition(1n), epoch: 'one' },
    null,
    traceparent,
  );
  expect(sent.headers['ce_traceparent']).toBe(traceparent);
  expect(busMessage(received(sent))).toMatchObject({ kind: 'event', traceparent });
  const without = eventMessage(
    { ...sampleEvent('x'), stream: 's', revision: 0n, position: formatPosition(1n), epoch: 'one' },
    null,
  );
  expect(without.headers).not.toHaveProperty('ce_traceparent');
  expect(busMessage(received(without))).not.toHaveProperty('traceparent');
  const { headers, value } = received(sent);
  const twice = {
    value,
    headers: { ...headers, ce_traceparent: [Buffer.from('a'), Buffer.from('b')] },
  };
  expect(busMessage(twice)).not.toHaveProperty('traceparent');
});
