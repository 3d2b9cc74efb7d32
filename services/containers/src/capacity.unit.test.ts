import { afterEach, describe, expect, test } from '@jest/globals';
import type { LeasedAddress } from '@bivouac/events/operations';
import { type EventStore, EventStoreError } from '@bivouac/infra/event-store';
import fc from 'fast-check';

import { Leftovers, RevokeNodeIdentity } from './api/index.ts';
import { id, plan } from './given.ts';
import { type Answered, SampleWorld } from './sample-world.ts';

const vector = {
  ...{ containers: 1, cpuMillis: 1000, memoryBytes: '1024', diskBytes: '4096', addresses: 1 },
};

let world: SampleWorld;
let imageId: string;

/** A world with an image, and addresses to spare in both places. */
async function roomy(...options: ConstructorParameters<typeof SampleWorld>): Promise<SampleWorld> {
  world = await new SampleWorld(...options).start();
  imageId = await world.image();
  await world.range('198.51.100.0/24');
  await world.range('203.0.113.0/24', 'ams1');
  return world;
}

afterEach(async () => {
  await world.stop();
});

const preparing = (name: string, more: { location?: string; leases?: readonly string[] } = {}) => {
  const { leases = [name], ...rest } = more;
  return {
    ...{ placementId: id('placement', name), containerId: id('container', name), vector },
    ...{ tenantId: id('tenant', 'a'), hostname: `${name}.example.com`, plan: plan(), imageId },
    ...{ leaseIds: leases.map((lease) => id('lease', lease)), family: 'ipv4' as const },
    ...rest,
  };
};
const discarding = (name: string, leases: readonly string[] = [name]) => ({
  ...{ placementId: id('placement', name), containerId: id('container', name) },
  ...{ leaseIds: leases.map((lease) => id('lease', lease)), addresses: [], reason: 'undone' },
});
const leasing = (...names: string[]) => ({
  containerId: id('container', names[0]),
  leaseIds: names.map((name) => id('lease', name)),
  ...{ family: 'ipv4' as const, location: 'fra1' },
});
const givingBack = (addresses: readonly LeasedAddress[], ...names: string[]) => ({
  leaseIds: names.map((name) => id('lease', name)),
  addresses: [...addresses],
  ...{ family: 'ipv4' as const, location: 'fra1' },
});
const op = (operation: string, step = 'ask') => ({ operation, step });
const addressesOf = (answer: Answered | undefined) =>
  (answer?.result?.['addresses'] ?? []) as LeasedAddress[];

/** Loses answers, as if the process died between acting and answering. */
class LossyAnswers {
  lost = 0;
  /** How many more are lost. */
  left: number;

  constructor(left: number) {
    this.left = left;
  }

  readonly wrap = (store: EventStore): EventStore => ({
    ...bound(store),
    append: (stream, expected, events) => {
      if (stream.startsWith('answer-') && this.left > 0) {
        this.left -= 1;
        this.lost += 1;
        throw new EventStoreError('unavailable', 'the answer was lost');
      }
      return store.append(stream, expected, events);
    },
  });
}

function bound(store: EventStore): EventStore {
  return {
    append: (...args) => store.append(...args),
    readStream: (...args) => store.readStream(...args),
    readAll: (...args) => store.readAll(...args),
    readHome: (...args) => store.readHome(...args),
    subscribe: (...args) => store.subscribe(...args),
    head: () => store.head(),
    close: () => store.close(),
  };
}

