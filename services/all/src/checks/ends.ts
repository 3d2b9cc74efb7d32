/** How an operation has ended, by the event that says so. */
import { is, type Recorded } from '@bivouac/events/language';
import {
  AttentionNeeded,
  OperationCancelled,
  OperationFailed,
  OperationReleased,
  OperationResolved,
  OperationRetried,
  OperationSucceeded,
} from '@bivouac/events/provisioning';
import { z } from 'zod';

/** `running`: it had to wait for the staff, and goes on. */
export const OutcomeSchema = z.enum([
  'running',
  'succeeded',
  'failed',
  'cancelled',
  'resolved',
  'released',
  'needs-attention',
]);
export type Outcome = z.output<typeof OutcomeSchema>;

/** An end, or the wait for a person, or the end of that. */
export interface End {
  readonly operationId: string;
  readonly outcome: Outcome;
  /** With `needs-attention`: the step that somebody has to look at. */
  readonly step: string | null;
}

/** Undefined for every other event. */
export function endOf(event: Recorded): End | undefined {
  if (is(event, OperationSucceeded)) return end(event.data.operationId, 'succeeded');
  if (is(event, OperationFailed)) return end(event.data.operationId, 'failed');
  if (is(event, OperationCancelled)) return end(event.data.operationId, 'cancelled');
  if (is(event, OperationResolved)) return end(event.data.operationId, 'resolved');
  if (is(event, OperationReleased)) return end(event.data.operationId, 'released');
  if (is(event, OperationRetried)) return end(event.data.operationId, 'running');
  if (is(event, AttentionNeeded)) {
    return end(event.data.operationId, 'needs-attention', event.data.ref.step);
  }
  return undefined;
}

function end(operationId: string, outcome: Outcome, step: string | null = null): End {
  return { operationId, outcome, step };
}
