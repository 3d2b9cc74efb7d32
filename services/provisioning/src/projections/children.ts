/** The children of an operation over many, as its row counts them. */
import {
  ChildEnded,
  ChildrenCounted,
  ChildStarted,
  ChildWaiting,
  NAMED_FAILURES,
} from '@bivouac/events/provisioning';
import { on } from '@bivouac/infra/runtime';
import type { WritableView } from '@bivouac/infra/views';

import type { OperationView } from '../api/index.ts';
import { withProgress } from './progress.ts';
import { change } from './rows.ts';

type Children = NonNullable<OperationView['children']>;

export const childHandlers = [
  on(ChildrenCounted, ({ data }, view) => {
    const none = { started: 0, waiting: 0, succeeded: 0, failed: 0, failures: [] };
    const children = { total: data.count, ...none };
    change(view, data.operationId, (row) => withProgress({ ...row, children }));
  }),
  on(ChildStarted, ({ data }, view) => {
    count(view, data.operationId, (now) => ({ ...now, started: now.started + 1 }));
  }),
  on(ChildWaiting, ({ data }, view) => {
    count(view, data.operationId, (now) => ({ ...now, waiting: now.waiting + 1 }));
  }),
  on(ChildEnded, ({ data }, view) => {
    const { operationId, childId, subject, outcome, waited, refusal } = data;
    count(view, operationId, (before) => {
      const now = { ...before, waiting: before.waiting - (waited ? 1 : 0) };
      if (outcome === 'succeeded' || outcome === 'resolved') {
        return { ...now, succeeded: now.succeeded + 1 };
      }
      const failure = { childId, subject, code: refusal?.code ?? outcome.toUpperCase() };
      const failures = [...now.failures, failure].slice(0, NAMED_FAILURES);
      return { ...now, failed: now.failed + 1, failures };
    });
  }),
];

function count(view: WritableView, id: string, next: (now: Children) => Children): void {
  change(view, id, (row) =>
    row.children === null ? row : withProgress({ ...row, children: next(row.children) }),
  );
}
