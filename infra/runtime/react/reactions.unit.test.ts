// Reactions: every event of every target once and in order, gaps found, checkpoints never ahead.
import { describe, expect, test } from '@jest/globals';
import type { Recorded } from '@bivouac/events/language';
import fc from 'fast-check';

import { partitionOf } from '../../bus/index.ts';
import type { Bus, BusMessage } from '../../bus/port.ts';
import { memoryEventStore } from '../../event-store/index.ts';
import { type EventStore, EventStoreError } from '../../event-store/port.ts';
import { ManualClock } from '../clock.ts';
import { RuntimeError } from '../errors.ts';
import { CheckpointMirror } from './mirror.ts';
import {
  Happened,
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
  const start = (options: Partial<ProcessOptions> = {}): Promise<Process> =>
    Process.start({ store, clock, reactions: [sampleReaction('sample.do', world)], ...options });
  const mirror = () =>
    new CheckpointMirror({ service: 'sample', store, clock, tenantId: 'ten_1' }).load();
  return { clock, store, world, writer, start, mirror };
}

/** A store that checks, whenever a checkpoint is written, that its effects are there. */
function watched(store: EventStore, world: World): EventStore {
  return new Proxy(store, {
    get: (target, name) => {
      if (name !== 'append') {
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      }
      return async (...args: Parameters<EventStore['append']>) => {
        const [stream, , events] = args;
        if (stream.startsWith('checkpoint-')) {
          const body = JSON.parse(Buffer.from(events[0]?.data ?? []).toString()) as {
            marks: string[];
            parked: { homeId: string; from: string }[];
          };
          for (const event of (await store.readAll({ limit: 10_000 })).events) {
            const mark = BigInt(body.marks[partitionOf(event.homeid)] || '0');
            const parked = body.parked.find((p) => p.homeId === event.homeid);
            if (event.type !== Happened.type || BigInt(event.position) > mark) continue;
            if (parked !== undefined && BigInt(event.position) >= BigInt(parked.from)) continue;
            const { target: of } = JSON.parse(Buffer.from(event.data).toString()) as {
              target: string;
            };
            if (!world.done.has(`${keyOf('sample.do', event.homeid, of)} ${event.id}`)) {
              world.faults.push(`the checkpoint is ahead of event ${event.position}`);
            }
          }
        }
        return target.append(...args);
      };
    },
  });
}

