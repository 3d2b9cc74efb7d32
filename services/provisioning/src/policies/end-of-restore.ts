/** When a deleted container can no longer be restored, it is terminated. */
import { RestoreWindowEnded } from '@bivouac/events/containers';
import { policy, RuntimeError } from '@bivouac/infra/runtime';

import { StartOperation } from '../api/index.ts';

export const terminateAfterWindow = policy({
  name: 'provisioning.terminate-after-window',
  on: [RestoreWindowEnded],
  target: (event) => event.data.containerId,
  // The operation's id derives from the command's key, that is from this event: it is started once.
  react: async ({ data, homeid: homeId }, context) => {
    const { containerId, tenantId } = data;
    const reason = 'it was deleted, and its time to be restored has ended';
    const order = { kind: 'terminate' as const, containerId, reason };
    const reply = await context.execute(StartOperation, { order, tenantId, homeId });
    if (!reply.ok)
      throw new RuntimeError('defect', `a termination was refused: ${reply.refusal.message}`);
  },
});
