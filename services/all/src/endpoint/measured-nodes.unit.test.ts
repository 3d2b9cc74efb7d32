// A node is heard while it is connected; afterwards it is told for how long it has not been.
import { ManualClock, processMetrics } from '@bivouac/infra/runtime';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { measureNodes } from './measured-nodes.ts';

test('whatever connects and leaves, a scrape tells how long ago a scrape has found it connected', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          wait: fc.nat(500_000),
          connected: fc.subarray(['nod_a', 'nod_b', 'nod_c']),
        }),
        { minLength: 1, maxLength: 20 },
      ),
      async (scrapes) => {
        const clock = new ManualClock(0);
        const metrics = processMetrics({ ofNode: false });
        let connected: readonly string[] = [];
        const end = measureNodes({ connected: () => connected }, clock, metrics);
        const heardAt = new Map<string, number>();
        for (const scrape of scrapes) {
          clock.advance(scrape.wait);
          connected = scrape.connected;
          for (const node of connected) heardAt.set(node, clock.now());
          const { text } = await metrics.scrape();
          const told = [
            ...text.matchAll(/^bivouac_node_last_heard_seconds\{node="(\w+)"\} (\S+)$/gm),
          ].map(([, node, seconds]) => [node, Number(seconds)]);
          expect(new Map(told.map(([node, seconds]) => [node, seconds]))).toEqual(
            new Map([...heardAt].map(([node, at]) => [node, (clock.now() - at) / 1000])),
          );
        }
        end();
      },
    ),
    { numRuns: 50 },
  );
});
