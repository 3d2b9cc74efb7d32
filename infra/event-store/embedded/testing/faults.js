/**
 * Faults for tests, injected into the writer: hold a commit back, let the disk fail, or die, at a
 * chosen point. Loaded in the writer's worker, hence plain JavaScript.
 */

/** @typedef {keyof import('../messages.ts').WriterFaults} Point */

/**
 * @typedef {object} Plan
 * @property {Int32Array<SharedArrayBuffer>} [gate] `[open, waiting]`: commits wait until `open` is 1
 * @property {{ point: Point, at: number }} [fail] throws at the n-th passing of the point, from 1
 * @property {{ point: Point, at: number }} [die] kills the process there
 */

/**
 * @param {Plan} plan
 * @returns {import('../messages.ts').WriterFaults}
 */
export default function faults(plan) {
  /** @type {Map<Point, number>} */
  const passed = new Map();
  const pass = (/** @type {Point} */ point) => () => {
    const n = (passed.get(point) ?? 0) + 1;
    passed.set(point, n);
    if (point === 'beforeCommit' && plan.gate !== undefined) {
      Atomics.store(plan.gate, 1, 1);
      Atomics.wait(plan.gate, 0, 0);
    }
    if (plan.fail?.point === point && plan.fail.at === n) throw new Error('disk I/O error');
    if (plan.die?.point === point && plan.die.at === n) process.kill(process.pid, 'SIGKILL');
  };
  return {
    beforeCommit: pass('beforeCommit'),
    afterCommit: pass('afterCommit'),
    beforeRecord: pass('beforeRecord'),
  };
}