describe('placements', () => {
  test('of many at once fill the nodes to the last place and never beyond', async () => {
    world = await roomy({ seed: 11 });
    for (const [i, room] of [7, 5, 8].entries()) await world.node(`node${i}`, room);
    const reads = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        world.asks('containers.prepare', preparing(`p${i}`), op(`p${i}`)),
      ),
    );
    await world.settled();
    const answers = await Promise.all(reads.map((read) => read()));
    expect(answers.filter((answer) => answer?.outcome === 'done')).toHaveLength(20);
    const refused = answers.filter((answer) => answer?.outcome === 'refused');
    expect(refused).toHaveLength(10);
    for (const one of refused) expect(one?.refusal?.code).toBe('NO_NODE_WITH_ROOM');
    const taken = await world.all('NodeCapacityTaken');
    const ids = taken.map((event) => event.data['placementId']);
    expect(new Set(ids).size).toBe(20);
    const late = await world.answer('containers.prepare', preparing('late'), op('late'));
    expect(late?.refusal).toMatchObject({
      code: 'NO_NODE_WITH_ROOM',
      details: { asked: { containers: 1 }, bestFree: { containers: 0 } },
    });
  });

  test('spread over the nodes', async () => {
    world = await roomy();
    for (let i = 0; i < 3; i++) await world.node(`node${i}`, 40);
    for (let i = 0; i < 24; i++) {
      await world.asks('containers.prepare', preparing(`p${i}`), op(`p${i}`));
    }
    await world.settled();
    const nodes = (await world.all('NodeCapacityTaken')).map((event) => event.data['nodeId']);
    const counts = [...new Set(nodes)].map((nodeId) => nodes.filter((n) => n === nodeId).length);
    expect(counts).toHaveLength(3);
    for (const count of counts) expect(count).toBeGreaterThan(2);
  });

  test('go where they are asked to go', async () => {
    world = await roomy();
    await world.node('near', 5, 'fra1');
    const far = await world.node('far', 5, 'ams1');
    const inAms = preparing('a', { location: 'ams1' });
    expect(await world.answer('containers.prepare', inAms, op('a'))).toMatchObject({
      result: { nodeId: far, nodeName: 'far', location: 'ams1' },
    });
    const nowhere = preparing('b', { location: 'mars' });
    expect(await world.answer('containers.prepare', nowhere, op('b'))).toMatchObject({
      refusal: { code: 'NO_NODE_WITH_ROOM' },
    });
  });

  test('asked again after the answer was lost are where they were, though there is more room elsewhere', async () => {
    const lossy = new LossyAnswers(Number.POSITIVE_INFINITY);
    world = await roomy(lossy);
    await world.node('node1', 8);
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const reads = [];
    for (const name of names) {
      reads.push(await world.asks('containers.prepare', preparing(name), op(name)));
    }
    while (lossy.lost < names.length) await new Promise((resolve) => setImmediate(resolve));
    await world.register('node2', 1000);
    lossy.left = 0;
    await world.settled();
    for (const read of reads) expect(await read()).toMatchObject({ outcome: 'done' });
    expect(await world.all('NodeCapacityTaken')).toHaveLength(names.length);
  });

  test('without an address, an image or a name that a kernel holds leave nothing behind', async () => {
    world = await roomy();
    await world.node('node1', 8);
    const draft = await world.image(false);
    for (const [name, more, code] of [
      ['a', { leases: Array.from({ length: 64 }, (_, i) => `a${i}`) }, undefined],
      ['b', { imageId: draft }, 'IMAGE_NOT_PUBLISHED'],
      ['c', { imageId: id('image', 'none') }, 'IMAGE_UNKNOWN'],
      ['d', { hostname: `${'d'.repeat(60)}.example` }, 'HOSTNAME_TOO_LONG'],
      ['e', { leases: Array.from({ length: 64 }, (_, i) => `e${i}`) }, undefined],
      ['f', { leases: Array.from({ length: 64 }, (_, i) => `f${i}`) }, undefined],
      ['g', { leases: Array.from({ length: 64 }, (_, i) => `g${i}`) }, 'POOL_FULL'],
    ] as const) {
      const input = { ...preparing(name, 'leases' in more ? more : {}), ...more };
      const { leases: _, ...asked } = { leases: undefined, ...input };
      const answer = await world.answer('containers.prepare', asked, op(name));
      expect(answer?.refusal?.code).toBe(code);
    }
    expect(await world.query(Leftovers, {})).toMatchObject({
      ...{ placements: 3, leases: 192, rosterEntries: 3 },
    });
    expect(await world.all('ContainerRequested')).toHaveLength(3);
  });

  test('go, where no location is named, to one with addresses of the family to give', async () => {
    world = await roomy();
    for (let i = 0; i < 6; i++) await world.node(`full${i}`, 10);
    const ams = await world.node('ams', 10, 'ams1');
    await world.range('2001:db8::/64', 'ams1');
    for (const name of ['a', 'b', 'c']) {
      const input = { ...preparing(name), family: 'ipv6' as const };
      const answer = await world.answer('containers.prepare', input, op(name));
      expect(answer).toMatchObject({ outcome: 'done', result: { nodeId: ams } });
    }
  });

  test('go to nodes with an agent first, and to none whose agent was shown out', async () => {
    world = await roomy();
    const awaited = await Promise.all([0, 1, 2, 3, 4].map((i) => world.node(`awaited${i}`, 10)));
    const enrolled = await world.node('enrolled', 2);
    await world.enrol(enrolled);
    const place = async (name: string) =>
      (await world.answer('containers.prepare', preparing(name), op(name)))?.result?.['nodeId'];
    expect([await place('a'), await place('b')]).toEqual([enrolled, enrolled]);
    expect(awaited).toContain(await place('c'));
    for (const nodeId of awaited) {
      await world.enrol(nodeId);
      await world.command(RevokeNodeIdentity, { nodeId, reason: 'stolen' });
    }
    await world.settled();
    const refused = await world.answer('containers.prepare', preparing('d'), op('d'));
    expect(refused).toMatchObject({ refusal: { code: 'NO_NODE_WITH_ROOM' } });
  });

  test('given back before they were made are never made', async () => {
    world = await roomy();
    await world.node('node1');
    const undone = await world.answer('containers.discard', discarding('a'), op('a', 'undo'));
    expect(undone).toMatchObject({ outcome: 'done' });
    const late = await world.answer('containers.prepare', preparing('a'), op('a', 'prepare'));
    expect(late).toMatchObject({ refusal: { code: 'PLACEMENT_VOIDED' } });
    expect(await world.all('NodeCapacityTaken', 'ContainerRequested')).toEqual([]);
  });

  test('of which only the id is known are found and given back, once', async () => {
    world = await roomy();
    for (let i = 0; i < 3; i++) await world.node(`node${i}`, 1);
    for (const name of ['a', 'b', 'c']) {
      await world.answer('containers.prepare', preparing(name), op(name, 'prepare'));
    }
    for (const attempt of [1, 2]) {
      const asking = { ...op('b', 'undo-prepare'), attempt };
      const undone = await world.answer('containers.discard', discarding('b'), asking);
      expect(undone).toMatchObject({ outcome: 'done' });
    }
    expect(await world.all('NodeCapacityFreed')).toHaveLength(1);
    expect(await world.query(Leftovers, {})).toMatchObject({
      ...{ placements: 2, leases: 2, rosterEntries: 2 },
    });
    const again = await world.answer('containers.prepare', preparing('d'), op('d'));
    expect(again).toMatchObject({ outcome: 'done' });
  });
});

