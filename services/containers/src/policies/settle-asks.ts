/** When a container's ask is settled, the operation gets its answer; what is gone leaves the roster. */
import { AskSettled, ContainerDeleted } from '@bivouac/events/containers';
import { is } from '@bivouac/events/language';
import { refuse } from '@bivouac/events/language';
import { policy } from '@bivouac/infra/runtime';

import { KeepOut, LeaveRoster } from '../commands/rosters.ts';
import { settleCapacity } from './resize.ts';

export const settleAsks = policy({
  name: 'containers.settle-asks',
  on: [AskSettled, ContainerDeleted],
  react: async (event, context) => {
    const { homeid: homeId } = event;
    const { containerId } = event.data;
    if (is(event, ContainerDeleted)) {
      // Perhaps nobody waits for it any more: staff have ended who did.
      await context.execute(LeaveRoster, { homeId, containerId });
      return;
    }
    const { ask, name, outcome, result, refusal, gone } = event.data;
    // Before the answer: the operation's end is then also the end of everything it held.
    if (name === 'containers.resize') {
      await settleCapacity({ ref: ask, outcome }, containerId, context);
    }
    // Of what is discarded the entry may be on its way still.
    const leave = name === 'containers.discard' ? KeepOut : LeaveRoster;
    if (gone) await context.execute(leave, { homeId, containerId });
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
