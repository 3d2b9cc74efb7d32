// Why the relay's producer is not the client's idempotent one (docs/adr/0010): what becomes of batches
// whose acknowledgement is lost on the way.
import { afterEach, expect, test } from '@jest/globals';
import type { Producer } from 'kafkajs';

import { systemClock } from '../../runtime/clock.ts';
import { kafkaClient, kafkaSettings } from './client.ts';
import type { Outgoing } from './message.ts';
import { isElecting, patiently } from './patience.ts';
import { Publisher } from './publisher.ts';
import { Installation, readTopic, url, withBroker } from './testing/broker.ts';
import { FaultyNetwork } from './testing/network.ts';

const messages = (name: string): Outgoing[] =>
  [1, 2, 3].map((n) => ({
    partition: 0,
    key: 'home',
    value: Buffer.from(`${name}${n}`),
    headers: {},
  }));

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (let close = closing.pop(); close !== undefined; close = closing.pop()) await close();
});

function opened(producer: Producer): Producer {
  closing.push(() => producer.disconnect());
  return producer;
}

/** A topic, a connection that can lose replies, and what the topic holds in the end. */
async function world() {
  const installation = new Installation();
  closing.push(() => installation.dispose());
  const { topic } = await installation.open({ relays: false });
  const network = new FaultyNetwork();
  const kafka = await kafkaClient({
    settings: kafkaSettings(url),
    logger: installation.logger,
    socketFactory: network.socketFactory,
  });
  const held = async (): Promise<string[]> =>
    (await readTopic(installation, topic)).map(({ message }) => String(message.value));
  return { installation, topic, network, kafka, held };
}

await withBroker(() => {
  test('the client’s idempotent producer loses the batch after one it gave up, and says it was written', async () => {
    const { topic, network, kafka, held } = await world();
    // Without any repetition the client refuses to be idempotent.
    const producer = opened(kafka.producer({ idempotent: true, retry: { retries: 1 } }));
    await producer.connect();
    const send = (name: string) => producer.send({ topic, acks: -1, messages: messages(name) });
    // A topic just made may be without leaders for a moment.
    await patiently(systemClock, () => send('a'), isElecting);
    network.loseReplies(2);
    await expect(send('b')).rejects.toThrow();
    const acknowledged = await send('c');
    expect(acknowledged).toMatchObject([{ partition: 0, errorCode: 0 }]);
    // The broker takes c for b sent again: both have the same sequence numbers.
    expect(await held()).toEqual(['a1', 'a2', 'a3', 'b1', 'b2', 'b3']);
  });

  test('with retries and two sends at once it loses one as well', async () => {
    const { topic, network, kafka, held } = await world();
    const producer = opened(
      kafka.producer({ idempotent: true, retry: { retries: 5, initialRetryTime: 300 } }),
    );
    await producer.connect();
    const send = (name: string) => producer.send({ topic, acks: -1, messages: messages(name) });
    // A topic just made may be without leaders for a moment.
    await patiently(systemClock, () => send('a'), isElecting);
    network.loseReplies(1);
    await Promise.all([send('b'), network.whenLost(1).then(() => send('c'))]);
    const found = await held();
    expect(found.filter((value) => value.startsWith('c'))).toEqual([]);
  });

  test('our publisher sends what was not acknowledged again: doubled perhaps, never lost, in order', async () => {
    const { installation, topic, network, kafka, held } = await world();
    const publisher = new Publisher({
      kafka,
      topic,
      ensureTopic: () => Promise.resolve(),
      network: systemClock,
      logger: installation.logger,
      random: () => 0.5,
    });
    closing.push(() => publisher.close());
    await publisher.publish(messages('a'));
    // More than the client repeats by itself, so that the producer is thrown away in between.
    network.loseReplies(6);
    await publisher.publish(messages('b'));
    await publisher.publish(messages('c'));
    expect(network.lost).toBe(6);
    expect(publisher.failures).toBeGreaterThan(0);
    const found = await held();
    expect(found.filter((value, i) => found.indexOf(value) === i)).toEqual(
      ['a', 'b', 'c'].flatMap((name) => [`${name}1`, `${name}2`, `${name}3`]),
    );
  });
});