describe('reactions', () => {
  test('whatever the order, the pauses, the failures and the crashes: each target gets each event, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          seed: fc.integer(),
          script: fc.array(
            fc.record({
              home: fc.nat(3),
              target: fc.nat(2),
              ignored: fc.boolean(),
              rest: fc.nat(3),
            }),
            { minLength: 1, maxLength: 50 },
          ),
          pauses: fc.array(fc.nat(6), { minLength: 1, maxLength: 7 }),
          transient: fc.array(fc.nat(200), { maxLength: 10 }),
          crashes: fc.array(fc.nat(25), { maxLength: 4 }),
          concurrency: fc.integer({ min: 1, max: 5 }),
        }),
        async ({ seed, script, pauses, transient, crashes, concurrency }) => {
          const { clock, store, world, writer } = rig();
          let calls = 0;
          let untilCrash = Infinity;
          let crash: () => void = () => undefined;
          const reaction = sampleReaction('sample.do', world, async () => {
            const call = calls++;
            for (let n = pauses[call % pauses.length] ?? 0; n > 0; n--) await Promise.resolve();
            if (transient.includes(call)) throw new RuntimeError('contention', 'again');
            if (--untilCrash < 0) crash();
          });
          const own = watched(store, world);
          const startNext = (): Promise<Process> =>
            Process.start({
              store: own,
              clock,
              reactions: [reaction],
              seed: seed + calls,
              more: { concurrency },
            });
          const expected = new Map<string, string[]>();
          const write = async (part: typeof script): Promise<void> => {
            for (const { home, target, ignored, rest } of part) {
              const homeid = `ten_${home}`;
              if (ignored) {
                await writer.ignored(homeid);
              } else {
                const { position } = await writer.append(homeid, `t${target}`);
                const key = keyOf('sample.do', homeid, `t${target}`);
                expected.set(key, [...(expected.get(key) ?? []), position]);
              }
              for (let n = 0; n < rest; n++) await turn();
              if (rest === 3) clock.advance(700);
            }
          };
          const half = script.length >> 1;
          await write(script.slice(0, half));
          const writing = write(script.slice(half));
          for (const after of crashes) {
            const process = await startNext();
            const crashed = new Promise<void>((resolve) => (crash = resolve));
            untilCrash = after;
            await passing(clock, Promise.race([crashed, process.reactions.idle()]));
            await process.kill();
            world.killed();
          }
          untilCrash = Infinity;
          await writing;
          const last = await startNext();
          await passing(clock, last.reactions.idle());
          expect(Object.fromEntries(world.effects)).toEqual(Object.fromEntries(expected));
          expect(world.faults).toEqual([]);
          expect(last.failures).toEqual([]);
          await passing(clock, last.stop());
        },
      ),
      { numRuns: 150 },
    );
  }, 60_000);

  test('at or below the checkpoint nothing fires, above it everything does', async () => {
    const { world, writer, start, mirror } = rig();
    for (let i = 0; i < 20; i++) await writer.append(`ten_${i % 5}`, 'a');
    const first = await start();
    await first.reactions.idle();
    await first.stop();
    expect(world.calls).toHaveLength(20);
    expect((await mirror())?.marks.filter((m) => m !== null).length).toBeGreaterThan(0);

    const { id } = await writer.append('ten_1', 'a');
    const second = await start();
    await second.reactions.idle();
    expect(world.calls.slice(20)).toEqual([id]);
    await second.stop();
  });

  test('a checkpoint is written at most each second, only after something moved, and at the stop', async () => {
    const { clock, store, world, writer, start } = rig();
    const process = await start();
    const count = async (): Promise<number> => {
      const page = await store.readStream('checkpoint-sample');
      return page.exists ? page.events.length : 0;
    };
    const seconds = async (n: number): Promise<void> => {
      for (let i = 0; i < n; i++) {
        clock.advance(1000);
        await turn();
      }
    };
    await seconds(5);
    expect(await count()).toBe(0);
    for (let i = 0; i < 10; i++) await writer.append('ten_1', 'a');
    await process.reactions.idle();
    expect(await count()).toBe(0);
    await seconds(1);
    expect(await count()).toBe(1);
    // Its own checkpoints move the log's head, and that must not cause the next one.
    await seconds(20);
    expect(await count()).toBe(1);
    await writer.ignored('ten_2');
    await process.reactions.idle();
    await process.stop();
    expect(await count()).toBe(2);
    expect(world.calls).toHaveLength(10);
    expect(process.failures).toEqual([]);
  });

  test('an idle service resumes near the head: markers move the marks of partitions without events', async () => {
    const { clock, writer, start, mirror } = rig();
    const process = await start();
    for (let i = 0; i < 10; i++) await writer.append('ten_1', 'a');
    await process.reactions.idle();
    clock.advance(1000);
    await turn();
    await writer.append('ten_1', 'a');
    await process.reactions.idle();
    await process.stop();
    const marks = (await mirror())?.marks ?? [];
    expect(marks.every((mark) => mark !== null && BigInt(mark) >= 10n)).toBe(true);
  });

  test('what the bus loses is read from the store, counted and said', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { minLength: 5, maxLength: 60 }),
        fc.integer(),
        async (lost, seed) => {
          const { clock, store, world, writer } = rig();
          let n = 0;
          const lossy = (bus: Bus): Bus => ({
            close: () => bus.close(),
            consume: (options) =>
              bus.consume({
                ...options,
                deliver: (partition, messages) =>
                  options.deliver(
                    partition,
                    messages.filter((m) => m.kind === 'marker' || lost[n++ % lost.length] !== true),
                  ),
              }),
          });
          const reactions = [sampleReaction('sample.do', world)];
          const process = await Process.start({ store, clock, reactions, seed, bus: lossy });
          const expected = new Map<string, string[]>();
          for (let i = 0; i < lost.length; i++) {
            const { position, homeid } = await writer.append(`ten_${i % 3}`, 't');
            const key = keyOf('sample.do', homeid, 't');
            expected.set(key, [...(expected.get(key) ?? []), position]);
            if (i % 4 === 0) await turn();
          }
          // Nothing follows the last events of a partition but its marker.
          await passing(clock, process.reactions.idle());
          expect(Object.fromEntries(world.effects)).toEqual(Object.fromEntries(expected));
          const { gapsRepaired, eventsRecovered } = process.reactions.metrics;
          expect(gapsRepaired > 0).toBe(lost.some((l) => l));
          expect(eventsRecovered).toBe(
            Array.from({ length: n }, (_, i) => lost[i % lost.length]).filter((l) => l).length,
          );
          const said = process.lines.filter((l) => l.message.startsWith('the bus lost'));
          expect(said).toHaveLength(gapsRepaired);
          await passing(clock, process.stop());
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);

  test('a bus that names an event the store has not stops the reactions, loudly', async () => {
    const { clock, writer, start } = rig();
    const foreign = (bus: Bus): Bus => ({
      close: () => bus.close(),
      consume: (options) =>
        bus.consume({
          ...options,
          deliver: (partition, messages) =>
            options.deliver(
              partition,
              messages.map((m): BusMessage => ({ ...m, prev: '00000000000000000999' })),
            ),
        }),
    });
    const process = await start({ bus: foreign });
    await writer.append('ten_1', 'a');
    const failed = (async () => {
      while (process.failures.length === 0) await turn();
    })();
    await passing(clock, failed);
    expect(process.failures).toMatchObject([{ code: 'defect' }]);
    await expect(process.reactions.idle()).rejects.toMatchObject({ code: 'shutting-down' });
  });

  test('what is delivered twice is handled once', async () => {
    const { world, writer, start } = rig();
    const twice = (bus: Bus): Bus => ({
      close: () => bus.close(),
      consume: (options) =>
        bus.consume({
          ...options,
          deliver: (partition, messages) => options.deliver(partition, [...messages, ...messages]),
        }),
    });
    const process = await start({ bus: twice });
    for (let i = 0; i < 10; i++) await writer.append('ten_1', 'a');
    await process.reactions.idle();
    expect(world.calls).toHaveLength(10);
    await process.stop();
  });

  test('a target that waits for something transient holds neither its home nor its partition', async () => {
    const { clock, world, writer, start } = rig();
    let away = true;
    const reaction = sampleReaction('sample.do', world, (event) => {
      if (away && event.data['target'] === 'stuck') {
        throw new EventStoreError('unavailable', 'the store is away');
      }
    });
    const process = await start({ reactions: [reaction], more: { concurrency: 1 } });
    await writer.append('ten_1', 'stuck');
    const flowing = await writer.append('ten_1', 'free');
    await turn();
    expect(world.calls).toEqual([flowing.id]);
    expect(process.reactions.consumed('ten_1')).toBeNull();
    for (let i = 0; i < 50; i++) {
      clock.advance(5000);
      await turn();
    }
    expect(process.reactions.parked()).toEqual([]);
    away = false;
    await passing(clock, process.reactions.idle());
    expect(world.calls).toHaveLength(2);
    expect((process.reactions.consumed('ten_1') ?? '') >= flowing.position).toBe(true);
    // Said at the 1st, 2nd, 4th… failure only.
    expect(process.lines.filter((l) => l.level === 'warn').length).toBeLessThan(8);
    await process.stop();
  });

  test('two instances that both believe to have every partition go on, and neither stops the other', async () => {
    const { clock, world, writer, start, mirror } = rig();
    const one = await start();
    const two = await start();
    const ids: string[] = [];
    for (let second = 0; second < 5; second++) {
      ids.push((await writer.append('ten_1', 'a')).id);
      for (let i = 0; i < 4; i++) {
        clock.advance(250);
        for (let t = 0; t < 5; t++) await turn();
      }
    }
    await passing(clock, Promise.all([one.reactions.idle(), two.reactions.idle()]));
    expect([...one.failures, ...two.failures]).toEqual([]);
    expect([...new Set(world.calls)]).toEqual(ids);
    const last = (await mirror())?.marks[partitionOf('ten_1')];
    expect(last).not.toBeNull();
    await passing(clock, Promise.all([one.stop(), two.stop()]));
  });

  test('a service installed at the head handles what comes after, also if it dies at once', async () => {
    const { world, writer, start } = rig();
    await writer.append('ten_1', 'a');
    const first = await start({ more: { installAt: 'head' } });
    await first.kill();
    const { id } = await writer.append('ten_1', 'a');
    const second = await start({ more: { installAt: 'head' } });
    await second.reactions.idle();
    expect(world.calls).toEqual([id]);
    await second.stop();
  });

  test('a reaction installed later fires only above its position', async () => {
    const { world, writer, start } = rig();
    const { position } = await writer.append('ten_1', 'a');
    const { id } = await writer.append('ten_1', 'a');
    const late = { ...sampleReaction('sample.late', world), installedAt: position };
    const process = await start({ reactions: [late] });
    await process.reactions.idle();
    expect(world.calls).toEqual([id]);
    await process.stop();
  });

  test('a reaction is not run for what it names no target for, and the mark moves over it', async () => {
    const { world, writer, start } = rig();
    const picky = sampleReaction('sample.picky', world);
    const target = (event: Recorded): string | undefined =>
      event.data['target'] === 'mine' ? 'mine' : undefined;
    await writer.append('ten_1', 'others');
    const { id } = await writer.append('ten_1', 'mine');
    const { position } = await writer.append('ten_1', 'others');
    const process = await start({ reactions: [{ ...picky, target }] });
    await process.reactions.idle();
    expect(world.calls).toEqual([id]);
    expect(process.reactions.metrics.handled).toBe(1);
    expect(process.reactions.consumed('ten_1')).toBe(position);
    await process.stop();
  });

  test('a wait for a position ends when it is consumed, by the signal, or by the stop', async () => {
    const { world, writer, start } = rig();
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const process = await start({ reactions: [sampleReaction('sample.do', world, () => gate)] });
    const { position } = await writer.append('ten_1', 'a');
    const beyond = position.replace(/.$/, '9');
    let consumed = false;
    const waiting = process.reactions.whenConsumed('ten_1', position).then(() => (consumed = true));
    const giveUp = new AbortController();
    const given = process.reactions.whenConsumed('ten_1', position, giveUp.signal);
    giveUp.abort();
    await given;
    await turn();
    expect(consumed).toBe(false);
    open();
    await waiting;
    expect(process.reactions.consumed('ten_1')).toBe(position);
    // No event of this home: a marker says that there is none, at once, though the clock stands.
    await writer.append('ten_2', 'a');
    const later = process.reactions.whenConsumed('ten_3', (await writer.ignored('ten_4')).position);
    await later;
    const never = process.reactions.whenConsumed('ten_1', beyond);
    const refused = expect(never).rejects.toMatchObject({ code: 'shutting-down' });
    await process.stop();
    await refused;
  });

  test('stopping waits for running handlers up to the deadline, and what did not finish comes again', async () => {
    const { clock, world, writer, start } = rig();
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const slow = sampleReaction('sample.do', world, (event) =>
      event.data['target'] === 'slow' ? gate : undefined,
    );
    const first = await start({ reactions: [slow] });
    const { id } = await writer.append('ten_1', 'slow');
    const behind = await writer.append('ten_1', 'slow');
    await turn();
    const stopping = first.stop(3000);
    await turn();
    clock.advance(3000);
    await stopping;
    expect(world.calls).toEqual([]);
    world.killed();
    open();
    const second = await start({ reactions: [slow] });
    await second.reactions.idle();
    expect(new Set(world.calls)).toEqual(new Set([id, behind.id]));
    await second.stop();
  });

  test('reactions that cannot be run are refused before anything is consumed', async () => {
    const { world, start } = rig();
    const reaction = sampleReaction('sample.do', world);
    const unknown = { ...reaction, types: new Set(['things.Unknown']) };
    await expect(start({ reactions: [unknown] })).rejects.toThrow('things.Unknown');
    await expect(start({ reactions: [reaction, reaction] })).rejects.toThrow('two reactions');
    await expect(start({ more: { service: 'a b' } })).rejects.toMatchObject({
      code: 'misconfigured',
    });
  });
});
