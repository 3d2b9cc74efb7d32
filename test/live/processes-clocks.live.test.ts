/**
 * Replicas whose clocks are hours before the others', or behind them: orders end, each is whole or undone,
 * and no stream's time goes back.
 */
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { processes, RoleSchema } from '@bivouac/all';

import { removeBuilds } from '../../infra/process/testing/program.ts';
import { closeAll } from '../e2e/installation.ts';
import { bundled } from '../processes/builds.ts';
import { OrderLoad } from '../processes/load.ts';
import { busUrl, kafkaIsThere } from './kafka-there.ts';

/** Of a machine with much else to do. */
const TIMEOUT = 900_000;
const CUSTOMERS = 4;
const HOUR = 3_600_000;
/** By how much the second replica of each is ahead. */
const AHEAD = {
  provisioning: 2 * HOUR,
  containers: -2 * HOUR,
  quotas: 2 * HOUR,
  billing: -2 * HOUR,
  accounts: 2 * HOUR,
  packages: -2 * HOUR,
};
const CHARGE = 'billing.SetupCharged';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await closeAll();
  for (let close = closing.pop(); close !== undefined; close = closing.pop()) await close();
});
afterAll(removeBuilds);

test(
  'replicas two hours ahead and two hours behind: every order ends whole or undone, and time never goes back',
  async () => {
    if (!(await kafkaIsThere())) return;
    const kind = processes({
      ...{ busUrl, replicas: 2, build: bundled() },
      settings: { NODE_URL: 'fake:?nodes=3' },
    });
    closing.push(() => kind.dispose());
    const load = await OrderLoad.start(kind, CUSTOMERS);
    const { replicas } = load.installation;
    for (const [name, ahead] of Object.entries(AHEAD)) {
      const role = RoleSchema.parse(name);
      await replicas.stop(role, 2);
      await replicas.start(role, 2, { ahead });
      await load.order();
    }
    // What waits for a time that was set by a clock ahead comes to it, too.
    for (let hours = 0; hours < 6; hours++) {
      await load.running.quiet();
      load.running.clock.advance(HOUR);
    }
    await load.running.quiet();
    const ends = await load.ends(load.accepted);
    const whole = ends.filter((end) => end === 'succeeded').length;
    expect(ends.filter((end) => end !== 'succeeded' && end !== 'failed')).toEqual([]);
    expect(whole).toBeGreaterThan(0);
    expect(await load.installation.nodes.instances()).toBe(whole);
    const { history, violations } = await load.left();
    expect(violations).toEqual([]);
    const last = new Map<string, string>();
    const backwards = history.filter(({ stream, time }) => {
      const before = last.get(stream) ?? '';
      last.set(stream, time);
      return time < before;
    });
    expect(backwards.map(({ stream, revision }) => `${stream} ${revision}`)).toEqual([]);
    expect(history.filter(({ type }) => type === CHARGE)).toHaveLength(whole);
    expect(load.failures).toEqual([]);
  },
  TIMEOUT,
);
