/** The LXD driver keeps every law of a driver on a real daemon, and the kernel enforces what it says. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type DriverBench, driverConformance } from '../driver.conformance.ts';
import { openDriver } from '../driver-url.ts';
import { DriverError, type InstanceRef, type NetworkAddress } from '../driver.ts';
import {
  addresses,
  inside,
  limits,
  lxdClient,
  MiB,
  newRef,
  openLxd,
  skel,
  whyNoLxd,
} from './lxd/live-bench.ts';
import { behindTls, losingReplies } from './lxd/live-faults.ts';
import { nameOf } from './lxd/names.ts';
import { skelImage } from './lxd/skel-image.ts';
import { buildRpm, imageWithRpm, whyNoRpm } from './lxd/live-rpm.ts';

const TIMEOUT_MS = 120_000;
const missing = await whyNoLxd();

if (missing === undefined) onLxd();
else
  test('there is an LXD to try', () => {
    if (process.env['CI'] === 'true') throw new Error(missing);
    process.stderr.write(`${missing}\n`);
  });

function onLxd(): void {
  driverConformance(
    'LXD',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'lxd-image-'));
      return {
        driver: openLxd(),
        image: skel,
        addresses: addresses(10, 4),
        ...(await withRpm(folder)),
        reopen: async () => openLxd(),
        close: () => rm(folder, { recursive: true }),
      };
    },
    { timeoutMs: TIMEOUT_MS, fuzzRuns: 30 },
  );

  describe('on LXD, what is said is enforced', () => {
    const driver = openLxd();
    const made: InstanceRef[] = [];

    function law(title: string, check: () => Promise<void>): void {
      test(title, check, TIMEOUT_MS);
    }

    beforeAll(() => driver.prepareImage(skel), TIMEOUT_MS);

    afterEach(async () => {
      for (const ref of made.splice(0)) await driver.destroy(ref);
    }, TIMEOUT_MS);

    async function running(at: readonly NetworkAddress[] = addresses(20)): Promise<InstanceRef> {
      const ref = newRef();
      made.push(ref);
      const network = { hostname: 'guest.example.net', addresses: at };
      await driver.create(ref, { image: skel, limits, network });
      await driver.start(ref);
      return ref;
    }

    law(
      'memory: a program that takes more is killed, and not once the limit is raised',
      async () => {
        const one = await running();
        // dd touches the whole of its one block.
        const take = ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=90M', 'count=1'];
        expect((await inside(one, ...take)).status).not.toBe(0);
        await driver.applyLimits(one, { ...limits, memoryBytes: 128n * MiB });
        expect((await inside(one, ...take)).status).toBe(0);
      },
    );

    law('processes: a fork beyond the limit fails, and not once it is raised', async () => {
      const one = await running();
      const script = 'for n in $(seq 60); do sleep 30 & done; kill $(jobs -p)';
      expect((await inside(one, 'sh', '-c', script)).status).not.toBe(0);
      await driver.stop(one, 0);
      await driver.start(one);
      await driver.applyLimits(one, { ...limits, processes: 100 });
      expect((await inside(one, 'sh', '-c', `${script}; exit 0`)).status).toBe(0);
    });

    law(
      'disk: a write stops at the limit; a full container is raised, not cut below its use',
      async () => {
        const one = await running();
        const fill = ['dd', 'if=/dev/urandom', 'of=/root/fill', 'bs=1M', 'count=90'];
        expect((await inside(one, ...fill)).status).not.toBe(0);
        const size = Number((await inside(one, 'wc', '-c', '/root/fill')).output.split(' ')[0]);
        expect(size).toBeGreaterThan(30 * 2 ** 20);
        expect(size).toBeLessThanOrEqual(64 * 2 ** 20);
        const raised = { ...limits, diskBytes: 128n * MiB, processes: 50 };
        await driver.applyLimits(one, raised);
        expect((await inside(one, ...fill)).status).toBe(0);
        await expect(driver.applyLimits(one, limits)).rejects.toMatchObject({
          code: 'not-possible',
        });
        expect((await driver.observe(one.containerId)).limits).toEqual(raised);
        await inside(one, 'rm', '/root/fill');
        await inside(one, 'sync');
        await driver.applyLimits(one, limits);
        expect((await driver.observe(one.containerId)).limits).toEqual(limits);
      },
    );

    law('disk: a full container can still be stopped, started, frozen and destroyed', async () => {
      const one = await running();
      await fill(one, 'first');
      await driver.freeze(one);
      await driver.thaw(one);
      await driver.stop(one, 5);
      await driver.start(one);
      expect((await driver.observe(one.containerId)).state).toBe('running');
      // What it was lent to start with is no part of its limit, nor taken from under it.
      await fill(one, 'more');
      const changed = { ...limits, processes: 60 };
      await driver.applyLimits(one, changed);
      await driver.configureNetwork(one, { hostname: 'full', addresses: addresses(21) });
      expect((await driver.observe(one.containerId)).limits).toEqual(changed);
      await driver.destroy(one);
    });

    law('CPU: the kernel holds the share that was asked for', async () => {
      const one = await running();
      const group = `lxc.payload.${nameOf(one.containerId)}`;
      // By cgroup version 2, or 1.
      const read = (path: string): Promise<string> => readFile(`/sys/fs/cgroup/${path}`, 'utf8');
      const text = await read(`${group}/cpu.max`).catch(async () => {
        const files = ['cpu.cfs_quota_us', 'cpu.cfs_period_us'];
        return (await Promise.all(files.map((file) => read(`cpu/${group}/${file}`)))).join(' ');
      });
      const [quota, period] = text.trim().split(/\s+/).map(Number);
      expect((quota ?? 0) / (period ?? 1)).toBe(0.25);
    });

    law(
      'a guest has its host name and all its addresses, from its start and after a change',
      async () => {
        const one = await running(addresses(20, 2));
        expect((await inside(one, 'hostname')).output).toBe('guest.example.net\n');
        expect(await held(one)).toEqual(['203.0.113.20', '203.0.113.21']);
        const at: readonly NetworkAddress[] = [
          ...addresses(21, 2),
          { address: '2001:db8::21', family: 'ipv6' },
        ];
        await driver.configureNetwork(one, { hostname: 'other', addresses: at });
        expect((await inside(one, 'hostname')).output).toBe('other\n');
        expect(await held(one)).toEqual(['2001:db8::21', '203.0.113.21', '203.0.113.22']);
        await driver.stop(one, 5);
        await driver.start(one);
        expect((await inside(one, 'hostname')).output).toBe('other\n');
        expect(await held(one)).toEqual(['2001:db8::21', '203.0.113.21', '203.0.113.22']);
      },
    );

    law('containers reach each other; a packet with a stolen source never arrives', async () => {
      const [one, two] = [await running(addresses(20, 2)), await running(addresses(30))];
      await running(addresses(40));
      const ping = (from: string): Promise<{ status: number }> =>
        inside(one, 'ping', '-c', '2', '-W', '1', '-I', from, '203.0.113.30');
      const arrived = async (): Promise<number> => {
        const { output } = await inside(two, 'cat', '/proc/net/snmp');
        const [names, figures] = output
          .split('\n')
          .filter((line) => line.startsWith('Icmp:'))
          .map((line) => line.split(' '));
        return Number(figures?.[names?.indexOf('InEchos') ?? -1]);
      };
      const before = await arrived();
      expect((await ping('203.0.113.20')).status).toBe(0);
      expect((await ping('203.0.113.21')).status).toBe(0);
      expect(await arrived()).toBe(before + 4);
      // Another container's address, and one of nobody.
      for (const stolen of ['203.0.113.40', '198.51.100.7']) {
        await inside(one, 'ip', 'addr', 'add', `${stolen}/32`, 'dev', 'eth0');
        expect((await ping(stolen)).status).not.toBe(0);
      }
      expect(await arrived()).toBe(before + 4);
    });

    law(
      'an address held by a running container is refused to another, by name of the step',
      async () => {
        await running(addresses(20));
        await expect(running(addresses(20))).rejects.toMatchObject({
          name: 'DriverError',
          message: expect.stringContaining('start'),
        });
      },
    );

    law('a container lives on while its agent is away', async () => {
      const one = await running();
      const born = async (): Promise<string | undefined> =>
        (await inside(one, 'cat', '/proc/1/stat')).output.split(' ')[21];
      const before = await born();
      await driver.close();
      const next = openLxd();
      expect((await next.observe(one.containerId)).state).toBe('running');
      await next.start(one);
      expect(await born()).toBe(before);
    });

    law('an init that will not halt is stopped by force after its grace', async () => {
      const one = await running();
      await inside(
        one,
        'sh',
        '-c',
        'echo "#!/bin/busybox sh\ntrap : PWR\nwhile :; do sleep 1; done" > /sbin/init',
      );
      await driver.stop(one, 5);
      await driver.start(one);
      await driver.stop(one, 1);
      expect((await driver.observe(one.containerId)).state).toBe('stopped');
    });

    law('a lost reply is answered by looking: what was asked for is there, once', async () => {
      const lossy = await losingReplies(/^(POST|PUT|PATCH|DELETE) \/1\.0\/instances/);
      const shaky = openLxd(lossy.path);
      const ref = newRef();
      made.push(ref);
      const network = { hostname: 'guest', addresses: addresses(20) };
      await again(() => shaky.create(ref, { image: skel, limits, network }));
      await again(() => shaky.start(ref));
      await again(() => shaky.applyLimits(ref, { ...limits, processes: 70 }));
      const seen = await driver.observe(ref.containerId);
      expect(seen).toMatchObject({ state: 'running', limits: { processes: 70 } });
      await again(() => shaky.destroy(ref));
      expect((await driver.observe(ref.containerId)).state).toBe('absent');
      expect(lossy.lost()).toBeGreaterThanOrEqual(3);
      await lossy.close();
    });

    law('over mutual TLS it is the same node; an unknown certificate is turned away', async () => {
      const { tls, trust, close } = await behindTls();
      try {
        const remote = await openDriver(tls, { folder: '/nonexistent' });
        await expect(remote.inventory()).rejects.toMatchObject({ code: 'engine-unavailable' });
        await trust();
        expect(await remote.inventory()).toEqual(await driver.inventory());
        const one = await running();
        expect(await remote.list()).toContainEqual(await driver.observe(one.containerId));
        await remote.destroy(one);
      } finally {
        await close();
      }
    });

    law("a stranger's instance under one of our names is not touched", async () => {
      const ref = newRef();
      const path = `/1.0/instances/${nameOf(ref.containerId)}`;
      const lxd = lxdClient();
      const stranger = {
        name: nameOf(ref.containerId),
        source: { type: 'none' },
        config: {},
        devices: {},
      };
      await lxd.change('POST', '/1.0/instances', stranger);
      try {
        await expect(driver.destroy(ref)).rejects.toMatchObject({ code: 'engine-failed' });
        await expect(driver.observe(ref.containerId)).rejects.toThrow('not ours');
        expect(await driver.list()).not.toContainEqual(expect.objectContaining(ref));
      } finally {
        await lxd.change('DELETE', path);
      }
    });

    law(
      'a package transaction tells which configuration rpm kept, and rpm’s word why not',
      async () => {
        const folder = await mkdtemp(join(tmpdir(), 'lxd-rpm-'));
        try {
          const { rpmImage, rpms } = await withRpm(folder);
          if (rpmImage === undefined || rpms === undefined) return;
          await driver.prepareImage(rpmImage.image);
          const one = newRef();
          made.push(one);
          const network = { hostname: 'guest.example.net', addresses: addresses(20) };
          await driver.create(one, { image: rpmImage.image, limits, network });
          await driver.start(one);
          const [older, newer] = rpms;
          const nothing = { install: [], upgrade: [], remove: [] };
          const at = (path: string) =>
            new Map([older, newer].map((rpm) => [rpm.package.checksum ?? '', path]));
          await driver.transact(one, { ...nothing, install: [older.package] }, at(older.path));
          await inside(one, 'sh', '-c', 'echo mine > /etc/sample.conf');

          const damaged = join(folder, 'damaged.rpm');
          const content = await readFile(newer.path);
          content.writeUInt8(
            (content.readUInt8(content.length - 20) + 1) % 256,
            content.length - 20,
          );
          await writeFile(damaged, content);
          const upgrade = { ...nothing, upgrade: [newer.package] };
          await expect(driver.transact(one, upgrade, at(damaged))).rejects.toMatchObject({
            code: 'engine-failed',
            message: expect.stringMatching(/rpm ended with \d+ and said: .*digest/is),
          });
          const { configFiles } = await driver.transact(one, upgrade, at(newer.path));
          expect(configFiles).toEqual(['/etc/sample.conf.rpmnew']);
          expect((await inside(one, 'cat', '/etc/sample.conf')).output).toBe('mine\n');
          expect((await inside(one, 'ls', '/var/tmp')).output).toBe('');
        } finally {
          await rm(folder, { recursive: true });
        }
      },
    );

    law('an image file that is not what its digest says is refused', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'lxd-image-'));
      const file = join(folder, 'image.tar');
      await writeFile(file, await skelImage('/bin/busybox'));
      const source = pathToFileURL(file).href;
      const other = { digest: '1'.repeat(64), name: 'other', source };
      await expect(driver.prepareImage(other)).rejects.toMatchObject({ code: 'image-unavailable' });
      await rm(folder, { recursive: true });
    });
  });
}

/** Writes until not one more block fits. */
async function fill(ref: InstanceRef, name: string): Promise<void> {
  for (const size of ['1M', '64k', '4k', '1k', '1k']) {
    const file = `of=/root/${name}-${size}`;
    await inside(ref, 'dd', 'if=/dev/urandom', file, `bs=${size}`, 'count=100');
  }
  await inside(ref, 'sync');
}