describe('leases', () => {
  test('of many at once give each address once, and then say that the pool is full', async () => {
    world = await new SampleWorld({ seed: 5 }).start();
    await world.range('192.0.2.0/29');
    await world.range('192.0.2.16/29');
    const reads = await Promise.all(
      Array.from({ length: 16 }, (_, i) =>
        world.asks('containers.lease', leasing(`l${i}`), op(`l${i}`)),
      ),
    );
    await world.settled();
    const answers = await Promise.all(reads.map((read) => read()));
    const addresses = answers.flatMap(addressesOf).map((one) => one.address);
    expect(addresses).toHaveLength(12);
    expect(new Set(addresses).size).toBe(12);
    const refused = answers.filter((answer) => answer?.outcome === 'refused');
    for (const one of refused) expect(one?.refusal?.code).toBe('POOL_FULL');
    expect(await world.query(Leftovers, {})).toMatchObject({ leases: 12 });
  });

  test('of several come from several ranges where one has too few, and all or none', async () => {
    world = await new SampleWorld().start();
    await world.range('192.0.2.0/30');
    await world.range('192.0.2.16/30');
    const three = await world.answer('containers.lease', leasing('a', 'b', 'c'), op('three'));
    expect(addressesOf(three).map((one) => one.leaseId)).toEqual(
      ['a', 'b', 'c'].map((name) => id('lease', name)),
    );
    expect(new Set(addressesOf(three).map((one) => one.rangeId)).size).toBe(2);
    const two = await world.answer('containers.lease', leasing('d', 'e'), op('two'));
    expect(two).toMatchObject({ refusal: { code: 'POOL_FULL', details: { asked: 2, free: 1 } } });
    expect(await world.query(Leftovers, {})).toMatchObject({ leases: 3 });
    const one = await world.answer('containers.lease', leasing('f'), op('one'));
    expect(addressesOf(one)).toHaveLength(1);
  });

  test('asked again after the answer was lost have the same addresses and hold no more', async () => {
    world = await new SampleWorld(new LossyAnswers(3)).start();
    await world.range('192.0.2.0/29');
    const answer = await world.answer('containers.lease', leasing('a', 'b'), op('a'));
    expect(addressesOf(answer).map((one) => one.address)).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(await world.all('AddressLeased')).toHaveLength(2);
  });

  test('given back before they were made are never made', async () => {
    world = await new SampleWorld().start();
    await world.range('192.0.2.0/29');
    await world.answer('containers.unlease', givingBack([], 'a', 'b'), op('a', 'undo-lease'));
    const late = await world.answer('containers.lease', leasing('a', 'b'), op('a', 'lease'));
    expect(late).toMatchObject({ refusal: { code: 'LEASE_VOIDED' } });
    expect(await world.query(Leftovers, {})).toMatchObject({ leases: 0 });
  });

  test('of which only the ids are known are found and given back', async () => {
    world = await new SampleWorld().start();
    await world.range('192.0.2.0/30');
    await world.range('192.0.2.16/30');
    await world.answer('containers.lease', leasing('a', 'b', 'c'), op('a', 'lease'));
    // Long after, when no range remembers what it declined.
    await world.pass(3600);
    await world.answer('containers.unlease', givingBack([], 'c', 'b', 'a'), op('a', 'undo-lease'));
    expect(await world.query(Leftovers, {})).toMatchObject({ leases: 0 });
    expect(await world.all('AddressReleased')).toHaveLength(3);
  });

  test('rest before they are leased again', async () => {
    world = await new SampleWorld().start();
    await world.range('192.0.2.0/30', 'fra1', 60);
    const first = await world.answer('containers.lease', leasing('a', 'b'), op('a', 'lease'));
    const back = givingBack(addressesOf(first), 'a', 'b');
    await world.answer('containers.unlease', back, op('a', 'unlease'));
    const soon = await world.answer('containers.lease', leasing('c'), op('c'));
    expect(soon).toMatchObject({ refusal: { code: 'POOL_FULL' } });
    await world.pass(60);
    const later = await world.answer('containers.lease', leasing('d'), op('d'));
    expect(addressesOf(later)).toMatchObject([{ address: '192.0.2.1' }]);
  });

  test('in a place without a pool are refused', async () => {
    world = await new SampleWorld().start();
    const answer = await world.answer('containers.lease', leasing('a'), op('a'));
    expect(answer).toMatchObject({ refusal: { code: 'POOL_FULL', details: { free: 0 } } });
  });
});

