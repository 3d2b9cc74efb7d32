/** Provisioning's commands, each bound to its aggregate and decision. */
import { is, type Principal } from '@bivouac/events/language';
import { answerStream, AskAnswered } from '@bivouac/events/operations';
import { OperationStarted } from '@bivouac/events/provisioning';
import { aggregate, type CommandHandler, handler } from '@bivouac/infra/runtime';

import {
  CancelOperation,
  ReleaseOperation,
  ResolveOperation,
  RetryOperation,
  StartOperation,
} from './api/index.ts';
import { type AnswerState, evolveAnswer, timeOut } from './domain/answer.ts';
import {
  answerOverdue,
  cancel,
  evolve,
  initial,
  operationIdOf,
  type OperationState,
  type Orderer,
  recordAnswer,
  recordChild,
  release,
  resolve,
  resumeStep,
  retry,
  start,
  streamEvents,
} from './domain/operation/index.ts';
import {
  AnswerOverdue,
  RecordAnswer,
  RecordChild,
  ResumeStep,
  StartChild,
  TimeOutAsk,
} from './internal.ts';

const operation = aggregate<OperationState, typeof streamEvents>({
  category: 'operation',
  version: 5,
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

/** A child is its parent's to start, whoever ordered that. */
const host: Orderer = { staff: true, reaches: () => true, tenantId: '' };

function ordererOf({ audience, reach, tenantId }: Principal): Orderer {
  return {
    staff: audience === 'staff',
    reaches: (id) => reach === 'all' || reach.has(id),
    tenantId,
  };
}

const streamOf = (operationId: string): string => `operation-${operationId}`;

export const commands: readonly CommandHandler[] = [
  handler(StartOperation, operation, {
    stream: (_input, { commandKey }) => streamOf(operationIdOf(commandKey)),
    owner: ({ tenantId, homeId }) => ({ tenantId, homeId }),
    prepare: ({ order, tenantId }, _ports, { principal }) =>
      Promise.resolve({ input: { order, tenantId, by: ordererOf(principal) } }),
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
    stream: ({ operationId }) => streamOf(operationId),
    prepare: (_input, _ports, { principal }) =>
      Promise.resolve({ input: { by: ordererOf(principal), held: principal.rights } }),
    decide: cancel,
    result: (_events, { operationId }) => ({ operationId }),
  }),
  handler(RetryOperation, operation, {
    stream: ({ operationId }) => streamOf(operationId),
    decide: retry,
    result: (_events, { operationId }) => ({ operationId }),
  }),
  handler(ResolveOperation, operation, {
    stream: ({ operationId }) => streamOf(operationId),
    decide: resolve,
    result: (_events, { operationId }) => ({ operationId }),
  }),
  handler(ReleaseOperation, operation, {
    stream: ({ operationId }) => streamOf(operationId),
    decide: release,
    result: (_events, { operationId }) => ({ operationId }),
  }),
  handler(StartChild, operation, {
    stream: ({ childId }) => streamOf(childId),
    owner: ({ tenantId, homeId }) => ({ tenantId, homeId }),
    prepare: ({ parentId, childId: operationId, order, tenantId }) =>
      Promise.resolve({
        input: { order, tenantId, by: host, child: { operationId, parentId } },
      }),
    decide: start,
    result: () => ({}),
  }),
  handler(RecordChild, operation, {
    stream: ({ parentId }) => streamOf(parentId),
    decide: (state: OperationState, { child }, context) => recordChild(state, child, context),
    result: () => ({}),
  }),
  handler(RecordAnswer, operation, {
    stream: ({ ref }) => streamOf(ref.operationId),
    decide: recordAnswer,
    result: () => ({}),
  }),
  handler(ResumeStep, operation, {
    stream: ({ operationId }) => streamOf(operationId),
    decide: resumeStep,
    result: () => ({}),
  }),
  handler(AnswerOverdue, operation, {
    stream: ({ operationId }) => streamOf(operationId),
    decide: answerOverdue,
    result: () => ({}),
  }),
  handler(TimeOutAsk, answer, {
    stream: ({ ref }) => answerStream(ref),
    owner: ({ tenantId, homeId }) => ({ tenantId, homeId }),
    decide: timeOut,
    result: () => ({}),
  }),
];
