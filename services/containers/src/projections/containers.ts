/** Containers as their owners see them, with all four axes. */
import {
  AddressesAttached,
  AddressesAttaching,
  AddressesDetached,
  AskAccepted,
  AskSettled,
  ContainerDeleted,
  ContainerDeleting,
  ContainerFailed,
  ContainerRenamed,
  ContainerRequested,
  ContainerReserved,
  ContainerRunning,
  ContainerStarted,
  ContainerStopped,
  HoldLifted,
  HoldPlaced,
  InstructionIssued,
  ObservationChanged,
} from '@bivouac/events/containers';
import type { AskName, AskRef } from '@bivouac/events/operations';
import { on, projection } from '@bivouac/infra/runtime';
import { table, type WritableView } from '@bivouac/infra/views';

import type { ContainerView } from '../api/index.ts';

/** A container's row: what is answered, but for the node's name, which is the node's. */
export interface ContainerRow extends Omit<ContainerView, 'node'> {
  readonly nodeId: string | null;
  /** The operation that makes it, until it runs or is gone. */
  readonly maker: string | null;
}

export const containers = table<ContainerRow>()({
  name: 'containers',
  key: (row) => row.id,
  indexes: {
    byPosition: (row) => [row.position],
    byHome: (row) => [row.homeId, row.position],
    byTenant: (row) => [row.tenantId, row.position],
    byLifecycle: (row) => [row.lifecycle, row.position],
    byTenantLifecycle: (row) => [row.tenantId, row.lifecycle, row.position],
  },
});

export const containersProjection = projection({
  name: 'containers.containers',
  tables: [containers],
  on: [
    on(ContainerRequested, (event, view) => {
      const { containerId, tenantId, hostname, plan, image, operationId } = event.data;
      const { imageId, name, digest, inventory } = image;
      view.put(containers, {
        id: containerId,
        tenantId,
        homeId: event.homeid,
        hostname,
        lifecycle: 'requested',
        operation: { operationId, ask: null },
        maker: operationId,
        holds: [],
        observed: null,
        plan,
        limits: plan.limits,
        image: { imageId, name, digest, inventory },
        addresses: [],
        location: null,
        nodeId: null,
        generation: 0,
        runningSince: null,
        createdAt: event.time,
        endedAt: null,
        position: event.position,
      });
    }),
    on(ContainerReserved, (event, view) => {
      const { containerId, nodeId, location, generation, limits, addresses, ask } = event.data;
      change(view, containerId, (row) => ({
        ...held(row, ask, 'containers.build'),
        lifecycle: 'reserved',
        nodeId,
        location,
        generation,
        limits,
        addresses,
      }));
    }),
    on(InstructionIssued, (event, view) => {
      if (event.data.step !== 'build') return;
      change(view, event.data.containerId, (row) => ({ ...row, lifecycle: 'building' }));
    }),
    on(ContainerRunning, (event, view) => {
      const { containerId, runningAt } = event.data;
      change(view, containerId, (row) => ({
        ...seen(row, 'running', event.time),
        lifecycle: 'running',
        maker: null,
        runningSince: runningAt,
      }));
    }),
    on(ContainerStarted, (event, view) => {
      change(view, event.data.containerId, (row) => seen(row, 'running', event.time));
    }),
    on(ContainerStopped, (event, view) => {
      change(view, event.data.containerId, (row) => seen(row, 'stopped', event.time));
    }),
    on(ContainerRenamed, (event, view) => {
      const { containerId, hostname } = event.data;
      change(view, containerId, (row) => ({ ...row, hostname }));
    }),
    on(AddressesAttaching, (event, view) => {
      change(view, event.data.containerId, (row) => held(row, event.data.ask, 'containers.attach'));
    }),
    on(AddressesAttached, (event, view) => {
      const { containerId, addresses } = event.data;
      change(view, containerId, (row) => ({
        ...row,
        addresses: [...row.addresses, ...addresses],
      }));
    }),
    on(AddressesDetached, (event, view) => {
      const gone = new Set(event.data.leaseIds);
      change(view, event.data.containerId, (row) => ({
        ...row,
        addresses: row.addresses.filter((address) => !gone.has(address.leaseId)),
      }));
    }),
    on(HoldPlaced, (event, view) => {
      const { containerId, hold, ask } = event.data;
      change(view, containerId, (row) => ({
        ...held(row, ask, 'containers.hold'),
        holds: [...row.holds, { ...hold, placedAt: event.time }],
      }));
    }),
    on(HoldLifted, (event, view) => {
      const { containerId, holdId, ask } = event.data;
      change(view, containerId, (row) => ({
        ...held(row, ask, 'containers.unhold'),
        holds: row.holds.filter((hold) => hold.holdId !== holdId),
      }));
    }),
    on(ContainerDeleting, (event, view) => {
      const { containerId, generation, ask } = event.data;
      change(view, containerId, (row) => ({
        ...held(row, ask, 'containers.destroy'),
        lifecycle: 'deleting',
        maker: null,
        generation,
      }));
    }),
    on(ContainerDeleted, (event, view) => {
      const { containerId, endedAt, ran } = event.data;
      change(view, containerId, (row) => ({
        ...(row.nodeId === null ? row : seen(row, 'absent', event.time)),
        lifecycle: ran ? 'deleted' : 'failed',
        maker: null,
        endedAt,
      }));
    }),
    on(ContainerFailed, (event, view) => {
      change(view, event.data.containerId, (row) => ({
        ...row,
        lifecycle: 'failed',
        maker: null,
        endedAt: event.time,
      }));
    }),
    on(ObservationChanged, (event, view) => {
      const { containerId, state, generation } = event.data;
      change(view, containerId, (row) => ({
        ...row,
        observed: { state, generation, at: event.time },
      }));
    }),
    on(AskAccepted, (event, view) => {
      const { containerId, ask, name } = event.data;
      change(view, containerId, (row) => held(row, ask, name));
    }),
    on(AskSettled, (event, view) => {
      const { containerId, ask } = event.data;
      change(view, containerId, (row) =>
        row.operation?.operationId !== ask.operationId
          ? row
          : {
              ...row,
              operation: row.maker === null ? null : { operationId: row.maker, ask: null },
            },
      );
    }),
  ],
});

function change(view: WritableView, id: string, next: (row: ContainerRow) => ContainerRow): void {
  // A hold may come before the container is requested, a discard without it: neither has a row.
  const row = view.get(containers, id);
  if (row !== undefined) view.put(containers, next(row));
}

function held(row: ContainerRow, ref: AskRef | undefined, ask: AskName): ContainerRow {
  return ref === undefined ? row : { ...row, operation: { operationId: ref.operationId, ask } };
}

function seen(
  row: ContainerRow,
  state: NonNullable<ContainerRow['observed']>['state'],
  at: string,
): ContainerRow {
  return { ...row, observed: { state, generation: row.generation, at } };
}
