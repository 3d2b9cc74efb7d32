/** The fake engine keeps every law of a driver, and breaks exactly what it was told to break. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { idFromUuid } from '@bivouac/events/values';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type BenchRpm, driverConformance } from '../driver.conformance.ts';
import type { Driver, ImageSource, InstanceRef, NetworkAddress } from '../driver.ts';
import { openFakeDriver, type FakeDriverOptions } from './driver.fake.ts';
import { scriptedFaults, seededFaults, type FaultCall, type FaultKind } from './fake/faults.ts';

const skel: ImageSource = { digest: 'a'.repeat(64), name: 'skel', source: 'builtin:skel' };
const withRpm: ImageSource = { digest: 'b'.repeat(64), name: 'el9', source: 'builtin:skel' };
const bash = { name: 'bash', epoch: 0, version: '5.1.8', release: '9.el9', arch: 'x86_64' };
const addresses: readonly NetworkAddress[] = [10, 11, 12, 13].map((host) => ({
  address: `192.0.2.${host}`,
  family: 'ipv4',
}));
const limits = {
  cpuMillis: 1000,
  memoryBytes: 1n << 30n,
  diskBytes: 1n << 33n,
  processes: 240,
  cpuUnits: 1000,
};

let folder: string;
const opened: Driver[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fake-node-'));
});

afterEach(async () => {
  for (const driver of opened.splice(0)) await driver.close();
  await rm(folder, { recursive: true });
});

driverConformance('the fake engine', async () => {
  const home = await mkdtemp(join(tmpdir(), 'fake-node-'));
  const open = (): Promise<Driver> =>
    openFakeDriver({
      folder: home,
      inventories: (digest) => (digest === withRpm.digest ? [bash] : []),
    });
  return {
    driver: await open(),
    image: skel,
    addresses,
    rpmImage: { image: withRpm, packageName: 'bash' },
    rpms: [rpmOf('1.0'), rpmOf('2.0')],
    reopen: open,
    close: () => rm(home, { recursive: true }),
  };
});

describe('the fake engine as told', () => {
  test('a fault before the effect leaves nothing; asking again does it', async () => {
    const driver = await open({ faults: scriptedFaults([{ kind: 'fail', step: 'create' }]) });
    const one = newRef();
    await expect(create(driver, one)).rejects.toMatchObject({ code: 'engine-unavailable' });
    expect(await driver.list()).toEqual([]);
    await create(driver, one);
    expect(await driver.list()).toHaveLength(1);
  });

  test('a final fault is engine-failed, for the subject named only', async () => {
    const [one, two] = [newRef(), newRef()];
    const driver = await open({
      faults: scriptedFaults([{ kind: 'refuse', step: 'create', subject: two.containerId }]),
    });
    await create(driver, one);
    await expect(create(driver, two)).rejects.toMatchObject({ code: 'engine-failed' });
  });

  test('a lost reply is outcome-unknown over a done effect; asking again finds it done', async () => {
    const driver = await open({ faults: scriptedFaults([{ kind: 'lose', step: 'create' }]) });
    const one = newRef();
    await expect(create(driver, one)).rejects.toMatchObject({ code: 'outcome-unknown' });
    expect((await driver.observe(one.containerId)).state).toBe('stopped');
    await create(driver, one);
    expect(await driver.list()).toHaveLength(1);
  });

  test.each([
    ['crash-before', 'absent'],
    ['crash-after', 'stopped'],
  ] as const)('after a %s the next start finds it %s', async (kind, state) => {
    let crashes = 0;
    const driver = await open({
      faults: scriptedFaults([{ kind, step: 'create' }]),
      crash: () => (crashes += 1),
    });
    const one = newRef();
    await expect(create(driver, one)).rejects.toMatchObject({ code: 'engine-unavailable' });
    expect(crashes).toBe(1);
    await expect(driver.list()).rejects.toMatchObject({ code: 'engine-unavailable' });
    expect((await (await open()).observe(one.containerId)).state).toBe(state);
  });

  test('a step waits its latency on the clock handed in', async () => {
    const slept: number[] = [];
    const driver = await open({
      clock: { now: () => 0, sleep: (ms) => Promise.resolve(void slept.push(ms)) },
      latencyMs: (step) => (step === 'create' ? 200 : 0),
    });
    const one = newRef();
    await create(driver, one);
    await driver.start(one);
    expect(slept).toEqual([200]);
  });

  test.each([
    { containers: 2 },
    { memoryBytes: 2n * limits.memoryBytes },
    { diskBytes: 2n * limits.diskBytes },
  ])('a full node refuses a third, and takes it when one is gone: %p', async (capacity) => {
    const driver = await open({ capacity });
    const one = newRef();
    await create(driver, one);
    await create(driver, newRef());
    const third = newRef();
    await expect(create(driver, third)).rejects.toMatchObject({ code: 'not-possible' });
    await driver.destroy(one);
    await create(driver, third);
  });

  test('limits are raised only as far as the node goes', async () => {
    const driver = await open({ capacity: { memoryBytes: limits.memoryBytes } });
    const one = newRef();
    await create(driver, one);
    const more = { ...limits, memoryBytes: limits.memoryBytes + 1n };
    await expect(driver.applyLimits(one, more)).rejects.toMatchObject({ code: 'not-possible' });
    expect((await driver.observe(one.containerId)).limits).toEqual(limits);
  });

  test('a seed draws the same faults for the same steps, whatever their order', () => {
    const plan = seededFaults(7, 'node-1', [{ kind: 'fail', step: 'create', probability: 0.3 }]);
    const calls: FaultCall[] = Array.from({ length: 400 }, (_, n) => ({
      step: 'create',
      subject: `ctr_${n}`,
      attempt: 1,
      boot: 1,
    }));
    const forward = calls.map(plan);
    expect(calls.toReversed().map(plan).toReversed()).toEqual(forward);
    const drawn = forward.filter((fault: FaultKind | undefined) => fault === 'fail').length;
    expect(drawn).toBeGreaterThan(80);
    expect(drawn).toBeLessThan(160);
    expect(plan({ step: 'start', subject: 'ctr_1', attempt: 1, boot: 1 })).toBeUndefined();
    expect(calls.map((call) => plan({ ...call, boot: 2 }))).not.toEqual(forward);
  });

  test('packages are what the last transaction made of them, also when it is opened again', async () => {
    const options = { inventories: () => [bash] };
    const driver = await open(options);
    const one = newRef();
    await create(driver, one);
    await driver.start(one);
    const rpm = rpmOf('1.0').package;
    const files = new Map([[rpm.checksum ?? '', '/nowhere']]);
    const transaction = { install: [rpm], upgrade: [], remove: [bash] };
    await driver.transact(one, transaction, files);
    const after = await driver.packages(one.containerId);
    expect(after.map(({ name }) => name)).toEqual(['sample']);
    expect(await (await open(options)).packages(one.containerId)).toEqual(after);
  });

  test.each([
    ['what is there in another version', { install: ['bash'], upgrade: [], remove: [] }],
    ['what is not there as an upgrade', { install: [], upgrade: ['sample'], remove: [] }],
    ['what is there in another version, to remove', { install: [], upgrade: [], remove: ['bash'] }],
  ])('a transaction with %s is refused, and changes nothing', async (_what, names) => {
    const driver = await open({ inventories: () => [bash] });
    const one = newRef();
    await create(driver, one);
    await driver.start(one);
    const checksum = 'a'.repeat(64);
    const named = (name: string) => ({ ...bash, name, version: '9.9', checksum });
    const transaction = {
      install: names.install.map(named),
      upgrade: names.upgrade.map(named),
      remove: names.remove.map(named),
    };
    await expect(
      driver.transact(one, transaction, new Map([[checksum, '/nowhere']])),
    ).rejects.toMatchObject({ code: 'engine-failed' });
    expect(await driver.packages(one.containerId)).toEqual([bash]);
  });

  test('state is kept in small appends: a step does not rewrite what stands beside it', async () => {
    const driver = await open();
    for (let n = 0; n < 200; n += 1) await create(driver, newRef());
    const file = join(folder, 'node.journal');
    const before = (await readFile(file)).length;
    const one = newRef();
    await create(driver, one);
    await driver.start(one);
    expect((await readFile(file)).length - before).toBeLessThan(2000);
  });
});

/** A file of a package: the engine reads none. */
function rpmOf(version: string): BenchRpm {
  const identity = { name: 'sample', epoch: 0, version, release: '1', arch: 'noarch' };
  const checksum = createHash('sha256').update(version).digest('hex');
  return { path: '/nowhere', package: { ...identity, url: 'file:///nowhere', checksum } };
}

async function open(options: Omit<FakeDriverOptions, 'folder'> = {}): Promise<Driver> {
  for (const driver of opened.splice(0)) await driver.close();
  const driver = await openFakeDriver({ folder, ...options });
  opened.push(driver);
  return driver;
}

function newRef(): InstanceRef {
  const id = randomUUID();
  return { containerId: idFromUuid('container', id), generation: 1, instructionId: `ins-${id}` };
}

async function create(driver: Driver, ref: InstanceRef): Promise<void> {
  await driver.prepareImage(skel);
  await driver.create(ref, { image: skel, limits, network: { hostname: 'guest', addresses } });
}