/** As the agent does: what may have happened is asked for again. */
async function again(step: () => Promise<void>): Promise<void> {
  for (let left = 10; ; left -= 1) {
    try {
      return await step();
    } catch (error) {
      const unknown = error instanceof DriverError && error.code === 'outcome-unknown';
      if (!unknown || left === 0) throw error;
    }
  }
}

/** The global addresses that the guest itself has, sorted. */
async function held(ref: InstanceRef): Promise<readonly string[]> {
  const { output } = await inside(ref, 'ip', 'addr', 'show', 'dev', 'eth0');
  return [...output.matchAll(/inet6? ([^ /]+)\S* scope global/g)]
    .map((match) => match[1] ?? '')
    .sort();
}

/** A real rpm in the image, where this machine has one. */
async function withRpm(folder: string): Promise<Pick<DriverBench, 'rpmImage' | 'rpms'>> {
  const missing = whyNoRpm();
  if (missing !== undefined) {
    if (process.env['CI'] === 'true') throw new Error(missing);
    process.stderr.write(`${missing}\n`);
    return {};
  }
  const image = await imageWithRpm(folder, buildRpm(folder, 'base', '1.0'));
  return {
    rpmImage: { image, packageName: 'base' },
    rpms: [buildRpm(folder, 'sample', '1.0'), buildRpm(folder, 'sample', '2.0')],
  };
}
