/**
 * The laws of every driver, as tests: an engine is one of ours when this suite passes over it.
 * A test makes its own containers and takes them away again.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { idFromUuid } from '@bivouac/events/values';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { PackageNameVersion } from '@bivouac/events/operations';
import fc from 'fast-check';
import {
  DriverError,
  type ContainerLimits,
  type Driver,
  type DriverErrorCode,
  type ImageSource,
  type InstalledPackage,
  type InstanceRef,
  type NetworkAddress,
  type ObservedInstance,
} from './driver.ts';

const MiB = 1024n * 1024n;

/** A package to install, and where its file lies. */
export interface BenchRpm {
  readonly package: PackageNameVersion;
  readonly path: string;
}

/** A node to try a driver on. */
export interface DriverBench {
  readonly driver: Driver;
  /** An image the node can get. */
  readonly image: ImageSource;
  /** At least four IPv4 addresses that containers of this node may have. */
  readonly addresses: readonly NetworkAddress[];
  /** An image with an RPM database and one package in it, if there is one to try. */
  readonly rpmImage?: { readonly image: ImageSource; readonly packageName: string };
  /** Two versions of a package that is not in that image, the older first. */
  readonly rpms?: readonly [BenchRpm, BenchRpm];
  /** Opens the same node anew, as an agent does that was restarted. */
  reopen(): Promise<Driver>;
  close(): Promise<void>;
}

export interface ConformanceOptions {
  /** For one test, in milliseconds. */
  readonly timeoutMs?: number;
  /** How many hostile inputs are tried. */
  readonly fuzzRuns?: number;
}

