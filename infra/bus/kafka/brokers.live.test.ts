// Brokers that die or stand still, one after the other: appends go on, and every event comes once and in order.
import { afterEach, expect, test } from '@jest/globals';

import {
  Installation,
  killBroker,
  ownBrokers,
  pauseBroker,
  startBrokers,
  withBroker,
} from './testing/broker.ts';
import { Service } from './testing/service.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (let close = closing.pop(); close !== undefined; close = closing.pop()) await close();
});

/** A service that reacts; what befalls the brokers is done between its events. */
async function reacting() {
  const installation = new Installation();
  closing.push(() => installation.dispose());
  const service = new Service(installation, closing);
  const reactions = await service.start(await installation.open());
  return {
    write: (homes: number, each: number) => service.write(homes, each),
    idle: () => reactions.idle(),
    /** One more of each home comes, and with it all that was written before. */
    ends: async () => {
      await service.write(20, 1);
      await reactions.idle();
      service.check();
      expect(installation.failures).toEqual([]);
    },
  };
}

await withBroker(() => {
  if (ownBrokers > 0) {
    test('a broker killed and started again: appends go on, and everything arrives', async () => {
      const service = await reacting();
      await service.write(20, 2);
      await killBroker(1);
      await service.write(20, 2);
      await startBrokers();
      await service.ends();
    }, 180_000);
  }

  if (ownBrokers === 3) {
    test('each broker in turn stands still until the others go on without it, and wakes among them', async () => {
      const service = await reacting();
      for (const broker of [1, 2, 3]) {
        await service.write(20, 1);
        const goOn = pauseBroker(broker);
        try {
          await service.write(20, 2);
          // What it led is led by others once it has been silent for its session.
          await service.idle();
        } finally {
          goOn();
        }
        await service.write(20, 1);
        await service.idle();
      }
      await service.ends();
    }, 600_000);

    test('each broker in turn is killed, and the others carry on without it', async () => {
      const service = await reacting();
      for (const broker of [1, 2, 3]) {
        await service.write(20, 1);
        await killBroker(broker);
        await service.write(20, 2);
        await service.idle();
        await startBrokers();
      }
      await service.ends();
    }, 300_000);
  }
});
