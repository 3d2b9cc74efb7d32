/** When a container's ask is settled, the operation gets its answer; what is gone leaves the roster. */
import { AskSettled } from '@bivouac/events/containers';
import { refuse } from '@bivouac/events/language';
import { policy } from '@bivouac/infra/runtime';

import { LeaveRoster } from '../commands/rosters.ts';
import { settleCapacity } from './resize.ts';

export const settleAsks = policy({
  name: 'containers.settle-asks',
  on: [AskSettled],
  react: async ({ data, homeid }, context) => {
    const { containerId, ask, name, outcome, result, refusal, gone } = data;
    // Before the answer: the operation's end is then also the end of everything it held.
    if (name === 'containers.resize') {
      await settleCapacity({ ref: ask, outcome }, containerId, context);
    }
    if (gone) await context.execute(LeaveRoster, { homeId: homeid, containerId });
    // Where another answer stands (a time-out), the operation undoes by its own registered steps.
    await context.answer(
      ask,
      name,
      outcome === 'done'
        ? { outcome, result: result ?? {} }
        : {
            outcome,
            refusal:
              refusal ?? refuse('NODE_FAILED', 'The step came to nothing; ask again.').refusal,
          },
    );
  },
});