/** Registers the suite; `open` is called once, before the first test. */
export function driverConformance(
  name: string,
  open: () => Promise<DriverBench>,
  { timeoutMs = 10_000, fuzzRuns = 200 }: ConformanceOptions = {},
): void {
  describe(`${name} keeps the laws of a driver`, () => {
    let bench: DriverBench;
    let driver: Driver;
    const made: string[] = [];

    beforeAll(async () => {
      bench = await open();
      driver = bench.driver;
      await driver.prepareImage(bench.image);
    }, timeoutMs);

    afterEach(async () => {
      for (const id of made.splice(0)) await driver.destroy(ref(id, 1_000_000));
    }, timeoutMs);

    afterAll(async () => {
      await driver.close();
      await bench.close();
    }, timeoutMs);

    function law(title: string, check: () => Promise<void>): void {
      test(title, check, timeoutMs);
    }

    function newId(): string {
      const id = idFromUuid('container', randomUUID());
      made.push(id);
      return id;
    }

    function addresses(from: number, to: number): readonly NetworkAddress[] {
      const some = bench.addresses.slice(from, to);
      expect(some).toHaveLength(to - from);
      return some;
    }

    async function create(
      id = newId(),
      { generation = 1, image = bench.image, limits = small, at = addresses(0, 1) } = {},
    ): Promise<InstanceRef> {
      const made = ref(id, generation);
      await driver.create(made, { image, limits, network: network(at) });
      return made;
    }

    async function running(): Promise<InstanceRef> {
      const made = await create();
      await driver.start(made);
      return made;
    }

    async function stateOf(id: string): Promise<ObservedInstance['state']> {
      return (await driver.observe(id)).state;
    }

    law(
      'counters only grow while it runs, and begin again under another epoch with each start',
      async () => {
        const made = await running();
        const read = async () => {
          const [reading] = await driver.usage([made.containerId]);
          if (reading === undefined) throw new Error('nothing was read');
          return reading;
        };
        const first = await read();
        const second = await read();
        for (const name of ['cpuNanos', 'receivedBytes', 'sentBytes'] as const) {
          const [before, after] = [first[name], second[name]];
          expect([name, before === null, after === null]).toEqual([name, false, false]);
          expect([name, after?.epoch]).toEqual([name, before?.epoch]);
          expect((after?.value ?? 0n) >= (before?.value ?? 0n)).toBe(true);
        }
        expect(first).toMatchObject({ generation: made.generation, processes: expect.any(Number) });
        expect(first.processes).toBeGreaterThan(0);
        // Another interface may count anew, but then under another epoch.
        await driver.configureNetwork(made, network(addresses(1, 2)));
        const replaced = await read();
        expect(replaced.cpuNanos?.epoch).toBe(second.cpuNanos?.epoch);
        const [was, is] = [second.receivedBytes, replaced.receivedBytes];
        expect(was?.epoch !== is?.epoch || (is?.value ?? 0n) >= (was?.value ?? 0n)).toBe(true);
        await driver.stop(made, 0);
        expect(await read()).toMatchObject({ cpuNanos: null, receivedBytes: null, processes: 0 });
        await driver.start(made);
        const again = await read();
        expect(again.cpuNanos?.epoch).not.toBe(first.cpuNanos?.epoch);
        expect(again.receivedBytes?.epoch).not.toBe(first.receivedBytes?.epoch);
      },
    );

    law('use is told of everything that is there, and of nothing that is not', async () => {
      const one = await create();
      const other = await running();
      const all = (await driver.usage()).map(({ containerId }) => containerId);
      expect(all).toEqual(expect.arrayContaining([one.containerId, other.containerId]));
      expect(new Set(all).size).toBe(all.length);
      const asked = await driver.usage([other.containerId, newId()]);
      expect(asked.map(({ containerId }) => containerId)).toEqual([other.containerId]);
    });

    law('the inventory names the engine, its size and its features in order', async () => {
      const inventory = await driver.inventory();
      expect(inventory.engine).not.toBe('');
      expect(inventory.engineVersion).not.toBe('');
      expect(inventory.kernel).not.toBe('');
      expect(inventory.cpuMillis).toBeGreaterThan(0);
      expect(inventory.memoryBytes > 0n && inventory.diskBytes > 0n).toBe(true);
      expect(inventory.features).toEqual([...inventory.features].sort());
    });

    law('an image prepared twice, also at once, is there once', async () => {
      await Promise.all([driver.prepareImage(bench.image), driver.prepareImage(bench.image)]);
      await driver.prepareImage(bench.image);
      await create();
    });

    law(
      'an image that cannot be had is image-unavailable, and where it was sought is not said',
      async () => {
        const absent = { ...bench.image, digest: '0'.repeat(64), source: 'file:///nowhere/at/all' };
        const placeless = /^(?!.*nowhere).{20,}[.]$/s;
        await refused('image-unavailable', driver.prepareImage(absent), placeless);
        const unprepared = create(newId(), { image: absent });
        await refused('image-unavailable', unprepared);
        expect(await stateOf(made.at(-1) ?? '')).toBe('absent');
      },
    );

    law('what was created is stopped, with its generation, addresses and limits', async () => {
      const at = addresses(0, 2);
      const { containerId } = await create(newId(), { generation: 3, at });
      expect(sorted(await driver.observe(containerId))).toEqual({
        containerId,
        generation: 3,
        state: 'stopped',
        addresses: at.map((one) => one.address).sort(),
        limits: small,
      });
    });

    law('created twice, also at once, is created once', async () => {
      const id = newId();
      await Promise.all([create(id), create(id)]);
      await create(id);
      const all = await driver.list();
      expect(all.filter((one) => one.containerId === id)).toHaveLength(1);
    });

    law('another generation is refused while the first stands', async () => {
      const { containerId } = await create();
      await refused('engine-failed', create(containerId, { generation: 2 }));
      expect((await driver.observe(containerId)).generation).toBe(1);
      await driver.destroy(ref(containerId, 2));
      await create(containerId, { generation: 3 });
      expect((await driver.observe(containerId)).generation).toBe(3);
    });

    law('start, freeze, thaw, stop and destroy are each the same twice', async () => {
      const one = await create();
      const states: string[] = [];
      for (const step of [
        () => driver.start(one),
        () => driver.freeze(one),
        () => driver.thaw(one),
        () => driver.stop(one, 5),
        () => driver.destroy(one),
      ]) {
        await step();
        await step();
        states.push(await stateOf(one.containerId));
      }
      expect(states).toEqual(['running', 'frozen', 'running', 'stopped', 'absent']);
    });

    law('a stopped container starts again; one that is frozen can be stopped', async () => {
      const one = await running();
      await driver.freeze(one);
      await driver.stop(one, 1);
      expect(await stateOf(one.containerId)).toBe('stopped');
      await driver.start(one);
      expect(await stateOf(one.containerId)).toBe('running');
    });

    law('a running and a frozen container can be destroyed', async () => {
      const [one, two] = [await running(), await create(newId(), { at: addresses(1, 2) })];
      await driver.start(two);
      await driver.freeze(two);
      await driver.destroy(one);
      await driver.destroy(two);
      expect([await stateOf(one.containerId), await stateOf(two.containerId)]).toEqual([
        'absent',
        'absent',
      ]);
    });

    law('destroying nothing succeeds; observing nothing says absent', async () => {
      const id = newId();
      await driver.destroy(ref(id, 1));
      expect(await driver.observe(id)).toEqual({
        containerId: id,
        generation: 0,
        state: 'absent',
        addresses: [],
        limits: null,
      });
    });

    law('the list has ours and nothing else, as observed', async () => {
      const before = (await driver.list()).map((one) => one.containerId);
      const one = await running();
      const two = await create(newId(), { generation: 7, at: addresses(1, 3) });
      const added = (await driver.list()).filter((seen) => !before.includes(seen.containerId));
      expect(added.map(sorted).sort(byId)).toEqual(
        [await driver.observe(one.containerId), await driver.observe(two.containerId)]
          .map(sorted)
          .sort(byId),
      );
      expect(added).toHaveLength(2);
    });

    law('limits are raised and lowered, stopped and running, and observed', async () => {
      const one = await create();
      for (const limits of [large, small, large]) {
        await driver.applyLimits(one, limits);
        await driver.applyLimits(one, limits);
        expect((await driver.observe(one.containerId)).limits).toEqual(limits);
        if ((await stateOf(one.containerId)) === 'stopped') await driver.start(one);
      }
      expect(await stateOf(one.containerId)).toBe('running');
    });

    law('addresses are added and removed, stopped and running', async () => {
      const one = await create();
      for (const at of [addresses(0, 3), addresses(2, 4), addresses(0, 1), [], addresses(0, 2)]) {
        await driver.configureNetwork(one, network(at));
        await driver.configureNetwork(one, network(at));
        const seen = await driver.observe(one.containerId);
        expect([...seen.addresses].sort()).toEqual(at.map(({ address }) => address).sort());
        if (seen.state === 'stopped') await driver.start(one);
      }
      expect(await stateOf(one.containerId)).toBe('running');
    });

    law('a step on what is not there is instance-missing', async () => {
      const none = ref(newId(), 1);
      await refused('instance-missing', driver.start(none));
      await refused('instance-missing', driver.stop(none, 1));
      await refused('instance-missing', driver.freeze(none));
      await refused('instance-missing', driver.thaw(none));
      await refused('instance-missing', driver.applyLimits(none, small));
      await refused('instance-missing', driver.configureNetwork(none, network([])));
      await refused('instance-missing', driver.packages(none.containerId));
    });

    law(
      'a step the state forbids is refused with what to do first, and changes nothing',
      async () => {
        const one = await create();
        await refused('engine-failed', driver.freeze(one), /start it first/);
        await refused('engine-failed', driver.thaw(one), /start it first/);
        expect(await stateOf(one.containerId)).toBe('stopped');
        await driver.start(one);
        await driver.freeze(one);
        await refused('engine-failed', driver.start(one), /thaw it first/);
        await refused('engine-failed', driver.configureNetwork(one, network([])), /thaw it first/);
        expect(await stateOf(one.containerId)).toBe('frozen');
      },
    );

    law('containers keep apart: what is done to one leaves the other as it was', async () => {
      const one = await running();
      const other = await create(newId(), { at: addresses(1, 2), limits: large });
      const before = await driver.observe(other.containerId);
      await driver.applyLimits(one, large);
      await driver.freeze(one);
      await driver.destroy(one);
      expect(await driver.observe(other.containerId)).toEqual(before);
    });

    law('a restarted agent finds everything as it was', async () => {
      const one = await running();
      const before = await driver.observe(one.containerId);
      await driver.close();
      driver = await bench.reopen();
      expect(await driver.observe(one.containerId)).toEqual(before);
      await driver.start(one);
      await create(one.containerId);
      expect(await driver.observe(one.containerId)).toEqual(before);
    });

    law('packages are those of the RPM database, and none where there is none', async () => {
      const plain = await running();
      expect(await driver.packages(plain.containerId)).toEqual([]);
      if (bench.rpmImage === undefined) return;
      await driver.prepareImage(bench.rpmImage.image);
      const one = await create(newId(), { image: bench.rpmImage.image, at: addresses(1, 2) });
      await driver.start(one);
      const names = (await driver.packages(one.containerId)).map((found) => found.name);
      expect(names).toContain(bench.rpmImage.packageName);
    });

    law(
      'a package transaction is done wholly, once however often, or changes nothing',
      async () => {
        const { rpmImage, rpms } = bench;
        if (rpmImage === undefined || rpms === undefined) return;
        await driver.prepareImage(rpmImage.image);
        const one = await create(newId(), { image: rpmImage.image, at: addresses(1, 2) });
        const nothing = { install: [], upgrade: [], remove: [] };
        const [older, newer] = rpms;
        const files = new Map(rpms.map(({ package: { checksum = '' }, path }) => [checksum, path]));
        const identity = ({ package: { url: _url, checksum: _checksum, ...rest } }: BenchRpm) =>
          rest;
        const before = async (): Promise<readonly InstalledPackage[]> =>
          driver.packages(one.containerId);
        const install = { ...nothing, install: [older.package] };
        const upgrade = { ...nothing, upgrade: [newer.package] };
        const remove = { ...nothing, remove: [identity(newer)] };

        await refused('engine-failed', driver.transact(one, install, files));
        await driver.start(one);
        const base = byNevra(await before());
        const withOlder = byNevra([...base, identity(older)]);
        const withNewer = byNevra([...base, identity(newer)]);
        // Each twice: a lost reply is answered by asking again.
        for (const [transaction, added, removed, then] of [
          [install, [identity(older)], [], withOlder],
          [upgrade, [identity(newer)], [identity(older)], withNewer],
          [remove, [], [identity(newer)], base],
        ] as const) {
          const report = await driver.transact(one, transaction, files);
          expect(report).toMatchObject({ added, removed });
          expect(byNevra(await before())).toEqual(then);
          await driver.transact(one, transaction, files);
          expect(byNevra(await before())).toEqual(then);
        }

        await expect(driver.transact(one, install, new Map())).rejects.toBeInstanceOf(DriverError);
        expect(byNevra(await before())).toEqual(base);
        await refused('instance-missing', driver.transact(ref(newId(), 1), install, files));
      },
    );

    law('what a caller supplies never reaches a shell and harms nobody', async () => {
      const canary = join(tmpdir(), `canary-${randomUUID()}`);
      const bystander = await create();
      const before = await driver.observe(bystander.containerId);
      const field = fc.constantFrom('id', 'instruction', 'hostname', 'digest', 'name', 'source');
      await fc.assert(
        fc.asyncProperty(field, hostile(canary), async (where, text) => {
          const id = where === 'id' ? text : newId();
          const at = ref(id, 1, where === 'instruction' ? text : undefined);
          const image = {
            digest: where === 'digest' ? text : bench.image.digest,
            name: where === 'name' ? text : bench.image.name,
            source: where === 'source' ? text : bench.image.source,
          };
          const hostname = where === 'hostname' ? text : 'guest';
          const spec = { image, limits: small, network: { hostname, addresses: addresses(1, 2) } };
          await typed(driver.prepareImage(image));
          await typed(driver.create(at, spec));
          await typed(driver.observe(id));
          await typed(driver.packages(id));
          const named = { name: text, epoch: 0, version: '1', release: '1', arch: 'noarch' };
          const gone = { install: [], upgrade: [], remove: [named] };
          await typed(driver.transact(at, gone, new Map()));
          await typed(driver.destroy(at));
          expect(existsSync(canary)).toBe(false);
        }),
        { numRuns: fuzzRuns },
      );
      expect(await driver.observe(bystander.containerId)).toEqual(before);
    });
  });
}

