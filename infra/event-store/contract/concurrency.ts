/**
 * Laws of racing: the store decides who was first, and what it acknowledged is there for others.
 */
import { expect, test } from '@jest/globals';
import { type AppendResult, EventStoreError } from '../port.ts';
import type { Bench } from './bench.ts';
import { readWholeLog, sampleEvent, sampleEvents } from './samples.ts';

export function concurrencyLaws(bench: Bench): void {
  test('of two concurrent writers of one revision one commits, the other has a conflict', async () => {
    for (let round = 0; round < 20; round++) {
      const expected = round === 0 ? 'no-stream' : BigInt(round - 1);
      const outcomes = await Promise.allSettled(
        ['left', 'right'].map((side) =>
          bench.store.append('pool-1', expected, [sampleEvent(`${side} ${round}`)]),
        ),
      );
      expect(outcomes.map((o) => o.status).sort()).toEqual(['fulfilled', 'rejected']);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') {
          expect(outcome.reason).toMatchObject({ code: 'conflict', actual: BigInt(round) });
        }
      }
    }
    expect(await readWholeLog(bench.store)).toHaveLength(20);
  });

  test('after 64 concurrent writers another reader finds what was acknowledged once, in order', async () => {
    const acknowledged = new Map<string, AppendResult>();
    const writer = async (w: number): Promise<void> => {
      let revision = -1n;
      for (let i = 0; i < 12; i++) {
        // Half the writers share a stream with another and lose some races.
        const stream = w % 2 === 0 ? `own-${w}` : `shared-${w % 8}`;
        const events = sampleEvents(`${w} ${i}`, 1 + ((w + i) % 3));
        for (;;) {
          const expected = revision < 0n ? 'no-stream' : revision;
          try {
            const result = await bench.store.append(stream, expected, events);
            revision = result.revision;
            for (const event of events) acknowledged.set(event.id, result);
            break;
          } catch (error) {
            if (!(error instanceof EventStoreError) || error.code !== 'conflict') throw error;
            revision = typeof error.actual === 'bigint' ? error.actual : -1n;
          }
        }
      }
    };
    await Promise.all(Array.from({ length: 64 }, (_, w) => writer(w)));

    const log = await readWholeLog(await bench.log.again(), 97);
    expect(log.map((e) => e.id).sort()).toEqual([...acknowledged.keys()].sort());
    const heads = new Map<string, bigint>();
    let position = '';
    for (const event of log) {
      expect(event.position > position).toBe(true);
      position = event.position;
      expect(event.revision).toBe((heads.get(event.stream) ?? -1n) + 1n);
      heads.set(event.stream, event.revision);
      const answer = acknowledged.get(event.id);
      expect(answer !== undefined && answer.revision >= event.revision).toBe(true);
      expect(answer !== undefined && answer.position >= event.position).toBe(true);
    }
  });

  test('what was acknowledged is in every read that starts afterwards', async () => {
    for (let i = 0; i < 50; i++) {
      const expected = i === 0 ? 'no-stream' : BigInt(i - 1);
      const { position } = await bench.store.append('pool-1', expected, [sampleEvent(`${i}`)]);
      const page = await bench.store.readStream('pool-1', { direction: 'backwards', limit: 1 });
      expect(page.exists && page.events[0]?.position).toBe(position);
      const all = await bench.store.readAll({ direction: 'backwards', limit: 1 });
      expect(all.events[0]?.position).toBe(position);
      expect((await bench.store.head()).position).toBe(position);
    }
  });
}