describe('placements and leases, undone at any moment and answered late', () => {
  test('hold nothing in the end, whatever was lost and however the bus interleaves', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.nat(6),
        fc.array(fc.record({ undoFirst: fc.boolean(), known: fc.boolean() }), {
          minLength: 1,
          maxLength: 6,
        }),
        async (seed, lost, orders) => {
          world = await new SampleWorld({ seed, wrap: new LossyAnswers(lost).wrap }).start();
          imageId = await world.image();
          await world.node('node1', 2);
          await world.node('node2', 1);
          await world.range('192.0.2.0/30');
          await world.range('192.0.2.16/30');
          const undo = (name: string) =>
            world.asks(
              'containers.discard',
              discarding(name, [`${name}1`, `${name}2`]),
              op(name, 'undo-prepare'),
            );
          for (const [i, { undoFirst, known }] of orders.entries()) {
            const name = `o${i}`;
            if (undoFirst) await undo(name);
            await world.asks(
              'containers.prepare',
              preparing(name, { leases: [`${name}1`, `${name}2`] }),
              op(name, 'prepare'),
            );
            if (known) await world.settled();
            if (!undoFirst) await undo(name);
          }
          await world.settled();
          expect(await world.query(Leftovers, {})).toMatchObject({
            ...{ placements: 0, leases: 0, rosterEntries: 0 },
          });
          const taken = (await world.all('NodeCapacityTaken')).map((e) => e.data['placementId']);
          expect(new Set(taken).size).toBe(taken.length);
          const leased = (await world.all('AddressLeased')).map((e) => e.data['leaseId']);
          expect(new Set(leased).size).toBe(leased.length);
          await world.stop();
        },
      ),
      { numRuns: 25 },
    );
  }, 60_000);
});
