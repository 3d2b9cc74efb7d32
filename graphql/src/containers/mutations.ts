/**
 * Changing a container. All but its name is an operation: what is answered is that it began; what a
 * node or another context has to say against it comes as the operation's `error`.
 */
import { RenameContainer } from '@bivouac/containers/api';

import { builder } from '../language/builder.ts';
import { given } from '../language/given.ts';
import { mutation, type Payload, PayloadRef } from '../language/mutation.ts';
import { enumeration } from '../language/enumeration.ts';
import { OperationAccepted, ownerOf, start } from '../provisioning/start.ts';
import { containerById, ContainerRef } from './container.ts';

const ContainerRenamed = builder
  .objectRef<Payload & { readonly containerId: string }>('ContainerRenamed')
  .implement({
    description: 'The container has the host name; its node sets it with the next network change.',
    interfaces: [PayloadRef],
    fields: (t) => ({
      containerId: t.exposeID('containerId', { description: 'The container.' }),
      container: t.field({
        type: ContainerRef,
        nullable: true,
        description: 'The container as it is after the change.',
        resolve: ({ containerId }, _args, { services }) => containerById(services, containerId),
      }),
    }),
  });

mutation('renameContainer', {
  description: 'Gives a container another host name.',
  input: builder.inputType('RenameContainerInput', {
    description: 'A new host name.',
    fields: (t) => ({
      containerId: t.id({ description: 'The container.' }),
      hostname: t.string({ description: 'The host name, e.g. `web1.example.com`.' }),
    }),
  }),
  versioned: true,
  type: ContainerRenamed,
  act: ({ containerId, hostname }, key, { services }) =>
    services.command(RenameContainer, { containerId, hostname }, key),
  payload: ({ containerId }) => ({ containerId }),
});

const accepted = ({ operationId }: { readonly operationId: string }) => ({ operationId });

const powerMutations = {
  start: 'Starts a container. Under a hold it cannot be started.',
  stop: 'Stops a container. It goes on being charged.',
  restart: 'Stops a running container and starts it again.',
  freeze: 'Keeps a running container in memory, without CPU.',
  thaw: 'Lets a frozen container go on.',
} as const;

for (const action of ['start', 'stop', 'restart', 'freeze', 'thaw'] as const) {
  const name = `${action.charAt(0).toUpperCase()}${action.slice(1)}Container`;
  mutation(`${action}Container`, {
    description: powerMutations[action],
    input: builder.inputType(`${name}Input`, {
      description: 'Which container.',
      fields: (t) => ({ containerId: t.id({ description: 'The container.' }) }),
    }),
    type: OperationAccepted,
    act: async ({ containerId }, key, { services }) =>
      start(services, await ownerOf(services, containerId), key, () => ({
        kind: 'power',
        containerId,
        action,
      })),
    payload: accepted,
  });
}

export const When = enumeration('OperationTime', 'When something is to be done.', {
  now: 'At once.',
  'period-end': 'When the container’s billing period ends.',
});

mutation('resizeContainer', {
  description: 'Gives a container another plan. Its node needs room for it.',
  input: builder.inputType('ResizeContainerInput', {
    description: 'Which plan, and when.',
    fields: (t) => ({
      containerId: t.id({ description: 'The container.' }),
      plan: t.string({ description: 'The plan’s code, e.g. `2000`.' }),
      at: t.field({ type: When, required: false, description: 'NOW unless told.' }),
    }),
  }),
  type: OperationAccepted,
  names: { planCode: 'plan' },
  act: async ({ containerId, plan, at }, key, { services }) =>
    start(services, await ownerOf(services, containerId), key, () => ({
      ...{ kind: 'resize', containerId, planCode: plan },
      ...given({ at }),
    })),
  payload: accepted,
});

mutation('removeAddress', {
  description: 'Takes addresses from a container, never its last one. They are charged until then.',
  input: builder.inputType('RemoveAddressInput', {
    description: 'Which addresses.',
    fields: (t) => ({
      containerId: t.id({ description: 'The container.' }),
      leaseIds: t.idList({ description: 'The `leaseId` of each, 1 to 32.' }),
    }),
  }),
  type: OperationAccepted,
  act: async ({ containerId, leaseIds }, key, { services }) =>
    start(services, await ownerOf(services, containerId), key, () => ({
      ...{ kind: 'remove-address', containerId, leaseIds },
    })),
  payload: accepted,
});

mutation('deleteContainer', {
  description:
    'Deletes a container: it is stopped, charged no more, and can be restored for some days.',
  input: builder.inputType('DeleteContainerInput', {
    description: 'Which, why, and for how long it is kept.',
    fields: (t) => ({
      containerId: t.id({ description: 'The container.' }),
      reason: t.string({ description: 'Why; 1 to 500 characters.' }),
      restoreDays: t.int({ required: false, description: '1 to 90; 7 unless told.' }),
    }),
  }),
  type: OperationAccepted,
  act: async ({ containerId, reason, restoreDays }, key, { services }) =>
    start(services, await ownerOf(services, containerId), key, () => ({
      ...{ kind: 'delete', containerId, reason },
      ...given({ restoreDays }),
    })),
  payload: accepted,
});

mutation('restoreContainer', {
  description: 'Takes a deletion back: the container is as it was, and charged again.',
  input: builder.inputType('RestoreContainerInput', {
    description: 'Which container.',
    fields: (t) => ({ containerId: t.id({ description: 'The container.' }) }),
  }),
  type: OperationAccepted,
  act: async ({ containerId }, key, { services }) =>
    start(services, await ownerOf(services, containerId), key, () => ({
      kind: 'restore',
      containerId,
    })),
  payload: accepted,
});

mutation('purgeContainer', {
  description:
    'Destroys a container for ever, deleted before or not, and gives back all it held. There is no ' +
    'way back.',
  input: builder.inputType('PurgeContainerInput', {
    description: 'Which and why.',
    fields: (t) => ({
      containerId: t.id({ description: 'The container.' }),
      reason: t.string({ description: 'Why; 1 to 500 characters.' }),
    }),
  }),
  type: OperationAccepted,
  act: async ({ containerId, reason }, key, { services }) =>
    start(services, await ownerOf(services, containerId), key, () => ({
      kind: 'terminate',
      containerId,
      reason,
    })),
  payload: accepted,
});
