/**
 * LXD's daemon is ended in the middle of what it does, wherever a step changes something, and started again:
 * every order ends as it was meant, once, and nothing is left over. Only on a daemon that `infra/dev/up lxd` started.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterEach, expect, test } from '@jest/globals';
import { systemClock } from '@bivouac/infra/runtime';

import { FaultyProxy } from '../../infra/dev/proxy/proxy.ts';
import { socketPath, whyNoLxd } from '../../services/agent/src/adapters/lxd/live-bench.ts';
import type { Result } from '../e2e/client.ts';
import {
  closeAll,
  type Ended,
  newFolder,
  nothing,
  open,
  type Running,
} from '../e2e/installation.ts';

/** Of a machine with much else to do. */
const TIMEOUT = 1_800_000;
const root = fileURLToPath(new URL('../../', import.meta.url));
const state = process.env['BIVOUAC_DEV_STATE'] ?? '/var/lib/bivouac-dev';
/** Milliseconds by which the installation's clock goes on at once while an order is waited for. */
const TICK = 200;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await closeAll();
  for (let close = closing.pop(); close !== undefined; close = closing.pop()) await close();
});

/** The daemon that `infra/dev/up lxd` has started; undefined: another one, which is left alone. */
async function daemon(): Promise<number | undefined> {
  const text = await readFile(join(state, 'lxd', 'pid'), 'utf8').catch(() => '');
  const pid = Number(text.trim() || NaN);
  return Number.isInteger(pid) && alive(pid) ? pid : undefined;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Between an agent and LXD: ends the daemon when the n-th change from now on has come to it. */
class Interrupted {
  readonly path: string;
  /** Changes that were begun since it was armed. */
  changes = 0;
  restarts = 0;
  #at = Infinity;
  #signal: NodeJS.Signals = 'SIGKILL';
  #restarting: Promise<void> = Promise.resolve();

  private constructor(path: string) {
    this.path = path;
  }

  static async start(): Promise<Interrupted> {
    const between = new Interrupted(join(await newFolder(), 'lxd.socket'));
    const proxy = await FaultyProxy.start({
      to: { path: socketPath },
      at: between.path,
      judge: () => (way, bytes) => {
        // What a request begins with; bodies do not begin so.
        if (way === 'up' && /^(POST|PUT|PATCH|DELETE) \//.test(bytes.toString('latin1')))
          between.#begun();
        return 'pass';
      },
    });
    closing.push(() => proxy.close());
    return between;
  }

  arm(at: number, signal: NodeJS.Signals): void {
    this.changes = 0;
    this.#at = at;
    this.#signal = signal;
  }

  /** Resolves when the daemon is there again. */
  async disarm(): Promise<void> {
    this.#at = Infinity;
    await this.#restarting;
  }

  #begun(): void {
    this.changes += 1;
    if (this.changes !== this.#at) return;
    this.#restarting = this.#restart();
    // Whoever disarms hears why.
    this.#restarting.catch(() => undefined);
  }

  async #restart(): Promise<void> {
    const pid = await daemon();
    if (pid === undefined) throw new Error('the daemon is not the one that infra/dev/up started');
    process.kill(pid, this.#signal);
    // It is nobody's child here: there is nothing to be told by.
    while (alive(pid)) await systemClock.sleep(20);
    await promisify(execFile)('infra/dev/up', ['lxd'], { cwd: root });
    this.restarts += 1;
  }
}

/** Orders, and waits for the end, while time passes. */
async function ends(running: Running, order: () => Promise<Result>): Promise<Ended> {
  const over = new AbortController();
  const passing = (async () => {
    while (!over.signal.aborted) {
      await systemClock.sleep(TICK, over.signal);
      running.clock.advance(TICK);
    }
  })();
  try {
    return await running.end(await order());
  } finally {
    over.abort();
    await passing;
  }
}

test(
  'a daemon that is ended wherever a step changes something: each order ends as it was meant, once, and nothing is left',
  async () => {
    const missing = (await whyNoLxd()) ?? ((await daemon()) === undefined ? 'not ours' : undefined);
    if (missing !== undefined) {
      const said = `No LXD of infra/dev/up lxd was found (${missing}).`;
      if (process.env['CI'] === 'true') throw new Error(said);
      process.stderr.write(`${said}\n`);
      return;
    }
    const between = await Interrupted.start();
    const running = await open({ nodeUrl: `lxd+unix://${between.path}` });
    const { owner } = running;
    // Killed, it forgets what it did. While it starts or stops a container it is asked to end, since killed then
    // LXD 5.0.2 leaves a route on the host that nobody can have again (docs/operations.md).
    const either = ['SIGKILL', 'SIGTERM'] as const;
    /** One more each time, until an order has made no more changes than that: how many it makes. */
    const everywhere = async (
      what: string,
      order: () => Promise<Result>,
      signals: readonly [NodeJS.Signals, NodeJS.Signals],
      then: (ended: Ended) => Promise<unknown> = () => Promise.resolve(),
    ): Promise<void> => {
      for (let at = 1; ; at++) {
        between.arm(at, signals[(at + 1) % 2] ?? 'SIGKILL');
        const ended = await ends(running, order);
        const reached = between.changes >= at;
        await between.disarm();
        const meant = expect.objectContaining({ status: 'SUCCEEDED', error: null });
        expect([what, at, ended]).toEqual([what, at, meant]);
        await then(ended);
        if (!reached) return;
      }
    };
    const isOne = async (containerId: string): Promise<void> => {
      await running.quiet();
      expect(await running.held()).toMatchObject({ instances: 1, leases: 1, openCharges: 1 });
      expect(await running.container(containerId)).toMatchObject({
        observed: { state: 'RUNNING' },
      });
    };
    const purge = (containerId: string) => () =>
      owner.mutate('purgeContainer', { containerId, reason: 'moved away' });

    // There is room for few of them, so each goes before the next comes, and is interrupted in that too.
    let purged = 0;
    await everywhere(
      'build',
      () => running.order({ hostname: `vps${purged}.example.com` }),
      either,
      async ({ targetId }) => {
        await isOne(targetId);
        // It is stopped, then deleted.
        if (purged++ % 2 === 0) between.arm(1, 'SIGTERM');
        else between.arm(2, 'SIGKILL');
        const gone = await ends(running, purge(targetId));
        await between.disarm();
        expect(gone).toMatchObject({ status: 'SUCCEEDED', error: null });
        await running.quiet();
        expect(await running.held()).toEqual(nothing);
      },
    );
    const containerId = (await ends(running, () => running.order())).targetId;
    let larger = false;
    const resize = (): Promise<Result> => {
      larger = !larger;
      return owner.mutate('resizeContainer', { containerId, plan: larger ? '2000' : '1000' });
    };
    await everywhere('resize', resize, either);
    const restart = (): Promise<Result> => owner.mutate('restartContainer', { containerId });
    await everywhere('restart', restart, ['SIGTERM', 'SIGTERM']);
    await isOne(containerId);
    await ends(running, purge(containerId));
    await running.quiet();
    expect(await running.held()).toEqual(nothing);
    expect(between.restarts).toBeGreaterThan(5);
    process.stderr.write(`the daemon was ended ${between.restarts} times\n`);
  },
  TIMEOUT,
);