/** Two sets of limits that differ in everything. */
const small: ContainerLimits = {
  cpuMillis: 250,
  memoryBytes: 64n * MiB,
  diskBytes: 64n * MiB,
  processes: 40,
  cpuUnits: 1000,
};
const large: ContainerLimits = {
  cpuMillis: 1500,
  memoryBytes: 128n * MiB,
  diskBytes: 128n * MiB,
  processes: 80,
  cpuUnits: 4000,
};

function ref(containerId: string, generation: number, instructionId?: string): InstanceRef {
  return { containerId, generation, instructionId: instructionId ?? `ins-${randomUUID()}` };
}

function network(addresses: readonly NetworkAddress[]): {
  hostname: string;
  addresses: readonly NetworkAddress[];
} {
  return { hostname: 'guest.example.net', addresses };
}

function hostile(canary: string): fc.Arbitrary<string> {
  const attack = fc.constantFrom(
    `$(touch ${canary})`,
    `\`touch ${canary}\``,
    `;touch ${canary};`,
    `|touch ${canary}`,
    `\ntouch ${canary}\n`,
    `'; touch ${canary} #`,
    `"$(touch ${canary})"`,
    `../../../../../../${canary}`,
    `file://${canary}/$(touch ${canary})`,
    '--help',
    '-rf /',
    '%2e%2e%2f',
    '\u0000',
    '',
  );
  const around = fc.string({ unit: 'grapheme', maxLength: 20 });
  return fc.oneof(
    fc.tuple(around, attack, around).map((parts) => parts.join('')),
    attack,
    fc.string({ unit: 'binary', maxLength: 100 }),
  );
}

function byNevra(list: readonly InstalledPackage[]): readonly InstalledPackage[] {
  const key = (one: InstalledPackage): string => `${one.name} ${one.version}`;
  return [...list].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function sorted(seen: ObservedInstance): ObservedInstance {
  return { ...seen, addresses: [...seen.addresses].sort() };
}

function byId(a: ObservedInstance, b: ObservedInstance): number {
  return a.containerId < b.containerId ? -1 : 1;
}

async function refused(
  code: DriverErrorCode,
  step: Promise<unknown>,
  sentence: RegExp = /^.{20,}[.]$/s,
): Promise<void> {
  const error: unknown = await step.then(
    () => 'it succeeded',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DriverError);
  expect(error).toMatchObject({ code, message: expect.stringMatching(sentence) });
}

/** Success or a typed error; anything else is a bug. */
async function typed(step: Promise<unknown>): Promise<void> {
  await step.catch((error: unknown) => {
    if (!(error instanceof DriverError)) throw error;
  });
}
