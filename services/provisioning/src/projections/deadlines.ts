/** The deadline of each ask, and of each delay: nothing is waited for without end. */
import { type AskRef, StepAsked } from '@bivouac/events/operations';
import { StepDelayed, StepEnded, StepResumed } from '@bivouac/events/provisioning';
import { on, projection, timers } from '@bivouac/infra/runtime';

import { ResumeStep, TimeOutAsk } from '../internal.ts';

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
    on(StepDelayed, ({ data, homeid }, view) => {
      const { operationId, ref, until } = data;
      view.put(timers, {
        id: delayId(operationId, ref.step),
        due: until,
        homeId: homeid,
        command: ResumeStep.name,
        input: { operationId, step: ref.step, until },
      });
    }),
    on(StepResumed, ({ data }, view) => {
      view.delete(timers, delayId(data.operationId, data.step));
    }),
  ],
});

function delayId(operationId: string, step: string): string {
  return `${operationId}/${step}/delay`;
}

function timerId(ref: AskRef): string {
  return `${ref.operationId}/${ref.step}/${ref.attempt}`;
}
