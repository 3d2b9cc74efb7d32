import { expect, test } from '@jest/globals';

import { DecodedEvents } from './decoded.ts';
import { formatPosition, type StoredEvent } from './envelope.ts';
import type { Recorded } from './event.ts';

function stored(n: number, data: Uint8Array): StoredEvent {
  const position = formatPosition(BigInt(n));
  return {
    id: `00000000-0000-5000-8000-${String(n).padStart(12, '0')}`,
    type: 'test.Charged',
    schemaver: 1,
    time: '2026-04-10T09:00:00.000Z',
    tenantid: 't',
    homeid: 'h',
    actorid: 'a',
    correlationid: 'c',
    causationid: 'c',
    commandkey: 'k',
    inputhash: '',
    stream: 'test-1',
    revision: BigInt(n),
    position,
    epoch: 'e',
    data,
  };
}

function recordedOf(event: StoredEvent): Recorded {
  return { ...event, data: { n: Number(event.revision) } };
}

test('the latest events stay decoded, the older ones are let go', () => {
  const decoded = new DecodedEvents();
  const events = Array.from({ length: 5000 }, (_, n) => stored(n, Buffer.from(`{"n":${n}}`)));
  for (const event of events) decoded.remember(recordedOf(event), event.data);
  const kept = events.filter((event) => decoded.recall(event) !== undefined).length;
  expect(kept).toBeGreaterThanOrEqual(1024);
  expect(kept).toBeLessThanOrEqual(2048);
  expect(events.slice(-kept).every((event) => decoded.recall(event) !== undefined)).toBe(true);
});

test('a decoded event does not keep the page that its body was a view of', () => {
  const decoded = new DecodedEvents();
  const page = Buffer.alloc(512 * 1024, 0x20);
  page.write('{"n":1}', 100);
  const event = stored(1, page.subarray(100, 107));
  decoded.remember(recordedOf(event), event.data);
  page.fill(0);
  // The page has other uses now; what was remembered is the body as it was.
  expect(decoded.recall({ ...event, data: Buffer.from('{"n":1}') })).toBeDefined();
  expect(decoded.recall(event)).toBeUndefined();
});
