// Read models on disk: what a crash loses is replayed, and the rows end up the same.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { memoryEventStore } from '../../event-store/memory.ts';
import { memoryViews } from '../../views/memory.ts';
import { openSqliteViews } from '../../views/sqlite.ts';
import type { ViewStore } from '../../views/store.ts';
import { ManualClock } from '../clock.ts';
import { type Follower, startFollower } from './follower.ts';
import { calendar, mortalViews, notebook, registry, Writer } from './sample-services.ts';
import { viewSchemaOf } from './slice.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'follower-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const services = [notebook, calendar];
let runs = 0;

describe('the follower on disk', () => {
  it('live with crashes, rebuilt in place, and replayed in memory all give one dump', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ notes: fc.nat(20), end: fc.constantFrom('stop', 'crash') }), {
          minLength: 1,
          maxLength: 5,
        }),
        fc.integer({ min: 1, max: 20 }),
        async (rounds, commitEvery) => {
          const writer = new Writer(memoryEventStore());
          const clock = new ManualClock('2026-04-10T09:00:00.000Z');
          const run = String(++runs);
          const follow = (views: (service: string) => ViewStore): Follower =>
            startFollower({
              store: writer.store,
              registry,
              services,
              views,
              clock,
              batch: 3,
              commitEvery,
              onFailure: (error) => {
                throw error;
              },
            });
          const onDisk = () => {
            const open = services.map((service) => {
              const schema = viewSchemaOf(service, '1');
              const file = path.join(folder, run, service.name);
              const views = openSqliteViews({ ...schema, file, memoryBytes: 1000 });
              return [service.name, mortalViews(views)] as const;
            });
            return new Map(open);
          };
          for (const { notes, end } of rounds) {
            const views = onDisk();
            const follower = follow((name) => views.get(name) ?? memoryViews());
            for (let i = 0; i < notes; i++) await writer.note(`home${i % 3}`);
            await follower.caughtUp;
            if (end === 'crash') for (const store of views.values()) store.kill();
            await follower.stop();
            for (const store of views.values()) store.close();
          }
          const views = onDisk();
          const live = follow((name) => views.get(name) ?? memoryViews());
          const memory = follow(() => memoryViews());
          await Promise.all([live.caughtUp, memory.caughtUp]);
          for (const { name } of services) {
            const dump = live.dump(name);
            expect(dump).toEqual(memory.dump(name));
            await live.rebuild(name);
            expect(live.dump(name)).toEqual(dump);
          }
          await Promise.all([live.stop(), memory.stop()]);
          for (const store of views.values()) store.close();
        },
      ),
      { numRuns: 15 },
    );
  });
});
