/** When an ask has its answer, the operation records it and asks for what comes next. */
import { AskAnswered } from '@bivouac/events/operations';
import { policy, RuntimeError } from '@bivouac/infra/runtime';

import { RecordAnswer } from '../internal.ts';

export const recordAnswers = policy({
  name: 'provisioning.record-answer',
  on: [AskAnswered],
  target: (event) => event.data.ref.operationId,
  react: async (event, context) => {
    const reply = await context.execute(RecordAnswer, event.data);
    // Nothing that an answer says can be refused; a refusal here is a defect and parks the home.
    if (!reply.ok)
      throw new RuntimeError('defect', `an answer was refused: ${reply.refusal.message}`);
  },
});
