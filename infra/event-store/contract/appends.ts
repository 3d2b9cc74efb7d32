/**
 * Laws of appending: exact revisions, whole appends, and what is refused before it is written.
 */
import { expect, test } from '@jest/globals';
import { MAX_APPEND_BYTES, MAX_EVENT_BYTES, type NewEvent } from '@bivouac/events/language';
import type { Bench } from './bench.ts';
import { readWholeLog, refusal, sampleEvent, sampleEvents } from './samples.ts';

export function appendLaws(bench: Bench): void {
  test('an append answers the revision and position of its last event', async () => {
    const first = await bench.store.append('pool-1', 'no-stream', sampleEvents('a', 3));
    expect(first.revision).toBe(2n);
    const second = await bench.store.append('pool-1', 2n, [sampleEvent('b')]);
    expect(second.revision).toBe(3n);
    expect(second.position > first.position).toBe(true);
    const log = await readWholeLog(bench.store);
    expect(log.map((e) => e.revision)).toEqual([0n, 1n, 2n, 3n]);
    expect(log.at(-1)?.position).toBe(second.position);
  });

  test('every field comes back as it was written, the body byte for byte', async () => {
    const body = Buffer.from('{"name":"Zoë \u{1f3d5} \\u0000","size":"9007199254740993"}');
    const sent = sampleEvent('whole', {
      type: 'accounts.Ünusual',
      schemaver: 65535,
      time: '9999-12-31T23:59:59.999Z',
      tenantid: 'ténant',
      homeid: 'hôme-\u{1f3d5}',
      actorid: '',
      correlationid: '',
      causationid: 'x'.repeat(512),
      inputhash: '',
      data: body,
    });
    await bench.store.append('stréam-1', 'no-stream', [sent]);
    const { epoch } = await bench.store.head();
    const [stored] = await readWholeLog(bench.store);
    if (stored === undefined) throw new Error('the log is empty');
    const { data, position, ...rest } = stored;
    expect(Buffer.compare(data, body)).toBe(0);
    expect(position).toMatch(/^\d{20}$/);
    const { data: _, ...envelope } = sent;
    expect(rest).toEqual({ ...envelope, stream: 'stréam-1', revision: 0n, epoch });
  });

  test('what the caller changes in its buffer after the call is not in the log', async () => {
    const data = Buffer.from('{"n":1}');
    const appended = bench.store.append('pool-1', 'no-stream', [sampleEvent('a', { data })]);
    data.fill(0x20);
    await appended;
    const [stored] = await readWholeLog(bench.store);
    expect(Buffer.from(stored?.data ?? []).toString()).toBe('{"n":1}');
  });

  test('an append that expects another revision is a conflict that names the actual one', async () => {
    const absent = await refusal(bench.store.append('pool-1', 0n, [sampleEvent('a')]));
    expect([absent.code, absent.actual]).toEqual(['conflict', 'no-stream']);
    await bench.store.append('pool-1', 'no-stream', sampleEvents('b', 2));
    for (const expected of ['no-stream', 0n, 2n, 9n] as const) {
      const lost = await refusal(bench.store.append('pool-1', expected, [sampleEvent('c')]));
      expect([lost.code, lost.actual]).toEqual(['conflict', 1n]);
    }
    expect(await readWholeLog(bench.store)).toHaveLength(2);
  });

  test('an append of many events is written whole and contiguous', async () => {
    const sizes = [1, 7, 64, 300];
    await Promise.all(
      sizes.map((n) => bench.store.append(`pool-${n}`, 'no-stream', sampleEvents(`s${n}`, n))),
    );
    const log = await readWholeLog(bench.store);
    for (const n of sizes) {
      const at = log.flatMap((e, i) => (e.stream === `pool-${n}` ? [i] : []));
      expect(at).toEqual(Array.from({ length: n }, (_, i) => (at[0] ?? 0) + i));
    }
  });

  test('the largest event and the largest append are taken', async () => {
    const data = Buffer.alloc(MAX_EVENT_BYTES, 0x31);
    const count = MAX_APPEND_BYTES / MAX_EVENT_BYTES;
    await bench.store.append('pool-1', 'no-stream', sampleEvents('large', count, { data }));
    const log = await readWholeLog(bench.store);
    expect(log).toHaveLength(count);
    expect(log.every((e) => Buffer.compare(e.data, data) === 0)).toBe(true);
  });

  const event = sampleEvent('refused');
  const half = MAX_APPEND_BYTES / 2 / MAX_EVENT_BYTES;
  const full = { data: Buffer.alloc(MAX_EVENT_BYTES, 0x31) };
  const tooMuch = [...sampleEvents('much', half * 2, full), sampleEvent('one more')];
  const refusals: [string, string, string, NewEvent[]][] = [
    ['an empty append', 'invalid', 'events', []],
    ['an oversized event', 'too-large', 'events[0].data', [grow(MAX_EVENT_BYTES + 1)]],
    ['an oversized append', 'too-large', 'events', tooMuch],
    ['too many events', 'too-large', 'events', sampleEvents('many', 1001)],
    ['the same id twice', 'invalid', 'events[1].id', [event, { ...event }]],
    ['an id that is no UUID', 'invalid', 'events[0].id', [{ ...event, id: 'e1' }]],
    ['an id in capitals', 'invalid', 'events[0].id', [{ ...event, id: event.id.toUpperCase() }]],
    ['a command key that is no UUID', 'invalid', '.commandkey', [{ ...event, commandkey: '' }]],
    ['a time that is none', 'invalid', '.time', [{ ...event, time: '2026-04-10' }]],
    ['a version below 1', 'invalid', '.schemaver', [{ ...event, schemaver: 0 }]],
    ['an empty type', 'invalid', '.type', [{ ...event, type: '' }]],
    ['a NUL in a field', 'invalid', '.actorid', [{ ...event, actorid: 'a\0b' }]],
    ['half a surrogate pair', 'invalid', '.homeid', [{ ...event, homeid: 'a\ud800' }]],
    ['an over-long field', 'too-large', '.tenantid', [{ ...event, tenantid: 'x'.repeat(513) }]],
    ['two homes', 'invalid', '[1].homeid', [event, sampleEvent('other', { homeid: 'elsewhere' })]],
    ['an empty body', 'invalid', '.data', [{ ...event, data: new Uint8Array() }]],
    ['a body that is not UTF-8', 'invalid', '.data', [{ ...event, data: Buffer.from([0xff]) }]],
  ];
  test.each(refusals)('refused, naming the field: %s', async (_, code, field, events) => {
    const error = await refusal(bench.store.append('pool-1', 'no-stream', events));
    expect(error.code).toBe(code);
    expect(error.message).toContain(field);
    expect(await bench.store.readStream('pool-1')).toEqual({ exists: false });
    expect((await bench.store.head()).position).toBeNull();
  });

  test.each([
    ['an empty stream name', 'stream', '', 0n],
    ['an over-long stream name', 'stream', 's'.repeat(513), 0n],
    ['a negative revision', 'expected', 'pool-1', -1n],
    ['a huge revision', 'expected', 'pool-1', 2n ** 63n],
  ])('refused, naming the field: %s', async (_, field, stream, expected) => {
    const error = await refusal(bench.store.append(stream, expected, [event]));
    expect(['invalid', 'too-large']).toContain(error.code);
    expect(error.message).toContain(field);
  });

  test('a closed store takes nothing and says so; closing twice is harmless', async () => {
    await bench.store.close();
    await bench.store.close();
    const error = await refusal(bench.store.append('pool-1', 'no-stream', [event]));
    expect(error.code).toBe('closed');
    expect((await refusal(bench.store.readAll())).code).toBe('closed');
  });

  test('closing lets the appends under way finish', async () => {
    const { epoch } = await bench.store.head();
    const under = Array.from({ length: 20 }, (_, i) =>
      bench.store.append(`pool-${i}`, 'no-stream', [sampleEvent(`close ${i}`)]),
    );
    const closed = bench.store.close();
    const results = await Promise.all(under);
    await closed;
    expect(new Set(results.map((r) => r.position)).size).toBe(20);
    expect(epoch).not.toBe('');
  });
}

function grow(bytes: number): NewEvent {
  return sampleEvent('grown', { data: Buffer.alloc(bytes, 0x31) });
}
