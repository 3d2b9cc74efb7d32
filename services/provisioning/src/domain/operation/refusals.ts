/** Refusals as an operation records and gives them. */
import { refuse, type Refusal } from '@bivouac/events/language';

import type { Asking, OperationState } from './state.ts';

/** A refusal as events hold it: mutable JSON. */
export function wireRefusal(refusal: Refusal): {
  code: string;
  message: string;
  path?: string[];
  retryable?: boolean;
  details?: Record<string, unknown>;
} {
  return {
    code: refusal.code,
    message: refusal.message,
    ...(refusal.path === undefined ? {} : { path: [...refusal.path] }),
    ...(refusal.retryable === undefined ? {} : { retryable: refusal.retryable }),
    ...(refusal.details === undefined ? {} : { details: { ...refusal.details } }),
  };
}

/** Why a step ended badly, where its owner did not say. */
export function reasonOf(asking: Asking): Refusal {
  return asking.status === 'timed-out'
    ? {
        code: 'STEP_TIMED_OUT',
        message: `The step ${asking.step} was not answered in time; order again, or ask the provider's staff.`,
      }
    : {
        code: 'STEP_FAILED',
        message: `The step ${asking.step} failed; order again, or ask the provider's staff.`,
      };
}

const path = ['operationId'];

export const unknown = () =>
  refuse('OPERATION_UNKNOWN', 'There is no such operation, or it is not yours; check the id.', {
    path,
  });

/** It is over: whatever is asked of it comes too late. */
export function ended({ phase, operationId }: OperationState, wish: string) {
  return refuse(
    'OPERATION_ENDED',
    `The operation has ended (${phase}); there is nothing to ${wish}. Look at its outcome.`,
    { path, details: { operationId, status: phase } },
  );
}
