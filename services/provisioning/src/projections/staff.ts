/** What staff did to operations, as their rows tell it. */
import {
  LeftoversChanged,
  OperationReleased,
  OperationResolved,
  OperationRetried,
  ReleaseOrdered,
  ResolutionStated,
} from '@bivouac/events/provisioning';
import { on } from '@bivouac/infra/runtime';

import type { OperationView } from '../api/index.ts';
import { isUndo } from '../domain/operation/index.ts';
import { withProgress } from './progress.ts';
import { change, ended } from './rows.ts';

export const staffHandlers = [
  on(OperationRetried, ({ data, time, actorid }, view) => {
    change(view, data.operationId, (row) => {
      const act = { act: 'retried' as const, at: time, actorId: actorid, reason: data.reason };
      if (row.status === 'released') return acted(row, act);
      const again = isUndo(data.ref.step) ? ('undoing' as const) : ('running' as const);
      const status = data.ref.step === 'let-go' ? ('closing' as const) : again;
      const error = status === 'undoing' ? row.error : null;
      return withProgress({ ...acted(row, act), status, error });
    });
  }),
  on(ResolutionStated, ({ data, time, actorid }, view) => {
    const act = { act: 'resolved' as const, at: time, actorId: actorid, reason: data.reason };
    change(view, data.operationId, (row) => ({ ...acted(row, act), status: 'closing' }));
  }),
  on(ReleaseOrdered, ({ data, time, actorid }, view) => {
    const { reason, leftovers } = data;
    const act = { act: 'released' as const, at: time, actorId: actorid, reason };
    change(view, data.operationId, (row) => ({ ...acted(row, act), status: 'closing', leftovers }));
  }),
  on(LeftoversChanged, ({ data }, view) => {
    const { operationId, leftovers } = data;
    change(view, operationId, (row) => ({ ...row, leftovers }));
  }),
  on(OperationResolved, ({ data, time }, view) => {
    change(view, data.operationId, (row) => ended(row, time, 'resolved'));
  }),
  on(OperationReleased, ({ data, time }, view) => {
    change(view, data.operationId, (row) => ended(row, time, 'released'));
  }),
];

function acted(row: OperationView, act: OperationView['interventions'][number]): OperationView {
  return { ...row, attentionSince: null, interventions: [...row.interventions, act] };
}
