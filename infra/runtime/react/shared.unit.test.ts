// Several instances of a service share the partitions and one checkpoint: whoever has a partition, or
// still believes to, no event is passed over, no parked home is forgotten, and no mark goes back.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { partitionOf } from '../../bus/partition.ts';
import { memoryEventStore } from '../../event-store/index.ts';
import type { EventStore } from '../../event-store/port.ts';
import { ManualClock } from '../clock.ts';
import { CheckpointMirror, type ReactionCheckpoint } from './mirror.ts';
import { Member, type Weather } from './sample-group.ts';
import {
  Happened,
  keyOf,
  passing,
  registry,
  sampleReaction,
  turn,
  World,
  Writer,
} from './sample-service.ts';

const HOMES = ['ten_0', 'ten_1', 'ten_2', 'ten_3'];
const INSTANCES = 3;
/** Of each home, and one more for each instance, so that none is without. */
const USED = [...new Set(HOMES.map(partitionOf))];
const SPARE = Array.from({ length: 64 }, (_, p) => p)
  .filter((p) => !USED.includes(p))
  .slice(0, INSTANCES);

/** Looks at every checkpoint as it is written: is what it says so, and does no mark go back? */
function watched(store: EventStore, world: World, skipped: ReadonlySet<string>, faults: string[]) {
  let last: ReactionCheckpoint | undefined;
  const look = async (): Promise<void> => {
    const mirror = new CheckpointMirror({ service: 'sample', store, clock, tenantId: '' });
    const now = await mirror.load();
    for (const [p, mark] of (now?.marks ?? []).entries()) {
      if ((mark ?? '') < (last?.marks[p] ?? '')) faults.push(`the mark of ${p} went back`);
    }
    for (const event of (await store.readAll({ limit: 10_000 })).events) {
      const { homeid, position, id } = event;
      if (event.type !== Happened.type || position > (now?.marks[partitionOf(homeid)] ?? ''))
        continue;
      const parked = now?.parked.find((home) => home.homeId === homeid);
      if (skipped.has(id) || (parked !== undefined && position >= parked.from)) continue;
      const target = String(registry.decode(event)?.data['target']);
      if (!world.done.has(`${keyOf('sample.do', homeid, target)} ${id}`)) {
        faults.push(`the checkpoint passes over the event at ${position}`);
      }
    }
    last = now;
  };
  const clock = new ManualClock('2026-04-10T09:00:00.000Z');
  const own: EventStore = {
    append: async (...args) => {
      const result = await store.append(...args);
      if (args[0].startsWith('checkpoint-')) await look();
      return result;
    },
    readStream: (...args) => store.readStream(...args),
    readAll: (...args) => store.readAll(...args),
    readHome: (...args) => store.readHome(...args),
    subscribe: (...args) => store.subscribe(...args),
    head: () => store.head(),
    close: () => store.close(),
  };
  return own;
}

function rig(weather?: Weather) {
  const clock = new ManualClock('2026-04-10T09:00:00.000Z');
  const log = memoryEventStore({ epoch: 'one' });
  const world = new World();
  const writer = new Writer(log);
  const poison = new Set<string>();
  const skipped = new Set<string>();
  const faults: string[] = [];
  const store = watched(log, world, skipped, faults);
  const reaction = sampleReaction('sample.do', world, async (event) => {
    await turn();
    if (poison.has(event.id)) throw new TypeError('a defect');
  });
  const start = (): Promise<Member> =>
    Member.start({ store, clock, reactions: [reaction], ...(weather && { weather }) });
  const seconds = async (n: number): Promise<void> => {
    for (let i = 0; i < n * 4; i++) {
      clock.advance(250);
      for (let t = 0; t < 12; t++) await turn();
    }
  };
  const mirror = () =>
    new CheckpointMirror({ service: 'sample', store: log, clock, tenantId: '' }).load();
  return { clock, log, world, writer, poison, skipped, faults, start, seconds, mirror };
}

const SICK = 'ten_0';

