/** A relay beside the installation, which serves its metrics and whose brokers are away. */
import { uuidOf, instantOf } from '@bivouac/events/values';
import { memoryEventStore } from '@bivouac/infra/event-store';
import { Closing, serveMetrics } from '@bivouac/infra/process';
import { createLogger, ManualClock, readConfig, systemClock } from '@bivouac/infra/runtime';

import { relayToPretended } from '../../infra/bus/kafka/testing/measured-brokers.ts';

export interface RelayAway {
  /** Where it is measured. */
  readonly url: string;
  /** The brokers are there again; resolves when they have the event. */
  mend(): Promise<void>;
  stop(): Promise<void>;
}

/** @param seconds for which an event waits to be published */
export async function relayAway(seconds: number): Promise<RelayAway> {
  const store = memoryEventStore();
  const clock = new ManualClock('2026-04-10T09:00:00.000Z');
  const closing = new Closing();
  const config = readConfig({ METRICS_LISTEN: '0' });
  const logger = createLogger('silent', process.stderr);
  const { metrics, url = '' } = await serveMetrics(
    { config, log: undefined, logger, part: 'relay', ready: () => true },
    closing,
  );
  const relay = await relayToPretended({
    ...{ store, clock, network: systemClock, metrics },
    onFailure: (error) => {
      console.error(error);
    },
  });
  closing.add(() => relay.stop());
  relay.setAway(true);
  const commandkey = uuidOf('waits');
  await store.append('waiting-1', 'no-stream', [
    {
      ...{ id: uuidOf(commandkey, '0'), type: 'test.Happened', schemaver: 1 },
      ...{ data: Buffer.from('{}'), time: instantOf(clock.now()), tenantid: 't', homeid: 'h' },
      ...{ actorid: 'test', commandkey, inputhash: '', correlationid: commandkey },
      causationid: commandkey,
    },
  ]);
  clock.advance(seconds * 1000);
  return {
    url,
    mend: async () => {
      relay.setAway(false);
      while (!(await metrics.scrape()).text.includes('\nbivouac_relay_published_total 1\n'))
        await new Promise((resolve) => setImmediate(resolve));
    },
    stop: () => closing.close(),
  };
}
