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
  InstructionAnswered,
  InstructionIssued,
  ObservationChanged,
} from '@bivouac/events/containers';
import { on, projection, timers } from '@bivouac/infra/runtime';

import { change, containers, held, later, seen } from './container-rows.ts';
import { laterLifeHandlers } from './later-life.ts';

export const containersProjection = projection({
  name: 'containers.containers',
  tables: [containers, timers],
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
        former: null,
        beforeDeletion: null,
        softDeletedAt: null,
        restoreUntil: null,
        difference: null,
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
      const { nodeId, location, generation, limits, addresses, ask } = event.data;
      change(view, event, (row) => ({
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
      change(view, event, (row) => ({ ...row, lifecycle: 'building' }));
    }),
    on(ContainerRunning, (event, view) => {
      const { runningAt } = event.data;
      change(view, event, (row) => ({
        ...seen(row, 'running', event.time),
        lifecycle: 'running',
        maker: null,
        runningSince: runningAt,
      }));
    }),
    on(ContainerStarted, (event, view) => {
      change(view, event, (row) => seen(row, 'running', event.time));
    }),
    on(ContainerStopped, (event, view) => {
      change(view, event, (row) => seen(row, 'stopped', event.time));
    }),
    on(ContainerRenamed, (event, view) => {
      const { hostname } = event.data;
      change(view, event, (row) => ({ ...row, hostname }));
    }),
    on(AddressesAttaching, (event, view) => {
      change(view, event, (row) => held(row, event.data.ask, 'containers.attach'));
    }),
    on(AddressesAttached, (event, view) => {
      const { addresses } = event.data;
      change(view, event, (row) => ({
        ...row,
        addresses: [...row.addresses, ...addresses],
      }));
    }),
    on(AddressesDetached, (event, view) => {
      const gone = new Set(event.data.leaseIds);
      change(view, event, (row) => ({
        ...row,
        addresses: row.addresses.filter((address) => !gone.has(address.leaseId)),
      }));
    }),
    on(HoldPlaced, (event, view) => {
      const { hold, ask } = event.data;
      change(view, event, (row) => ({
        ...held(row, ask, 'containers.hold'),
        holds: [...row.holds, { ...hold, placedAt: event.time }],
      }));
    }),
    on(HoldLifted, (event, view) => {
      const { holdId, ask } = event.data;
      change(view, event, (row) => ({
        ...held(row, ask, 'containers.unhold'),
        holds: row.holds.filter((hold) => hold.holdId !== holdId),
      }));
    }),
    on(ContainerDeleting, (event, view) => {
      const { generation, ask } = event.data;
      change(view, event, (row) => ({
        ...held(row, ask, 'containers.destroy'),
        lifecycle: 'deleting',
        maker: null,
        beforeDeletion: null,
        restoreUntil: null,
        generation,
      }));
    }),
    on(ContainerDeleted, (event, view) => {
      const { endedAt, ran } = event.data;
      change(view, event, (row) => ({
        ...(row.nodeId === null ? row : seen(row, 'absent', event.time)),
        lifecycle: ran ? 'deleted' : 'failed',
        maker: null,
        endedAt,
      }));
    }),
    on(ContainerFailed, (event, view) => {
      change(view, event, (row) => ({
        ...row,
        lifecycle: 'failed',
        maker: null,
        endedAt: event.time,
      }));
    }),
    on(ObservationChanged, (event, view) => {
      const { state, generation } = event.data;
      change(view, event, (row) => ({
        ...row,
        observed: { state, generation, at: event.time },
      }));
    }),
    on(AskAccepted, (event, view) => {
      const { ask, name } = event.data;
      change(view, event, (row) => held(row, ask, name));
    }),
    on(InstructionAnswered, (event, view) => {
      change(view, event, (row) => later(row, event.time));
    }),
    on(AskSettled, (event, view) => {
      const { ask, name, outcome } = event.data;
      change(view, event, (row) => {
        const ended =
          row.operation?.operationId !== ask.operationId
            ? row
            : {
                ...row,
                operation: row.maker === null ? null : { operationId: row.maker, ask: null },
              };
        if (name !== 'containers.power') return ended;
        // What came to nothing leaves the lifecycle as it was.
        const lifecycle = outcome === 'failed' ? (row.former ?? row.lifecycle) : row.lifecycle;
        return { ...ended, lifecycle, former: null };
      });
    }),
    ...laterLifeHandlers,
  ],
});
