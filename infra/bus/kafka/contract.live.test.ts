// The laws of every bus on real brokers; what they are is in ../contract.ts.
import { systemClock } from '../../runtime/clock.ts';
import { busContract } from '../contract.ts';
import { Installation, withBroker } from './testing/broker.ts';

await withBroker(() => {
  busContract('Kafka', async () => {
    const installation = new Installation();
    return {
      bus: await installation.open(),
      store: installation.store,
      second: () => systemClock.sleep(1000),
      dispose: () => installation.dispose(),
    };
  });
});
