// Two relays that share a Redis: the second waits, takes over when the first is gone, and nobody ends
// with a conflict; what was written meanwhile is published.
import { afterEach, expect, test } from '@jest/globals';

import { withBroker, Installation } from '../bus/kafka/testing/broker.ts';
import { openCacheEngine } from '../cache/index.ts';
import { OwnRedis, withRedis } from '../cache/redis/testing/server.ts';
import { systemClock } from '../runtime/clock.ts';
import { Writer } from '../runtime/react/sample-service.ts';
import { Turns } from './turns.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (let close = closing.pop(); close !== undefined; close = closing.pop()) await close();
});

await withBroker(() => {
  withRedis(() => {
    test('a relay that is stopped is followed by the one that waits, also after FLUSHALL', async () => {
      const installation = new Installation();
      closing.push(() => installation.dispose());
      const redis = await OwnRedis.start();
      closing.push(() => redis.dispose());
      const { epoch } = await installation.store.head();
      const started = async (): Promise<Turns> => {
        const cache = await openCacheEngine({
          ...{ url: redis.url, installation: epoch, clock: systemClock },
        });
        closing.push(() => cache.close());
        const turns = await Turns.start({
          ...{ cache, name: 'relay', logger: installation.logger, network: systemClock },
          begin: async () => {
            const bus = await installation.open();
            return { stop: () => bus.close() };
          },
          onFailure: (error) => installation.failures.push(error),
        });
        closing.push(() => turns.stop());
        return turns;
      };
      const writer = new Writer(installation.store);
      const first = await started();
      const second = await started();
      expect([first.active, second.active]).toEqual([true, false]);
      for (let n = 0; n < 50; n++) await writer.append(`ten_${n}`, 'target');
      await installation.relayed();
      await first.stop();
      for (let n = 0; n < 50; n++) await writer.append(`ten_${n}`, 'target');
      await installation.relayed();
      expect(second.active).toBe(true);
      const third = await started();
      expect(third.active).toBe(false);
      await redis.admin.flushall();
      for (let n = 0; n < 50; n++) await writer.append(`ten_${n}`, 'target');
      await installation.relayed();
      expect(installation.failures).toEqual([]);
      expect([second.active, third.active].filter(Boolean)).toHaveLength(1);
    }, 120_000);
  });
});
