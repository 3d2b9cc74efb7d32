// The order of test files: what starts processes or whole installations first. It takes long and mostly waits;
// begun last, it would keep one processor idle at the end. Behind that Jest's own order.
const { default: Sequencer } = require('@jest/test-sequencer');

/** @typedef {Parameters<import('@jest/test-sequencer').default['sort']>[0][number]} Test */

/** @param {Test} test */
const isLong = ({ path }) => path.endsWith('.int.test.ts');

module.exports = class extends Sequencer {
  /**
   * @param {Test[]} tests
   * @override
   */
  async sort(tests) {
    const sorted = await super.sort(tests);
    return [...sorted.filter(isLong), ...sorted.filter((test) => !isLong(test))];
  }
};
