// Parking: one home waits, the others flow; staff replay or skip, and nothing is lost or overtaken.
import { describe, expect, test } from '@jest/globals';
import type { Recorded } from '@bivouac/events/language';
import fc from 'fast-check';

import { partitionOf } from '../../bus/index.ts';
import { memoryEventStore } from '../../event-store/index.ts';
import { ManualClock } from '../clock.ts';
import {
  keyOf,
  passing,
  Process,
  type ProcessOptions,
  sampleReaction,
  turn,
  World,
  Writer,
} from './sample-service.ts';

function rig() {
  const clock = new ManualClock('2026-04-10T09:00:00.000Z');
  const store = memoryEventStore({ epoch: 'one' });
  const world = new World();
  const writer = new Writer(store);
  /** Ids of events whose handler throws. */
  const poison = new Set<string>();
  const reaction = sampleReaction('sample.do', world, (event) => {
    if (poison.has(event.id)) throw new TypeError('a defect');
  });
  const start = (options: Partial<ProcessOptions> = {}): Promise<Process> =>
    Process.start({ store, clock, reactions: [reaction], ...options });
  return { clock, store, world, writer, poison, start, reaction };
}

const SICK = 'ten_0';
/** The first one is of the same partition. */
const neighbours = ['ten_32', 'ten_1', 'ten_2'];

