// A topic is held against its log: what is different is named at its position, what need not be there
// is no difference.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { StoredEvent } from '@bivouac/events/language';

import { readWholeLog, sampleEvents } from '../../event-store/contract/samples.ts';
import { kafkaClient, kafkaSettings } from './client.ts';
import { compareTopic } from './compare.ts';
import { eventMessage, type Outgoing } from './message.ts';
import { Installation, url, withBroker } from './testing/broker.ts';

await withBroker(() => {
  let installation: Installation;
  /** A log of one home whose twelve events were published, and the relay has said so. */
  let events: readonly StoredEvent[];
  beforeEach(async () => {
    installation = new Installation();
    const bus = await installation.open();
    await installation.store.append(
      'thing-1',
      'no-stream',
      sampleEvents('x', 12, { homeid: 'ten_1' }),
    );
    events = (await readWholeLog(installation.store)).filter((e) => e.homeid === 'ten_1');
    await installation.relayed();
    await bus.close();
  });
  afterEach(() => installation.dispose());

  async function compared() {
    const all = await readWholeLog(installation.store);
    const { epoch } = await installation.store.head();
    return compareTopic({ url, logger: installation.logger, epoch, events: () => all });
  }

  /** Puts other messages in the place of those on the topic. */
  async function replaced(messages: readonly Outgoing[]): Promise<void> {
    const { epoch } = await installation.store.head();
    const topic = `bivouac.events.${epoch}`;
    await installation.admin(async (admin) => {
      const bounds = await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({
        topic,
        partitions: bounds.map(({ partition, high }) => ({ partition, offset: high })),
      });
    });
    const kafka = await kafkaClient({ settings: kafkaSettings(url), logger: installation.logger });
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic, acks: -1, messages: [...messages] });
    await producer.disconnect();
  }

  const chain = (of: readonly StoredEvent[]): Outgoing[] =>
    of.map((event, i) => eventMessage(event, of[i - 1]?.position ?? null));

  test('what the relay has published is what the log says', async () => {
    const found = await compared();
    expect(found).toMatchObject({ ok: true, differences: 0, published: events.at(-1)?.position });
    expect(found.counts).toMatchObject({ events: 12, again: 0, unreadable: 0, expired: 0 });
  });

  test('events twice, expired or foreign are counted, and are no differences', async () => {
    const rest = events
      .slice(4)
      .map((event, i) => eventMessage(event, events[i + 3]?.position ?? null));
    const nonsense = { partition: 0, key: null, value: Buffer.from('x'), headers: {} };
    await replaced([...rest.slice(0, 3), ...rest, nonsense]);
    const found = await compared();
    expect(found).toMatchObject({ ok: true, differences: 0 });
    expect(found.counts).toMatchObject({ events: 8, again: 3, unreadable: 1, expired: 4 });
  });

  test('an event left out is named, once where it should be', async () => {
    await replaced(chain(events.filter((_, i) => i !== 5)));
    expect(await compared()).toMatchObject({
      ok: false,
      first: { position: events[5]?.position, what: expect.stringMatching(/missing/) },
    });
    await replaced(chain(events.slice(0, 9)));
    expect(await compared()).toMatchObject({
      differences: 3,
      first: { position: events[9]?.position, what: expect.stringMatching(/missing at the end/) },
    });
  });

  test('an event changed, and one that the log does not have, are named', async () => {
    const forged = events.map((e, i) =>
      i === 7 ? { ...e, data: Buffer.from('{"name":"y"}') } : e,
    );
    await replaced(chain(forged));
    expect(await compared()).toMatchObject({
      differences: 1,
      first: {
        position: events[7]?.position,
        what: expect.stringMatching(/not as the log has it/),
      },
    });
    const last = events.at(-1);
    if (last === undefined) throw new Error('there are no events');
    const beyond = { ...last, position: '00000000000000009999' };
    await replaced(chain([...events, beyond]));
    expect(await compared()).toMatchObject({
      differences: 1,
      first: { position: beyond.position, what: expect.stringMatching(/has no such event/) },
    });
  });

  test('events out of their order are named', async () => {
    const [first, second, ...rest] = events;
    if (first === undefined || second === undefined) throw new Error('there are no events');
    await replaced(chain([second, first, ...rest]));
    const { ok, first: named } = await compared();
    expect([ok, named?.position]).toEqual([false, first.position]);
  });
});
