// What may happen to a topic and to those who use it: every event still comes, once to each target and in
// order, or somebody is told. What befalls the brokers: brokers.live.test.ts.
import { afterEach, expect, test } from '@jest/globals';

import { sampleEvents } from '../../event-store/contract/samples.ts';
import { memoryEventStore } from '../../event-store/memory.ts';
import { turn } from '../../runtime/react/sample-service.ts';
import { Probe } from '../contract/probe.ts';
import { partitionOf } from '../partition.ts';
import { PARTITIONS } from '../port.ts';
import type { KafkaBus } from './bus.ts';
import { kafkaClient, kafkaSettings } from './client.ts';
import { busMessage } from './message.ts';
import { ids, Installation, readTopic, url, withBroker } from './testing/broker.ts';
import { FaultyNetwork } from './testing/network.ts';
import { Service } from './testing/service.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (let close = closing.pop(); close !== undefined; close = closing.pop()) await close();
});

function installed(): Installation {
  const installation = new Installation();
  closing.push(() => installation.dispose());
  return installation;
}

await withBroker(() => {
  test('a relay goes on behind its checkpoint: stopped in order, it publishes nothing twice', async () => {
    const installation = installed();
    const first = await installation.open();
    const service = new Service(installation, closing);
    const reactions = await service.start(first);
    await service.write(20, 3);
    await reactions.idle();
    await reactions.stop(5000);
    await first.close();
    const second = await installation.open();
    const again = await service.start(second);
    await service.write(20, 2);
    await again.idle();
    service.check();
    await again.stop(5000);
    // What was delivered may not be acknowledged to the relay yet; its end waits for that.
    await second.close();
    expect([first.relay?.published, second.relay?.published]).toEqual([60, 40]);
    expect(again.metrics.gapsRepaired).toBe(0);
  });

  test('two relays at once double messages and lose none; one of them is told to stop', async () => {
    const installation = installed();
    await installation.open();
    await installation.open();
    const probe = new Probe();
    await probe.consume(await installation.open({ relays: false }), 'billing');
    const { store } = installation;
    for (let n = 0; n < 40; n++) {
      await store.append(
        `thing-${n}`,
        'no-stream',
        sampleEvents(`${n}`, 5, { homeid: `ten_${n}` }),
      );
    }
    await probe.until(() => probe.all.length >= 200);
    await installation.failed;
    for (let n = 40; n < 60; n++) {
      await store.append(
        `thing-${n}`,
        'no-stream',
        sampleEvents(`${n}`, 5, { homeid: `ten_${n}` }),
      );
    }
    await probe.until(() => probe.all.length >= 300);
    expect(probe.faults).toEqual([]);
    expect(new Set(ids(probe.all)).size).toBe(300);
    expect(installation.failures).toEqual([expect.objectContaining({ code: 'misconfigured' })]);
    // What both have sent is on the topic twice and was handed on once.
    expect(probe.all).toHaveLength(300);
  });

  test('a log restored from an older backup is refused, also when it has grown past it', async () => {
    const installation = installed();
    const { epoch } = await installation.store.head();
    const before = sampleEvents('before', 3, { homeid: 'ten_1' });
    await installation.store.append('thing-1', 'no-stream', before);
    const bus = await installation.open();
    await installation.store.append('thing-1', 2n, sampleEvents('lost', 3, { homeid: 'ten_1' }));
    await installation.relayed();
    await bus.close();
    const restored = memoryEventStore({ epoch });
    await restored.append('thing-1', 'no-stream', before);
    const refused = expect.objectContaining({
      code: 'misconfigured',
      message: expect.stringMatching(/published from another log.*Delete the topic/),
    });
    await expect(installation.open({ store: restored })).rejects.toEqual(refused);
    await restored.append('thing-1', 2n, sampleEvents('other', 40, { homeid: 'ten_1' }));
    await expect(installation.open({ store: restored })).rejects.toEqual(refused);
    // The log that it was published from goes on.
    await installation.open();
  });

  test('what a topic no longer holds is read from the log', async () => {
    const installation = installed();
    const bus = await installation.open();
    const service = new Service(installation, closing);
    await service.write(30, 4);
    await installation.relayed();
    await installation.admin(async (admin) => {
      const bounds = await admin.fetchTopicOffsets(bus.topic);
      await admin.deleteTopicRecords({
        topic: bus.topic,
        partitions: bounds.map(({ partition, high }) => ({ partition, offset: high })),
      });
    });
    const reactions = await service.start(bus);
    await service.write(30, 1);
    await reactions.idle();
    service.check();
    expect(reactions.metrics.eventsRecovered).toBeGreaterThan(0);
  });

  test('a topic that is deleted under everybody is made again, and nothing is missing', async () => {
    const installation = installed();
    const bus = await installation.open();
    const service = new Service(installation, closing);
    const reactions = await service.start(bus);
    await service.write(30, 2);
    await reactions.idle();
    await installation.admin((admin) => admin.deleteTopics({ topics: [bus.topic] }));
    await service.write(30, 2);
    await reactions.idle();
    await service.write(30, 1);
    await reactions.idle();
    service.check();
    expect(installation.failures).toEqual([]);
    const { topics } = await installation.admin((admin) =>
      admin.fetchTopicMetadata({ topics: [bus.topic] }),
    );
    expect(topics[0]?.partitions).toHaveLength(PARTITIONS);
  }, 120_000);

  test('connections that are cut again and again, and replies that are lost, lose no event', async () => {
    const installation = installed();
    const network = new FaultyNetwork();
    const bus = await installation.open({ socketFactory: network.socketFactory });
    const service = new Service(installation, closing);
    const reactions = await service.start(bus);
    for (let round = 0; round < 5; round++) {
      network.loseReplies(round);
      await service.write(20, 2);
      network.cut();
      await service.write(20, 1);
    }
    await reactions.idle();
    service.check();
    expect(installation.failures).toEqual([]);
  }, 120_000);

  test('members come and go in the middle of deliveries: each event comes in order, and none is left out', async () => {
    const installation = installed();
    const first = await installation.open();
    const { store } = installation;
    let count = 0;
    const write = async (homes: number): Promise<void> => {
      for (let n = 0; n < homes; n++) {
        const name = `${count++}`;
        const events = sampleEvents(name, 4, { homeid: `ten_${name}` });
        await store.append(`thing-${name}`, 'no-stream', events);
      }
    };
    const lost: number[] = [];
    const marks = new Map<number, string | null>();
    const member = (): Probe =>
      new Probe({
        marks,
        before: async (partition, messages) => {
          await turn();
          for (const message of messages) {
            if (message.kind !== 'event') continue;
            const mark = marks.get(partition);
            if (mark === undefined || mark === null || message.event.position > mark) {
              marks.set(partition, message.event.position);
            }
          }
        },
      });
    const probes = [member(), member()];
    const join = (bus: KafkaBus, probe: Probe | undefined) =>
      bus.consume({
        ...(probe ?? member()).options('billing'),
        from: (partition) => Promise.resolve(marks.get(partition) ?? null),
        revoked: (partition) => void lost.push(partition),
      });
    await join(first, probes[0]);
    await write(100);
    const second = await join(await installation.open({ relays: false }), probes[1]);
    await write(100);
    const all = (): Set<string> => new Set(probes.flatMap((probe) => ids(probe.all)));
    const arrived = (many: number): Promise<void> =>
      Promise.race(probes.map((probe) => probe.until(() => all().size >= many)));
    await arrived(800);
    expect(lost.length).toBeGreaterThan(0);
    expect(probes[1]?.all.length).toBeGreaterThan(0);
    await second.stop(5000);
    await write(50);
    await arrived(1000);
    for (const probe of probes) {
      expect(probe.failures).toEqual([]);
      for (const events of probe.events) {
        const positions = events.map((event) => event.position);
        expect(positions).toEqual([...positions].sort());
      }
    }
  }, 120_000);

  test('offsets are committed behind what the group remembers, never beyond', async () => {
    const installation = installed();
    const bus = await installation.open();
    const { store } = installation;
    for (let n = 0; n < 50; n++) {
      await store.append(
        `thing-${n}`,
        'no-stream',
        sampleEvents(`${n}`, 4, { homeid: `ten_${n}` }),
      );
    }
    const probe = new Probe();
    // It remembers the first event of each partition alone.
    const kept = (partition: number): string | null =>
      probe.events[partition]?.[0]?.position ?? null;
    const consumer = await bus.consume({ ...probe.options('billing'), kept });
    await probe.until(() => probe.all.length >= 200);
    await consumer.stop(5000);
    const { epoch } = await store.head();
    const [group] = await installation.admin((admin) =>
      admin.fetchOffsets({ groupId: `bivouac.${epoch}.billing`, topics: [bus.topic] }),
    );
    // A marker may stand before the first event or behind it; the second is the first not remembered.
    const seconds = new Map(
      (await readTopic(installation, bus.topic))
        .filter(({ partition, message }) => {
          const read = busMessage(message);
          const second = probe.events[partition]?.[1]?.position;
          return read.kind === 'event' && read.event.position === second;
        })
        .map(({ partition, message }) => [partition, message.offset]),
    );
    expect(seconds.size).toBe(new Set(probe.all.map(({ homeid }) => partitionOf(homeid))).size);
    for (const { partition, offset, metadata } of group?.partitions ?? []) {
      const first = probe.events[partition]?.[0]?.position;
      if (first === undefined) continue;
      expect([offset, metadata]).toEqual([seconds.get(partition), first]);
    }
    expect(group?.partitions).toHaveLength(PARTITIONS);
  });

  test('a message that is none of ours is passed over, and what it stood for comes from the log', async () => {
    const installation = installed();
    const bus = await installation.open();
    const service = new Service(installation, closing);
    const reactions = await service.start(bus);
    const kafka = await kafkaClient({ settings: kafkaSettings(url), logger: installation.logger });
    const producer = kafka.producer();
    await producer.connect();
    closing.push(() => producer.disconnect());
    const partition = partitionOf('ten_0');
    await producer.send({
      topic: bus.topic,
      messages: [
        { partition, value: 'nonsense' },
        { partition, value: '{}', headers: { ce_type: 'things.Happened', ce_position: '7' } },
      ],
    });
    await service.write(5, 3);
    await reactions.idle();
    service.check();
    expect(installation.lines.filter(({ level }) => level === 'error')).toEqual([
      expect.objectContaining({ message: expect.stringContaining('is passed over') }),
      expect.objectContaining({ message: expect.stringContaining('is passed over') }),
    ]);
  });

  test('messages on the topic are CloudEvents in binary mode, their values the bytes of the log', async () => {
    const installation = installed();
    const bus = await installation.open();
    const event = sampleEvents('one', 1, { homeid: 'ten_1' });
    await installation.store.append('thing-1', 'no-stream', event);
    await installation.relayed();
    const read = (await readTopic(installation, bus.topic)).filter(
      ({ message }) => busMessage(message).kind === 'event',
    );
    const { events } = await installation.store.readAll();
    expect(read).toHaveLength(1);
    const [{ partition, message } = { partition: -1, message: undefined }] = read;
    expect(partition).toBe(partitionOf('ten_1'));
    expect(String(message?.key)).toBe('ten_1');
    expect(message?.value?.equals(events[0]?.data ?? Buffer.alloc(0))).toBe(true);
    const headers = Object.fromEntries(
      Object.entries(message?.headers ?? {}).map(([name, value]) => [name, String(value)]),
    );
    expect(headers).toMatchObject({
      ce_specversion: '1.0',
      ce_id: events[0]?.id,
      ce_type: 'containers.ContainerRequested',
      ce_source: '/streams/thing-1',
      'content-type': 'application/json',
      ce_position: '00000000000000000001',
    });
  });

  test.each([
    [63, 'cleanup.policy', 'delete', 'has 63 partitions, not 64'],
    [PARTITIONS, 'cleanup.policy', 'compact', 'has cleanup.policy compact'],
    [PARTITIONS, 'max.message.bytes', '1000', 'has max.message.bytes 1000'],
  ])(
    'a topic of %i partitions with %s %s stops the start, saying what to change',
    async (numPartitions, name, value, sentence) => {
      const installation = installed();
      const { epoch } = await installation.store.head();
      const topic = `bivouac.events.${epoch}`;
      const configEntries = [{ name, value }];
      await installation.admin((admin) =>
        admin.createTopics({
          topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }],
          waitForLeaders: false,
        }),
      );
      await expect(installation.open()).rejects.toMatchObject({
        code: 'misconfigured',
        message: expect.stringContaining(sentence),
      });
    },
  );
});
