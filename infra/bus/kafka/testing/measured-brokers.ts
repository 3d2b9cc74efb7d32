/**
 * A relay as it is, over a log in memory, whose brokers are pretended: what it measures of itself can be tried
 * where there is no Kafka. They take everything, or nothing.
 */
import { KafkaJSConnectionError, type Producer } from 'kafkajs';

import type { EventStore } from '../../../event-store/port.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Metrics } from '../../../runtime/metrics/port.ts';
import { measureRelay } from '../measured-relay.ts';
import { Publisher } from '../publisher.ts';
import { Relay } from '../relay.ts';
import { RelayCheckpoint } from '../relay-checkpoint.ts';

export interface PretendedRelay {
  /** The brokers are away from now on, or there again. */
  readonly setAway: (away: boolean) => void;
  readonly stop: () => Promise<void>;
}

export async function relayToPretended(options: {
  readonly store: EventStore;
  readonly clock: Clock;
  /** When markers are due and sending is tried again. */
  readonly network: Clock;
  readonly metrics: Metrics;
  readonly onFailure: (error: unknown) => void;
}): Promise<PretendedRelay> {
  const { store, clock, network, metrics } = options;
  let isAway = false;
  const answered = (): Promise<[]> =>
    isAway
      ? Promise.reject(new KafkaJSConnectionError('connect ECONNREFUSED'))
      : Promise.resolve([]);
  const sender: Pick<Producer, 'connect' | 'send' | 'disconnect'> = {
    connect: async () => void (await answered()),
    send: answered,
    disconnect: () => Promise.resolve(),
  };
  const silent = () => undefined;
  const logger = { debug: silent, info: silent, warn: silent, error: silent };
  const publisher = new Publisher({
    ...{ network, logger, topic: 'pretended', random: () => 0.5 },
    kafka: { producer: () => sender },
    ensureTopic: () => Promise.resolve(),
  });
  const { epoch } = await store.head();
  const relay = await Relay.start({
    ...{ store, publisher, epoch, network, logger },
    checkpoint: new RelayCheckpoint({
      ...{ clusterId: 'pretended', topic: 'pretended', store, clock, tenantId: 'provider' },
    }),
    onFailure: options.onFailure,
  });
  const end = measureRelay({ relay, publisher, store, clock, metrics });
  return {
    setAway: (away) => {
      isAway = away;
    },
    stop: async () => {
      end();
      await publisher.close();
      await relay.stop();
    },
  };
}