describe('a checkpoint that several instances write', () => {
  test('each writes its own partitions, and what the other has written stands', async () => {
    const { writer, start, seconds, mirror, world } = rig();
    const [one, two] = [await start(), await start()];
    one.give(partitionOf('ten_1'));
    two.give(partitionOf('ten_2'));
    const first = await writer.append('ten_1', 'a');
    const second = await writer.append('ten_2', 'a');
    await seconds(3);
    const marks = (await mirror())?.marks;
    expect(marks?.[partitionOf('ten_1')]).toBe(first.position);
    expect(marks?.[partitionOf('ten_2')]).toBe(second.position);
    expect(world.calls).toHaveLength(2);
    expect([...one.process.failures, ...two.process.failures]).toEqual([]);
    expect(one.process.reactions.assigned()).toEqual([partitionOf('ten_1')]);
    expect(one.process.reactions.metrics.overtaken).toBe(0);
  });

  test('one that slept through the loss of a partition cannot take back what its heir has written', async () => {
    const { writer, start, seconds, mirror, poison, faults } = rig();
    const [zombie, heir] = [await start(), await start()];
    const partition = partitionOf(SICK);
    zombie.give(partition);
    await writer.append(SICK, 'a');
    await seconds(2);
    const bad = await writer.append(SICK, 'a');
    poison.add(bad.id);
    // It has the next event in hand when it falls asleep; its heir parks the home at it, and staff skip it.
    zombie.pause();
    heir.give(partition);
    const last = await writer.append(SICK, 'a');
    await seconds(3);
    expect((await mirror())?.parked).toMatchObject([{ homeId: SICK, from: bad.position }]);
    expect(await heir.process.reactions.skipParked(SICK, bad.id)).toMatchObject({
      outcome: 'flowing',
    });
    await seconds(2);
    const before = await mirror();
    expect(before).toMatchObject({ parked: [] });
    expect(before?.marks[partition]).toBe(last.position);

    // Awake, it still believes that the partition is its own, for as long as nobody has told it.
    zombie.wake();
    await seconds(4);
    expect(await mirror()).toEqual(before);
    zombie.take(partition);
    await seconds(2);
    expect(await mirror()).toEqual(before);
    expect(faults.filter((fault) => !fault.includes(bad.position))).toEqual([]);
    expect([...zombie.process.failures, ...heir.process.failures]).toEqual([]);
  });

  test('where a sleeper wakes first, its heir goes on from what it wrote, and nothing is lost', async () => {
    const { writer, start, seconds, mirror, world, faults } = rig();
    const [zombie, heir] = [await start(), await start()];
    const partition = partitionOf(SICK);
    zombie.give(partition);
    const first = await writer.append(SICK, 'a');
    await seconds(2);
    heir.give(partition);
    // Both have it now, and both react to the same.
    const more = await writer.append(SICK, 'a');
    await seconds(4);
    zombie.take(partition);
    const last = await writer.append(SICK, 'a');
    await seconds(4);
    expect((await mirror())?.marks[partition]).toBe(last.position);
    expect(new Set(world.calls)).toEqual(new Set([first.id, more.id, last.id]));
    const { overtaken, gapsRepaired } = heir.process.reactions.metrics;
    expect(overtaken + zombie.process.reactions.metrics.overtaken).toBeGreaterThan(0);
    // What it reads again because it began anew was not lost by the bus.
    expect(gapsRepaired).toBe(0);
    expect(faults).toEqual([]);
  });

  test('who takes over finds everything that was done before a stop', async () => {
    const { clock, writer, start, seconds, world } = rig();
    const [one, two] = [await start(), await start()];
    const partition = partitionOf(SICK);
    one.give(partition);
    const { id } = await writer.append(SICK, 'a');
    await one.process.reactions.idle();
    await passing(clock, one.process.stop());
    two.give(partition);
    await seconds(2);
    expect(world.calls).toEqual([id]);
    expect(two.process.reactions.metrics.overtaken).toBe(0);
  });

  test('a partition taken away in the middle of a replay ends it, and its heir replays the home', async () => {
    const { writer, start, seconds, poison, world, mirror } = rig();
    const [one, two] = [await start(), await start()];
    const partition = partitionOf(SICK);
    one.give(partition);
    const bad = await writer.append(SICK, 'a');
    poison.add(bad.id);
    const next = await writer.append(SICK, 'a');
    await seconds(3);
    poison.clear();
    const replay = one.process.reactions.replayParked(SICK);
    one.take(partition);
    two.give(partition);
    expect(await replay).toMatchObject({
      outcome: 'refused',
      refusal: { code: 'MOVED', retryable: true },
    });
    await seconds(2);
    expect(two.process.reactions.parked()).toMatchObject([{ homeId: SICK, eventId: bad.id }]);
    expect(await two.process.reactions.replayParked(SICK)).toMatchObject({ outcome: 'flowing' });
    await seconds(2);
    expect((await mirror())?.parked).toEqual([]);
    expect(world.calls.slice(-2)).toEqual([bad.id, next.id]);
  });

  test('a wait for a home elsewhere ends by what the instance that has it writes down', async () => {
    const { clock, writer, start, poison } = rig();
    const [one, two] = [await start(), await start()];
    one.give(partitionOf('ten_1'));
    two.give(partitionOf(SICK));
    const first = await writer.append(SICK, 'a');
    await passing(clock, one.process.reactions.whenConsumed(SICK, first.position));
    const bad = await writer.append(SICK, 'a');
    poison.add(bad.id);
    // What is parked there has passed, but is not consumed until it flows.
    await passing(clock, one.process.reactions.whenPassed(SICK, bad.position));
    let consumed = false;
    const waiting = one.process.reactions
      .whenConsumed(SICK, bad.position)
      .then(() => (consumed = true));
    for (let i = 0; i < 20; i++) {
      clock.advance(500);
      await turn();
    }
    expect(consumed).toBe(false);
    poison.clear();
    await passing(clock, two.process.reactions.replayParked(SICK));
    await passing(clock, waiting);
    expect(one.process.reactions.consumed(SICK)).toBeNull();
    expect(one.process.reactions.holds(SICK)).toBe(false);
  });

  test('whoever has a partition, sleeps, wakes, dies, or is not answered: nothing is lost, nothing goes back', async () => {
    const who = fc.nat(INSTANCES - 1);
    const only = <K extends string>(kind: K) => fc.constant({ kind });
    const step = fc.oneof(
      { weight: 8, arbitrary: only('none') },
      { weight: 8, arbitrary: only('second') },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('pause'), who }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('wake'), who }) },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constantFrom('move', 'tell', 'restart'), who }),
      },
      { weight: 1, arbitrary: only('cure') },
      { weight: 1, arbitrary: only('replay') },
      { weight: 1, arbitrary: only('skip') },
    );
    let overtaken = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          script: fc.array(
            fc.record({
              home: fc.nat(HOMES.length - 1),
              target: fc.nat(1),
              poison: fc.constantFrom('no', 'no', 'no', 'no', 'curable', 'for ever'),
              step,
            }),
            { minLength: 1, maxLength: 80, size: 'max' },
          ),
          turns: fc.array(fc.nat(3), { minLength: 1, maxLength: 7 }),
          lost: fc.array(fc.nat(30), { maxLength: 6 }),
        }),
        async ({ script, turns, lost }) => {
          const { clock, world, writer, poison, skipped, faults, start, seconds } = rig({
            turns,
            lost,
          });
          const members: Member[] = [];
          for (let i = 0; i < INSTANCES; i++) members.push(await passing(clock, start()));
          const asleep = new Set<number>();
          const forEver = new Set<string>();
          const owner = new Map<number, number>();
          const at = (i: number): Member => {
            const member = members[i];
            if (member === undefined) throw new Error(`there is no instance ${i}`);
            return member;
          };
          /** The group gives it to another; who sleeps is told when it is awake, and then not at once. */
          const move = (partition: number, to: number): void => {
            const from = owner.get(partition);
            if (from !== undefined && from !== to && !asleep.has(from)) at(from).take(partition);
            owner.set(partition, to);
            at(to).give(partition);
          };
          const awake = (): number[] => members.map((_, i) => i).filter((i) => !asleep.has(i));
          const tell = (i: number): void => {
            if (asleep.has(i)) return;
            for (const p of at(i).believes) if (owner.get(p) !== i) at(i).take(p);
          };
          const all = [...USED, ...SPARE];
          for (const [i, partition] of all.entries()) move(partition, i % INSTANCES);
          const expected = new Map<string, string[]>();
          const written = new Map<string, { key: string; position: string }>();
          for (const { home, target, poison: bad, step: next } of script) {
            const homeid = `ten_${home}`;
            const { id, position } = await writer.append(homeid, `t${target}`);
            if (bad !== 'no') poison.add(id);
            if (bad === 'for ever') forEver.add(id);
            written.set(id, { key: keyOf('sample.do', homeid, `t${target}`), position });
            const holder = owner.get(partitionOf(homeid)) ?? 0;
            const { reactions } = at(holder).process;
            if (next.kind === 'second') await seconds(1);
            else if (next.kind === 'cure') {
              for (const each of [...poison]) if (!forEver.has(each)) poison.delete(each);
            } else if (next.kind === 'replay') {
              void reactions.replayParked(homeid);
            } else if (next.kind === 'skip') {
              const parked = reactions.parked().find((each) => each.homeId === homeid);
              if (parked === undefined || !forEver.has(parked.eventId)) continue;
              skipped.add(parked.eventId);
              void reactions.skipParked(homeid, parked.eventId);
            } else if ('who' in next) {
              const { kind, who } = next;
              if (kind === 'move' && !asleep.has(who)) move(partitionOf(homeid), who);
              if (kind === 'tell') tell(who);
              if (kind === 'wake') {
                asleep.delete(who);
                at(who).wake();
              }
              const others = awake().filter((i) => i !== who);
              if (kind === 'pause' && !asleep.has(who) && others.length > 0) {
                asleep.add(who);
                at(who).pause();
                for (const [p, o] of owner) if (o === who) move(p, others[p % others.length] ?? 0);
              }
              if (kind === 'restart') {
                await at(who).kill();
                asleep.delete(who);
                members[who] = await passing(clock, start());
                for (const [p, o] of owner) if (o === who) at(who).give(p);
              }
            }
          }
          for (const [i, member] of members.entries()) {
            asleep.delete(i);
            member.wake();
            tell(i);
          }
          // Everybody has some again, and what can be mended is.
          for (const [i, partition] of all.entries()) move(partition, i % INSTANCES);
          for (const id of [...poison]) if (!forEver.has(id)) poison.delete(id);
          for (let settled = false; !settled;) {
            await seconds(2);
            for (const { process } of members) await passing(clock, process.reactions.idle());
            const parked = members.flatMap((m) =>
              m.process.reactions.parked().map((home) => ({ home, m })),
            );
            settled = parked.length === 0;
            for (const { home, m } of parked) {
              if (forEver.has(home.eventId)) {
                skipped.add(home.eventId);
                await passing(clock, m.process.reactions.skipParked(home.homeId, home.eventId));
              } else {
                await passing(clock, m.process.reactions.replayParked(home.homeId));
              }
            }
          }
          for (const [id, { key, position }] of written) {
            if (!forEver.has(id)) expected.set(key, [...(expected.get(key) ?? []), position]);
          }
          expect(Object.fromEntries(world.effects)).toEqual(Object.fromEntries(expected));
          expect(faults).toEqual([]);
          expect(members.flatMap((m) => m.process.failures)).toEqual([]);
          for (const { process } of members) overtaken += process.reactions.metrics.overtaken;
          for (const member of members) await passing(clock, member.process.stop());
          expect(faults).toEqual([]);
        },
      ),
      { numRuns: 80 },
    );
    // It was about something: instances have come upon what others had written.
    expect(overtaken).toBeGreaterThan(0);
  }, 120_000);
});
