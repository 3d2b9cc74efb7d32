/** Provisioning: the operations that span contexts, from order to outcome. */
import { is } from '@bivouac/events/language';
import { answerStream, AskAnswered, StepAsked } from '@bivouac/events/operations';
import { operationEvents, OperationStarted } from '@bivouac/events/provisioning';
import { aggregate, handler, service } from '@bivouac/infra/runtime';

import { CancelOperation, StartOperation } from './api/index.ts';
import { type AnswerState, evolveAnswer, timeOut } from './domain/answer.ts';
import {
  cancel,
  evolve,
  initial,
  operationIdOf,
  type OperationState,
  recordAnswer,
  start,
  streamEvents,
} from './domain/operation.ts';
import { RecordAnswer, TimeOutAsk } from './internal.ts';
import { recordAnswers } from './policies/record-answer.ts';
import { operationsProjection } from './projections/operations.ts';
import { operationById, operationHistory, operationList } from './queries/operations.ts';

const operation = aggregate<OperationState, typeof streamEvents>({
  category: 'operation',
  events: streamEvents,
  initial,
  evolve,
});

const answer = aggregate<AnswerState, readonly [typeof AskAnswered]>({
  category: 'answer',
  events: [AskAnswered],
  initial: () => ({ answered: false }),
  evolve: evolveAnswer,
});

export const provisioningService = service({
  name: 'provisioning',
  events: [...operationEvents, StepAsked, AskAnswered],
  commands: [
    handler(StartOperation, operation, {
      stream: (_input, { commandKey }) => `operation-${operationIdOf(commandKey)}`,
      owner: ({ tenantId, homeId }) => ({ tenantId, homeId }),
      prepare: (input, _ports, { principal }) =>
        Promise.resolve({ input: { ...input, byStaff: principal.audience === 'staff' } }),
      decide: start,
      result: (events) => {
        for (const event of events) {
          if (is(event, OperationStarted)) {
            return { operationId: event.data.operationId, target: event.data.target };
          }
        }
        throw new Error('an operation was started without saying so');
      },
    }),
    handler(CancelOperation, operation, {
      stream: ({ operationId }) => `operation-${operationId}`,
      decide: (state: OperationState, _input, context) => cancel(state, context),
      result: (_events, { operationId }) => ({ operationId }),
    }),
    handler(RecordAnswer, operation, {
      stream: ({ ref }) => `operation-${ref.operationId}`,
      decide: recordAnswer,
      result: () => ({}),
    }),
    handler(TimeOutAsk, answer, {
      stream: ({ ref }) => answerStream(ref),
      owner: ({ tenantId, homeId }) => ({ tenantId, homeId }),
      decide: timeOut,
      result: () => ({}),
    }),
  ],
  queries: [operationById, operationList, operationHistory],
  projections: [operationsProjection],
  policies: [recordAnswers],
  responders: [],
});
