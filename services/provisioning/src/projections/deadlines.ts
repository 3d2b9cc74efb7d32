/** The deadline of each ask: nothing an operation waits for is waited for without end. */
import { type AskRef, StepAsked } from '@bivouac/events/operations';
import { StepEnded } from '@bivouac/events/provisioning';
import { on, projection, timers } from '@bivouac/infra/runtime';

import { TimeOutAsk } from '../internal.ts';

export const deadlinesProjection = projection({
  name: 'provisioning.deadlines',
  tables: [timers],
  on: [
    on(StepAsked, ({ data, homeid }, view) => {
      const { ref, ask, tenantId, notAfter } = data;
      view.put(timers, {
        id: timerId(ref),
        due: notAfter,
        homeId: homeid,
        command: TimeOutAsk.name,
        input: { ref, ask, tenantId, homeId: homeid },
      });
    }),
    on(StepEnded, ({ data }, view) => {
      view.delete(timers, timerId(data.ref));
    }),
  ],
});

function timerId(ref: AskRef): string {
  return `${ref.operationId}/${ref.step}/${ref.attempt}`;
}
