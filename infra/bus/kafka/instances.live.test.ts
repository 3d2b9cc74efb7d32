// Several instances of a service on real brokers: they share the partitions, take over from one another,
// and neither an orderly leaving nor a loss of the connections passes anything over.
import { afterEach, expect, test } from '@jest/globals';

import { systemClock } from '../../runtime/clock.ts';
import { CheckpointMirror } from '../../runtime/react/mirror.ts';
import type { Reactions } from '../../runtime/react/reaction.ts';
import { startReactions } from '../../runtime/react/reactions.ts';
import {
  keyOf,
  registry,
  sampleReaction,
  World,
  Writer,
} from '../../runtime/react/sample-service.ts';
import { PARTITIONS } from '../port.ts';
import { Installation, withBroker } from './testing/broker.ts';
import { FaultyNetwork } from './testing/network.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (let close = closing.pop(); close !== undefined; close = closing.pop()) await close();
});

function rig() {
  const installation = new Installation();
  closing.push(() => installation.dispose());
  const { store, logger } = installation;
  const world = new World();
  const writer = new Writer(store);
  const failures: unknown[] = [];
  const expected: Record<string, string[]> = {};
  const start = async (
    network?: FaultyNetwork,
    relays = false,
    during?: () => Promise<void> | void,
  ) => {
    const bus = await installation.open({
      relays,
      ...(network && { socketFactory: network.socketFactory }),
    });
    const reactions = await startReactions({
      service: 'sample',
      reactions: [sampleReaction('note', world, during)],
      ...{ bus, store, registry, clock: systemClock, logger },
      onFailure: (error) => failures.push(error),
    });
    closing.push(() => reactions.stop(1000));
    return reactions;
  };
  const write = async (homes: number, each: number): Promise<void> => {
    for (let n = 0; n < homes * each; n++) {
      const homeid = `ten_${n % homes}`;
      const { position } = await writer.append(homeid, 'target');
      (expected[keyOf('note', homeid, 'target')] ??= []).push(position);
    }
  };
  const check = (): void => {
    expect(Object.fromEntries(world.effects)).toEqual(expected);
    expect(failures).toEqual([]);
  };
  /** How far they have come, as it is written down. */
  const marks = async (): Promise<readonly string[]> => {
    const mirror = new CheckpointMirror({
      ...{ service: 'sample', store, clock: systemClock, tenantId: '' },
    });
    return (await mirror.load())?.marks.map((mark) => mark ?? '') ?? [];
  };
  return { installation, world, start, write, check, marks };
}

/** Resolves when these, and no others, have every partition, each at least one. */
async function shared(instances: readonly Reactions[]): Promise<void> {
  const each = (): readonly (readonly number[])[] => instances.map((one) => one.assigned());
  // One that was cut off and does not know yet may name what another has by now: then some are nobody's.
  const are = (): boolean =>
    each().every((of) => of.length > 0) &&
    each().flat().length === PARTITIONS &&
    new Set(each().flat()).size === PARTITIONS;
  let look: () => void = () => undefined;
  const ends = instances.map((one) => one.onAssigned(() => look()));
  while (!are()) await new Promise<void>((resolve) => (look = resolve));
  for (const end of ends) end();
}

const idle = (instances: readonly Reactions[]): Promise<unknown> =>
  Promise.all(instances.map((one) => one.idle()));

await withBroker(() => {
  test('one that comes takes over some partitions, one that goes gives them back, and nothing is lost', async () => {
    const { world, start, write, check } = rig();
    const one = await start(undefined, true);
    await write(40, 3);
    const two = await start();
    await write(40, 3);
    await shared([one, two]);
    await write(40, 3);
    await idle([one, two]);
    check();
    const before = world.calls.length;
    await write(40, 2);
    await idle([one, two]);
    await two.stop(5000);
    await shared([one]);
    await write(40, 1);
    await idle([one]);
    check();
    // It wrote down what it had done before it left: nothing of that was done again.
    expect(world.calls.length - before).toBe(120);
    expect(one.metrics.gapsRepaired).toBe(0);
  }, 120_000);

  test('one whose connections break lets others go on, comes back, and undoes nothing', async () => {
    const { start, write, check } = rig();
    const network = new FaultyNetwork();
    const one = await start(undefined, true);
    const two = await start(network);
    await shared([one, two]);
    for (let times = 0; times < 3; times++) {
      await write(40, 2);
      network.cut();
      await write(40, 2);
      await shared([one, two]);
      await idle([one, two]);
    }
    check();
  }, 120_000);

  test('one that comes while its group cannot come together waits for it', async () => {
    const { start, write, check } = rig();
    const network = new FaultyNetwork();
    const one = await start(undefined, true);
    await write(40, 2);
    // The client itself joins four times.
    network.refuseJoinings(9);
    const two = await start(network);
    expect(network.refused).toBe(9);
    await write(40, 2);
    await shared([one, two]);
    await idle([one, two]);
    check();
  }, 120_000);

  test('one that is cut off with work in hand, and does not know, undoes nothing when it goes on', async () => {
    const { start, write, check, marks } = rig();
    const network = new FaultyNetwork();
    let open: () => void = () => undefined;
    let inHand: () => void = () => undefined;
    let gate: Promise<void> | undefined;
    const begun = new Promise<void>((resolve) => (inHand = resolve));
    const one = await start(undefined, true);
    const two = await start(network, false, () => {
      if (gate !== undefined) inHand();
      return gate;
    });
    await shared([one, two]);
    await write(40, 2);
    await idle([one, two]);
    gate = new Promise((resolve) => (open = resolve));
    await write(40, 2);
    await begun;
    network.hold();
    // Its session ends, and the other gets everything; what it has in hand is done there, and more.
    await shared([one]);
    await write(40, 2);
    await idle([one]);
    check();
    const before = await marks();
    gate = undefined;
    // It goes on, and comes upon what was written meanwhile, unless it has learnt of its loss already.
    const learnt = new Promise<void>((resolve) => two.onAssigned(() => resolve()));
    const believes = two.assigned().length > 0;
    open();
    if (believes) await learnt;
    await write(40, 1);
    network.release();
    await shared([one, two]);
    await idle([one, two]);
    check();
    const after = await marks();
    expect(before.filter((mark, partition) => (after[partition] ?? '') < mark)).toEqual([]);
  }, 120_000);

  test('a wait for a home of another instance ends by what that one writes down', async () => {
    const { start, write, check, installation } = rig();
    const one = await start(undefined, true);
    const two = await start();
    await shared([one, two]);
    await write(40, 1);
    const { position } = await installation.store.head();
    const homes = Array.from({ length: 40 }, (_, n) => `ten_${n}`);
    expect(homes.some((home) => !one.holds(home))).toBe(true);
    await Promise.all(homes.map((home) => one.whenConsumed(home, position ?? '')));
    check();
  }, 120_000);
});
