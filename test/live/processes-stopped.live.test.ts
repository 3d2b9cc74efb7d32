/**
 * Replicas that stand still (SIGSTOP) past their session with work in hand, and then go on: others have
 * taken over meanwhile, what they still write is refused or changes nothing, nothing is lost or done twice.
 */
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { processes, type ProcessesKind } from '@bivouac/all';
import { Draws } from '@bivouac/all/draws';
import { PARTITIONS } from '@bivouac/infra/bus';

import { closeAll } from '../e2e/installation.ts';
import { removeBuilds } from '../../infra/process/testing/program.ts';
import { bundled } from '../processes/builds.ts';
import { OrderLoad } from '../processes/load.ts';
import { busUrl, kafkaIsThere } from './kafka-there.ts';

/** Of a machine with much else to do. */
const TIMEOUT = 1_800_000;
const SEED = Number(process.env['SEED'] ?? 20260410);
const CUSTOMERS = 4;
const ROLES = ['provisioning', 'containers', 'quotas', 'billing'] as const;
const cacheUrl = process.env['CACHE_URL'] ?? 'redis://127.0.0.1:7379';
const all = Array.from({ length: PARTITIONS }, (_, partition) => partition);
const CHARGE = 'billing.SetupCharged';

const stopped: number[] = [];
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  // Who stands still could not be ended in order.
  for (const pid of stopped.splice(0)) goOn(pid);
  await closeAll();
  for (let close = closing.pop(); close !== undefined; close = closing.pop()) await close();
});
afterAll(removeBuilds);

function kindWith(settings: Readonly<Record<string, string>>): ProcessesKind {
  const kind = processes({ busUrl, replicas: 2, build: bundled(), settings });
  closing.push(() => kind.dispose());
  return kind;
}

/** A process is stopped amid new orders; answers, once these have ended without it, how it goes on. */
async function stoppedAmid(load: OrderLoad, draws: Draws, pid: number): Promise<() => void> {
  stopped.push(pid);
  // An order makes more than thirty events: its home is in the middle of them.
  const amid = load.amid(draws.between(10, CUSTOMERS * 20)).then(() => {
    process.kill(pid, 'SIGSTOP');
  });
  const held = await load.order();
  await amid;
  expect(await load.ends(held)).toEqual(held.map(() => 'succeeded'));
  return () => {
    goOn(pid);
  };
}

function goOn(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It has ended by now.
  }
}

/** All orders have come to what they come to, once each, and nothing is against a law. */
async function check(load: OrderLoad): Promise<void> {
  await load.running.quiet();
  expect(await load.ends(load.accepted)).toEqual(load.accepted.map(() => 'succeeded'));
  expect(await load.installation.nodes.instances()).toBe(load.accepted.length);
  const { history, violations } = await load.left();
  expect({ seed: SEED, violations }).toEqual({ seed: SEED, violations: [] });
  expect(history.filter(({ type }) => type === CHARGE)).toHaveLength(load.accepted.length);
}

test(
  'a replica that stands still past its session, and goes on, has lost its homes to the other and undoes nothing',
  async () => {
    if (!(await kafkaIsThere())) return;
    const load = await OrderLoad.start(kindWith({ NODE_URL: 'fake:?nodes=3' }), CUSTOMERS);
    const { replicas } = load.installation;
    for (const role of ROLES) {
      await load.running.quiet();
      const has = async (number: number): Promise<number> => {
        const here = new Set(await replicas.partitions(role, number));
        return [...load.partitions].filter((partition) => here.has(partition)).length;
      };
      const [first, second] = [await has(1), await has(2)];
      expect([role, first + second]).toEqual([role, load.partitions.size]);
      const victim = first > second ? 1 : 2;
      const wake = await stoppedAmid(load, new Draws(SEED, role), replicas.pid(role, victim));
      // It stands, and once its session is over has nothing any more: orders may have ended before.
      let left: readonly number[] = [];
      while (left.length < all.length) {
        left = [...(await replicas.partitions(role, 3 - victim))].sort((a, b) => a - b);
      }
      expect([role, left]).toEqual([role, all]);
      wake();
      // It wakes among new ones.
      await load.order();
    }
    await check(load);
    expect(load.failures).toEqual([]);
  },
  TIMEOUT,
);

test(
  'a relay that stands still past its turn, and goes on, is followed by the other and publishes nothing more',
  async () => {
    if (!(await kafkaIsThere())) return;
    const load = await OrderLoad.start(
      kindWith({ NODE_URL: 'fake:?nodes=3', CACHE_URL: cacheUrl }),
      CUSTOMERS,
    );
    const { replicas } = load.installation;
    await replicas.start('relay', 2);
    await load.running.quiet();
    const wake = await stoppedAmid(load, new Draws(SEED, 'relay'), replicas.pid('relay', 1));
    wake();
    await load.order();
    await load.running.quiet();
    // Now the second one stands, and the first has its turn again.
    const wakeAgain = await stoppedAmid(load, new Draws(SEED, 'again'), replicas.pid('relay', 2));
    wakeAgain();
    await load.order();
    await check(load);
    // It may be told so by the store before it has looked whose turn it is.
    const other = load.failures.filter((failure) => !/another relay/.test(String(failure)));
    expect(other).toEqual([]);
  },
  TIMEOUT,
);
