// The index of homes can be lost, damaged or of another log: it answers the same.
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { StoredEvent } from '@bivouac/events/language';
import { readWholeLog, sampleEvent, sampleEvents } from '../contract/samples.ts';
import { memoryEventStore } from '../memory.ts';
import { EPOCH_STREAM } from './codec.ts';
import { faultyServer } from './testing/faulty-server.ts';
const at = faultyServer();

describe('the index of homes', () => {
  const file = (): string => path.join(at.folder, 'client', 'home-index.sqlite');
  let whole: readonly StoredEvent[] = [];
  beforeEach(async () => {
    for (let i = 0; i < 6; i++) {
      await at.store.append(
        `pool-${i}`,
        'no-stream',
        sampleEvents(`p${i}`, 3, { homeid: `home-${i % 2}` }),
      );
    }
    whole = (await readWholeLog(at.store)).filter((e) => e.homeid === 'home-1');
    expect(await at.store.readHome('home-1')).toEqual({ events: whole, end: true });
    await at.store.close();
  });

  test.each<[string, () => void]>([
    ['kept', () => undefined],
    ['deleted', () => rmSync(file())],
    ['damaged', () => writeFileSync(file(), 'x'.repeat(5000))],
    ['emptied', () => writeFileSync(file(), '')],
  ])('%s answers the same, and what came since', async (_, change) => {
    change();
    await at.log.append('pool-1', 2n, sampleEvents('since', 2, { homeid: 'home-1' }));
    at.store = await at.open();
    const { events } = await at.store.readHome('home-1');
    expect(events.map((e) => e.id)).toEqual([
      ...whole.map((e) => e.id),
      ...sampleEvents('since', 2).map((e) => e.id),
    ]);
  });

  test('of another log is made anew', async () => {
    const other = memoryEventStore();
    await other.append('pool-9', 'no-stream', sampleEvents('other', 9, { homeid: 'home-1' }));
    const { url } = await at.serve(other);
    at.store = await at.open(url);
    expect((await at.store.readHome('home-1')).events).toEqual(await readWholeLog(at.store));
  });

  test('of a log by the same name that was an older backup is made anew', async () => {
    const restored = memoryEventStore();
    const epoch = await at.log.readStream(EPOCH_STREAM);
    if (!epoch.exists) throw new Error('no epoch');
    await restored.append(EPOCH_STREAM, 'no-stream', epoch.events);
    await restored.append('pool-9', 'no-stream', sampleEvents('other', 30, { homeid: 'home-1' }));
    const { url } = await at.serve(restored);
    at.store = await at.open(url);
    expect((await at.store.readHome('home-1')).events).toHaveLength(30);
    expect((await at.store.readHome('home-0')).events).toEqual([]);
  });

  test('serves many who ask at once while others write', async () => {
    at.store = await at.open();
    const asked = Array.from({ length: 20 }, async (_, i) => {
      const { position } = await at.store.append(`more-${i}`, 'no-stream', [
        sampleEvent(`more ${i}`, { homeid: 'home-1' }),
      ]);
      const { events } = await at.store.readHome('home-1', { limit: 1000 });
      return events.some((e) => e.position === position);
    });
    expect(await Promise.all(asked)).toEqual(asked.map(() => true));
  });
});
