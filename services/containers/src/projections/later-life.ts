/** How the events of a container's later life change its row. */
import {
  AddressesRemoving,
  ContainerFrozen,
  ContainerLetGo,
  ContainerResized,
  ContainerResizing,
  ContainerRestored,
  ContainerSoftDeleted,
  ContainerThawed,
  PackagesRequested,
  PowerRequested,
  RestoreWindowEnded,
  SoftDeletionRequested,
} from '@bivouac/events/containers';
import { on } from '@bivouac/infra/runtime';

import type { Lifecycle } from '../api/index.ts';
import { after } from '../domain/container/index.ts';
import { change, held, seen } from './container-rows.ts';

export const laterLifeHandlers = [
  on(PowerRequested, (event, view) => {
    const { action, ask } = event.data;
    change(view, event, (row) => ({
      ...held(row, ask, 'containers.power'),
      former: row.lifecycle,
      lifecycle: known(after(action, row.lifecycle)),
    }));
  }),
  on(ContainerFrozen, (event, view) => {
    change(view, event, (row) => seen(row, 'frozen', event.time));
  }),
  on(ContainerThawed, (event, view) => {
    change(view, event, (row) => seen(row, 'running', event.time));
  }),
  on(ContainerResizing, (event, view) => {
    change(view, event, (row) => held(row, event.data.ask, 'containers.resize'));
  }),
  on(ContainerResized, (event, view) => {
    const { plan } = event.data;
    change(view, event, (row) => ({ ...row, plan, limits: plan.limits }));
  }),
  on(AddressesRemoving, (event, view) => {
    change(view, event, (row) => held(row, event.data.ask, 'containers.remove-addresses'));
  }),
  on(SoftDeletionRequested, (event, view) => {
    change(view, event, (row) => held(row, event.data.ask, 'containers.soft-delete'));
  }),
  on(ContainerSoftDeleted, (event, view) => {
    const { restoreUntil, deletedAt } = event.data;
    change(view, event, (row) => ({
      ...row,
      beforeDeletion: row.lifecycle,
      lifecycle: 'soft-deleted',
      softDeletedAt: deletedAt,
      restoreUntil,
    }));
  }),
  on(ContainerRestored, (event, view) => {
    change(view, event, (row) => ({
      ...held(row, event.data.ask, 'containers.restore'),
      lifecycle: row.beforeDeletion ?? row.lifecycle,
      beforeDeletion: null,
      softDeletedAt: null,
      restoreUntil: null,
    }));
  }),
  on(RestoreWindowEnded, (event, view) => {
    change(view, event, (row) => ({ ...row, restoreUntil: null }));
  }),
  on(PackagesRequested, (event, view) => {
    change(view, event, (row) => held(row, event.data.ask, 'containers.packages'));
  }),
  on(ContainerLetGo, (event, view) => {
    const { operationId } = event.data;
    change(view, event, (row) => ({
      ...row,
      maker: row.maker === operationId ? null : row.maker,
      operation: row.operation?.operationId === operationId ? null : row.operation,
    }));
  }),
];

/** A row's lifecycle: nothing has a row before it is requested. */
function known(lifecycle: Lifecycle | 'none'): Lifecycle {
  if (lifecycle === 'none') throw new RangeError('nothing known has a row');
  return lifecycle;
}
