/** The state of every kind of stream survives being written down, and goes on from there. */
import { inspect } from 'node:util';

import { afterEach, expect, test } from '@jest/globals';
import { allServices, play } from '@bivouac/all';
import type { NewEvent, StoredEvent } from '@bivouac/events/language';
import { type EventStore, memoryEventStore } from '@bivouac/infra/event-store';
import {
  type Aggregate,
  commandHost,
  type CommandHost,
  createLogger,
  ManualClock,
  memorySnapshots,
  registryOf,
  type SnapshotFiles,
  StreamSnapshots,
} from '@bivouac/infra/runtime';

import { closeAll, open, type Running } from './installation.ts';

afterEach(closeAll);

const aggregates: ReadonlyMap<string, Aggregate> = new Map(
  allServices.flatMap(({ commands }) =>
    commands.map(({ aggregate }) => [aggregate.category, aggregate] as const),
  ),
);

async function wholeLog(store: EventStore): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const after = events.at(-1)?.position;
    const page = await store.readAll(after === undefined ? {} : { after });
    events.push(...page.events);
    if (page.end) return events;
  }
}

async function append(store: EventStore, events: readonly StoredEvent[]): Promise<void> {
  for (const { stream, revision, position: _, epoch: __, ...rest } of events) {
    const event: NewEvent = rest;
    await store.append(stream, revision === 0n ? 'no-stream' : revision - 1n, [event]);
  }
}

function hostOn(running: Running, store: EventStore, files?: SnapshotFiles): CommandHost {
  const logger = createLogger('warn', {
    write: (line) => {
      throw new Error(`a snapshot was not taken: ${line}`);
    },
  });
  return commandHost({
    handlers: allServices.flatMap(({ commands }) => commands),
    store,
    registry: registryOf(allServices),
    clock: new ManualClock(running.clock.now()),
    ports: running.installation.ports,
    providerId: () => running.installation.provider.tenantId,
    snapshots: files && new StreamSnapshots({ files, store, logger, every: 1 }),
  });
}

test('a state that was written down and folded further is the state folded from the beginning', async () => {
  const running = await open();
  const { installation, clock } = running;
  // Something of everything: an order, changes, refusals, a month's end, an end.
  await play(installation, clock, () => undefined);
  await running.end(await running.order({ plan: 'no-such-plan' }));
  await running.running({ extraAddresses: 2 });
  const log = await wholeLog(installation.store);

  const streams = [...new Set(log.map(({ stream }) => stream))].flatMap((stream) => {
    const of = aggregates.get(stream.slice(0, stream.indexOf('-')));
    return of === undefined ? [] : [{ stream, of }];
  });
  const categories = new Set(streams.map(({ of }) => of.category));
  const seen = new Set<string>();
  for (const part of [0.25, 0.5, 0.75, 1]) {
    const store = memoryEventStore();
    const cut = Math.ceil(log.length * part);
    await append(store, log.slice(0, cut));
    const files = memorySnapshots();
    const first = hostOn(running, store, files);
    for (const { stream, of } of streams) await first.load(of, stream);
    await first.stop();

    await append(store, log.slice(cut));
    const [restored, plain] = [hostOn(running, store, files), hostOn(running, store)];
    for (const { stream, of } of streams) {
      const loaded = await restored.load(of, stream);
      expect(shown(loaded)).toBe(shown(await plain.load(of, stream)));
      if (files.has(stream)) seen.add(of.category);
    }
    await Promise.all([restored.stop(), plain.stop()]);
    await store.close();
  }
  expect([...seen].sort()).toEqual([...categories].sort());
  expect(seen.size).toBeGreaterThan(10);
});

/** With every entry in its order: states come from both of Jest's realms. */
function shown(state: unknown): string {
  return inspect(state, { depth: Infinity, maxArrayLength: null, maxStringLength: null });
}
