// What networks do between a service and brokers that are well: everything is late or slow, replies and requests
// end in the middle, connections stand and never say a word again, or are reset. Each event still comes, once and
// in order. What brokers say of themselves would lead around a proxy, so connections are led to one by the client.
import { connect } from 'node:net';

import { afterEach, expect, test } from '@jest/globals';
import type { ISocketFactory } from 'kafkajs';

import { FaultyProxy } from '../../dev/proxy/proxy.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Reactions } from '../../runtime/react/reaction.ts';
import { startReactions } from '../../runtime/react/reactions.ts';
import {
  keyOf,
  registry,
  sampleReaction,
  World,
  Writer,
} from '../../runtime/react/sample-service.ts';
import { kafkaSettings } from './client.ts';
import { Installation, url, withBroker } from './testing/broker.ts';

const TIMEOUT = 600_000;
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (let close = closing.pop(); close !== undefined; close = closing.pop()) await close();
});

/** A proxy before each broker. */
class Network {
  readonly #proxies: ReadonlyMap<number, FaultyProxy>;

  private constructor(proxies: ReadonlyMap<number, FaultyProxy>) {
    this.#proxies = proxies;
  }

  static async start(): Promise<Network> {
    const proxies = new Map<number, FaultyProxy>();
    for (const broker of kafkaSettings(url).brokers) {
      const [host = '', port = ''] = broker.split(':');
      const proxy = await FaultyProxy.start({ to: { host, port: Number(port) } });
      closing.push(() => proxy.close());
      proxies.set(Number(port), proxy);
    }
    return new Network(proxies);
  }

  get all(): readonly FaultyProxy[] {
    return [...this.#proxies.values()];
  }

  readonly socketFactory: ISocketFactory = ({ port, onConnect }) => {
    const proxy = this.#proxies.get(port);
    if (proxy === undefined) throw new Error(`nobody knows a broker at ${port}`);
    return connect({ host: '127.0.0.1', port: proxy.port }, onConnect);
  };
}

/** A service whose every connection to the brokers leads through the network. */
async function service() {
  const installation = new Installation();
  closing.push(() => installation.dispose());
  const { store, logger } = installation;
  const network = await Network.start();
  const world = new World();
  const writer = new Writer(store);
  const failures: unknown[] = [];
  const expected: Record<string, string[]> = {};
  const bus = await installation.open({ socketFactory: network.socketFactory });
  const reactions: Reactions = await startReactions({
    service: 'sample',
    reactions: [sampleReaction('note', world)],
    ...{ bus, store, registry, clock: systemClock, logger },
    onFailure: (error) => failures.push(error),
  });
  closing.push(() => reactions.stop(1000));
  const write = async (each: number): Promise<void> => {
    for (let n = 0; n < 20 * each; n++) {
      const homeid = `ten_${n % 20}`;
      const { position } = await writer.append(homeid, 'target');
      (expected[keyOf('note', homeid, 'target')] ??= []).push(position);
    }
  };
  const check = async (): Promise<void> => {
    await reactions.idle();
    expect([world.faults, failures, installation.failures]).toEqual([[], [], []]);
    expect(Object.fromEntries(world.effects)).toEqual(expected);
  };
  return { network, write, check };
}

await withBroker(() => {
  test(
    'late by a quarter of a second, and slow as well, each event comes once and in order',
    async () => {
      const { network, write, check } = await service();
      await write(2);
      for (const proxy of network.all) proxy.delay(250);
      await write(2);
      await check();
      for (const proxy of network.all) proxy.throttle(60_000);
      await write(2);
      await check();
    },
    TIMEOUT,
  );

  test(
    'cut in the middle of a request or a reply, wherever it is, each event comes once and in order',
    async () => {
      const { network, write, check } = await service();
      await write(1);
      await check();
      for (const bytes of [0, 1, 3, 4, 17, 100, 333, 1000, 2500, 6000]) {
        const cuts = network.all.flatMap((proxy) => [
          proxy.cutAfter('up', bytes),
          proxy.cutAfter('down', bytes),
        ]);
        await write(2);
        await Promise.any(cuts);
        await write(1);
      }
      await check();
      expect(network.all.reduce((sum, { cuts }) => sum + cuts, 0)).toBeGreaterThan(9);
    },
    TIMEOUT,
  );

  test(
    'half-open or reset, appends go on, and each event comes once and in order when the network is sound again',
    async () => {
      const { network, write, check } = await service();
      await write(2);
      await check();
      for (const happens of ['swallow', 'refuse', 'hold'] as const) {
        const before = network.all.map(({ accepted }) => accepted);
        for (const proxy of network.all) proxy[happens]();
        await write(2);
        // Held, nobody knows: what is not answered in time is given up, and connected to anew.
        const again = network.all.map((proxy, n) => proxy.whenAccepted((before[n] ?? 0) + 1));
        await Promise.any(again);
        for (const proxy of network.all) proxy.heal();
        await write(1);
        await check();
      }
    },
    TIMEOUT,
  );
});
