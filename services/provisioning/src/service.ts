/** Provisioning: the operations that span contexts, from order to outcome. */
import { RestoreWindowEnded } from '@bivouac/events/containers';
import { AskAnswered, AskNameSchema, StepAsked } from '@bivouac/events/operations';
import { operationEvents } from '@bivouac/events/provisioning';
import { ReservationOverdue } from '@bivouac/events/quotas';
import { service } from '@bivouac/infra/runtime';

import { commands } from './commands.ts';
import { TimeOutAsk } from './internal.ts';
import { openOperations } from './measures.ts';
import { answerOverdueReservations } from './policies/answer-overdue.ts';
import { recordChildren, startChildren } from './policies/children.ts';
import { terminateAfterWindow } from './policies/end-of-restore.ts';
import { recordAnswers } from './policies/record-answer.ts';
import { deadlinesProjection } from './projections/deadlines.ts';
import { operationsProjection } from './projections/operations.ts';
import {
  operationById,
  operationChanges,
  operationHistory,
  operationList,
} from './queries/operations.ts';

export const provisioningService = service({
  name: 'provisioning',
  events: [...operationEvents, StepAsked, AskAnswered, ReservationOverdue, RestoreWindowEnded],
  commands,
  queries: [operationById, operationList, operationHistory, operationChanges],
  projections: [operationsProjection, deadlinesProjection],
  policies: [
    recordAnswers,
    startChildren,
    recordChildren,
    answerOverdueReservations,
    terminateAfterWindow,
  ],
  responders: [],
  measures: [openOperations],
  // An owner may have settled an ask in time and died before it could say so.
  timerAwaits: ({ command, input }) => {
    if (command !== TimeOutAsk.name) return [];
    const [owner = ''] = AskNameSchema.parse(input['ask']).split('.');
    return [owner];
  },
});