describe('parking', () => {
  test('an event whose handler fails three times parks its home; others flow and the mark moves on', async () => {
    const { writer, world, poison, start } = rig();
    const process = await start();
    const before = await writer.append(SICK, 'a');
    await process.reactions.idle();
    const bad = await writer.append(SICK, 'a');
    poison.add(bad.id);
    const last = await writer.append(SICK, 'a');
    // Whoever waits for the home to be done with is told when nothing is going to happen there.
    await process.reactions.whenPassed(SICK, last.position);
    expect(process.reactions.parked()).toHaveLength(1);
    const others = [];
    for (const home of neighbours) others.push(await writer.append(home, 'a'));
    await process.reactions.idle();
    expect(partitionOf('ten_32')).toBe(partitionOf(SICK));
    expect(new Set(world.calls)).toEqual(new Set([before, ...others].map((e) => e.id)));
    expect(process.reactions.parked()).toEqual([
      {
        homeId: SICK,
        from: bad.position,
        eventId: bad.id,
        type: 'things.Happened',
        reaction: 'sample.do',
        reason: 'handler-failed',
        since: '2026-04-10T09:00:00.000Z',
      },
    ]);
    expect(process.reactions.metrics).toMatchObject({ failures: 3, parkedHomes: 1, unfinished: 0 });
    // Of the parked home, what lies before the event is consumed; of the others, everything.
    expect(process.reactions.consumed(SICK)).toBe(before.position);
    expect((process.reactions.consumed('ten_32') ?? '') >= (others.at(0)?.position ?? '')).toBe(
      true,
    );
    expect(process.lines.some((l) => l.level === 'error')).toBe(true);
    await process.stop();
  });

  test.each([
    ['a version this build does not know', { schemaver: 9 }, 'unknown-version'],
    ['a body that does not fit', { data: Buffer.from('{"n":"x"}') }, 'invalid-body'],
    ['a body that is not JSON', { data: Buffer.from('{') }, 'invalid-body'],
  ])('%s parks its home at once', async (_, fields, reason) => {
    const { writer, world, start } = rig();
    const bad = await writer.append(SICK, 'a', fields);
    const later = await writer.append(SICK, 'a');
    const other = await writer.append('ten_1', 'a');
    const process = await start();
    await process.reactions.idle();
    expect(world.calls).toEqual([other.id]);
    expect(process.reactions.parked()).toMatchObject([
      { homeId: SICK, from: bad.position, reaction: null, reason },
    ]);
    // Replaying it with the same build changes nothing; leaving it out lets the rest flow.
    expect(await process.reactions.replayParked(SICK)).toMatchObject({
      outcome: 'parked',
      handled: 0,
    });
    expect(await process.reactions.skipParked(SICK, bad.id)).toEqual({
      outcome: 'flowing',
      handled: 1,
    });
    expect(world.calls).toEqual([other.id, later.id]);
    expect(process.reactions.parked()).toEqual([]);
    await process.stop();
  });

  test('an unknown version of a type nobody handles parks nothing', async () => {
    const { writer, start } = rig();
    await writer.append(SICK, 'a', { type: 'things.Unheard', schemaver: 7 });
    const process = await start();
    await process.reactions.idle();
    expect(process.reactions.parked()).toEqual([]);
    await process.stop();
  });

  test('a reaction that cannot name its target parks the home', async () => {
    const { writer, start, reaction } = rig();
    const target = (): string => {
      throw new TypeError('no target');
    };
    const process = await start({ reactions: [{ ...reaction, target }] });
    await writer.append(SICK, 'a');
    await process.reactions.idle();
    expect(process.reactions.parked()).toMatchObject([
      { reaction: 'sample.do', reason: 'handler-failed' },
    ]);
    await process.stop();
  });

  test('a replay runs a reaction only for what it names a target for, or cannot name one', async () => {
    const { world, writer, start, reaction } = rig();
    let broken = true;
    const target = (event: Recorded): string | undefined => {
      if (broken) throw new TypeError('no target');
      return event.data['target'] === 'mine' ? 'mine' : undefined;
    };
    const process = await start({ reactions: [{ ...reaction, target }] });
    const { id } = await writer.append(SICK, 'mine');
    await writer.append(SICK, 'others');
    await process.reactions.idle();
    broken = false;
    expect(await process.reactions.replayParked(SICK)).toEqual({ outcome: 'flowing', handled: 1 });
    expect(world.calls).toEqual([id]);
    await process.stop();
  });

  test('a restart keeps parked homes parked, and what they wait with', async () => {
    const { writer, world, poison, start } = rig();
    const first = await start();
    const bad = await writer.append(SICK, 'a');
    poison.add(bad.id);
    const waiting = await writer.append(SICK, 'a');
    await first.reactions.idle();
    const parked = first.reactions.parked();
    await first.stop();

    const more = await writer.append(SICK, 'a');
    const second = await start();
    await second.reactions.idle();
    expect(second.reactions.parked()).toEqual(parked);
    expect(world.calls).toEqual([]);
    poison.clear();
    expect(await second.reactions.replayParked(SICK)).toEqual({ outcome: 'flowing', handled: 3 });
    expect(world.calls).toEqual([bad.id, waiting.id, more.id]);
    await second.stop();

    const third = await start();
    await third.reactions.idle();
    expect(third.reactions.parked()).toEqual([]);
    expect(world.calls).toHaveLength(3);
    await third.stop();
  });

  test('a crash right after the replay began changes nothing', async () => {
    const { clock, writer, world, poison, start } = rig();
    const first = await start();
    const bad = await writer.append(SICK, 'a');
    poison.add(bad.id);
    await first.reactions.idle();
    clock.advance(1000);
    await turn();
    void first.reactions.skipParked(SICK, bad.id);
    await first.kill();
    const second = await start();
    await second.reactions.idle();
    expect(second.reactions.parked()).toMatchObject([{ eventId: bad.id }]);
    expect(world.calls).toEqual([]);
    await second.stop();
  });

  test('what cannot be replayed is refused with what to do', async () => {
    const { clock, writer, poison, start } = rig();
    const process = await start();
    const refused = (code: string) => ({ outcome: 'refused', refusal: { code } });
    expect(await process.reactions.replayParked(SICK)).toMatchObject(refused('NOT_PARKED'));
    const bad = await writer.append(SICK, 'a');
    poison.add(bad.id);
    await process.reactions.idle();
    const other = await process.reactions.skipParked(SICK, 'another');
    expect(other).toMatchObject(refused('OTHER_EVENT'));
    const [one, two] = await passing(
      clock,
      Promise.all([process.reactions.replayParked(SICK), process.reactions.replayParked(SICK)]),
    );
    expect(one).toMatchObject({ outcome: 'parked' });
    expect(two).toMatchObject(refused('REPLAY_UNDER_WAY'));
    await process.stop();
    expect(await process.reactions.replayParked(SICK)).toMatchObject(refused('STOPPING'));
  });

  test('more parked homes than an accident explains stop the service', async () => {
    const { clock, writer, start, world } = rig();
    const broken = sampleReaction('sample.do', world, () => {
      throw new TypeError('a defect of the release');
    });
    const process = await start({ reactions: [broken] });
    for (let i = 0; i < 250; i++) await writer.append(`ten_${i}`, 'a');
    const failed = (async () => {
      while (process.failures.length === 0) await turn();
    })();
    await passing(clock, failed);
    expect(process.failures).toMatchObject([{ code: 'defect' }]);
  });

  test('200 parked homes with the longest names fit into a checkpoint, or it is said', async () => {
    const { clock, writer, start, world } = rig();
    const broken = sampleReaction('sample.do', world, () => {
      throw new TypeError('a defect');
    });
    const process = await start({ reactions: [broken] });
    const suffix = '01h455vb4pex5vsknk084sn02q';
    for (let i = 0; i < 200; i++) await writer.append(`ten_${suffix}${i}`, 'a');
    await process.reactions.idle();
    await passing(clock, process.stop());
    const again = await start({ reactions: [broken] });
    expect(again.reactions.parked()).toHaveLength(200);
    await again.stop();
  });

  test('whatever fails and whenever it is replayed: parked or not, each target gets each event, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          seed: fc.integer(),
          script: fc.array(
            fc.record({
              home: fc.nat(2),
              target: fc.nat(1),
              poison: fc.integer({ min: 0, max: 9 }).map((n) => n < 2),
              step: fc.constantFrom('none', 'turn', 'second', 'replay', 'cure', 'restart'),
            }),
            { minLength: 1, maxLength: 40 },
          ),
          pauses: fc.array(fc.nat(5), { minLength: 1, maxLength: 5 }),
        }),
        async ({ seed, script, pauses }) => {
          const { clock, world, writer, poison, store } = rig();
          let calls = 0;
          const reaction = sampleReaction('sample.do', world, async (event) => {
            for (let n = pauses[calls++ % pauses.length] ?? 0; n > 0; n--) await Promise.resolve();
            if (poison.has(event.id)) throw new TypeError('a defect');
          });
          const startNext = (): Promise<Process> =>
            Process.start({ store, clock, reactions: [reaction], seed: seed + calls });
          let process = await startNext();
          const replays: Promise<unknown>[] = [];
          const expected = new Map<string, string[]>();
          for (const { home, target, poison: bad, step } of script) {
            const homeid = `ten_${home}`;
            const { id, position } = await writer.append(homeid, `t${target}`);
            if (bad) poison.add(id);
            const key = keyOf('sample.do', homeid, `t${target}`);
            expected.set(key, [...(expected.get(key) ?? []), position]);
            if (step === 'turn') await turn();
            if (step === 'second') {
              clock.advance(1000);
              await turn();
            }
            if (step === 'cure') poison.clear();
            if (step === 'replay') replays.push(process.reactions.replayParked(homeid));
            if (step === 'restart') {
              await process.kill();
              world.killed();
              process = await startNext();
            }
          }
          await passing(clock, process.reactions.idle());
          // A home that is parked has had no effect at or after where it waits, on the failing target.
          poison.clear();
          for (const { homeId } of process.reactions.parked()) {
            const outcome = await passing(clock, process.reactions.replayParked(homeId));
            // One that was begun above may still be at it.
            if (outcome.outcome !== 'flowing') expect(outcome.outcome).toBe('refused');
          }
          await passing(clock, process.reactions.idle());
          for (const { homeId } of process.reactions.parked()) {
            await passing(clock, process.reactions.replayParked(homeId));
          }
          expect(process.reactions.parked()).toEqual([]);
          expect(Object.fromEntries(world.effects)).toEqual(Object.fromEntries(expected));
          expect(world.faults).toEqual([]);
          await passing(clock, process.stop());
        },
      ),
      { numRuns: 150 },
    );
  }, 60_000);
});
