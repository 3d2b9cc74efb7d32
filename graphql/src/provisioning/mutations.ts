/**
 * Ordering workflows. What the gateway answers is that the operation began; what the contexts have
 * to say against it (quota, no room, a full pool, a hold) comes as the operation's `error`.
 */
import { CancelOperation, StartOperation } from '@bivouac/provisioning/api';
import type { z } from 'zod';

import { tenantOf } from '../accounts/mutations.ts';
import { HoldKind } from '../accounts/account.ts';
import { AddressFamily, containerById } from '../containers/container.ts';
import { notFound, type UserErrorValue, validationFailed } from '../errors/user-error.ts';
import { builder } from '../language/builder.ts';
import { given } from '../language/given.ts';
import { type Answer, mutation, type Payload, PayloadRef } from '../language/mutation.ts';
import { idProblem } from '../language/node.ts';
import type { Services } from '../request/services.ts';
import { operationById, OperationRef } from './operation.ts';

interface OperationPayload extends Payload {
  readonly operationId: string;
}

const OperationAccepted = builder.objectRef<OperationPayload>('OperationAccepted').implement({
  description: 'The operation is recorded and goes on by itself, whatever becomes of this process.',
  interfaces: [PayloadRef],
  fields: (t) => ({
    operationId: t.exposeID('operationId', { description: 'The operation, `op_…`.' }),
    operation: t.field({
      type: OperationRef,
      nullable: true,
      description: 'The operation as it is now.',
      resolve: ({ operationId }, _args, { services }) => operationById(services, operationId),
    }),
  }),
});

type Order = z.input<typeof StartOperation.input>['order'];
type Started = z.output<typeof StartOperation.result>;

interface Owner {
  readonly tenantId: string;
  readonly homeId: string;
}

function start(
  services: Services,
  owner: Owner | UserErrorValue,
  key: string,
  order: (owner: Owner) => Order,
): Promise<Answer<Started>> {
  if ('__typename' in owner) return Promise.resolve(owner);
  const { tenantId, homeId } = owner;
  return services.command(StartOperation, { order: order(owner), tenantId, homeId }, key);
}

/** The tenant of a container, or the error that says why it cannot be named. */
async function ownerOf(services: Services, containerId: string): Promise<Owner | UserErrorValue> {
  const path = ['input', 'containerId'];
  const problem = idProblem('container', containerId);
  if (problem !== undefined) return validationFailed(path, `The containerId: ${problem}.`);
  return (await containerById(services, containerId)) ?? notFound(path, 'container');
}

const accepted = ({ operationId }: { readonly operationId: string }) => ({ operationId });

mutation('provisionContainer', {
  description: 'Orders a container. The same idempotencyKey orders it once, however often sent.',
  input: builder.inputType('ProvisionContainerInput', {
    description: 'An order for a Linux VPS.',
    fields: (t) => ({
      accountId: t.id({ description: 'Who orders it and will pay.' }),
      hostname: t.string({ description: 'Its host name, e.g. `web1.example.com`.' }),
      plan: t.string({ description: 'The plan’s code, e.g. `1000`.' }),
      imageId: t.id({ description: 'The published image it is made from.' }),
      location: t.string({
        required: false,
        description: 'Where, e.g. `fra1`; anywhere with room unless told.',
      }),
      family: t.field({
        type: AddressFamily,
        required: false,
        description: 'The version of IP of its addresses; IPV4 unless told.',
      }),
      extraAddresses: t.int({
        required: false,
        description: 'Addresses beyond those the plan includes, 0 to 32; each is charged.',
      }),
    }),
  }),
  type: OperationAccepted,
  act: async (input, key, { services }) =>
    start(services, await tenantOf(services, input.accountId), key, ({ tenantId }) => ({
      kind: 'provision',
      tenantId,
      hostname: input.hostname,
      planCode: input.plan,
      imageId: input.imageId,
      ...given({
        location: input.location,
        family: input.family,
        extraAddresses: input.extraAddresses,
      }),
    })),
  payload: accepted,
});

mutation('suspendContainer', {
  description: 'Puts a hold on a container and stops it. It goes on being charged.',
  input: builder.inputType('SuspendContainerInput', {
    description: 'Which and why.',
    fields: (t) => ({
      containerId: t.id({ description: 'The container.' }),
      kind: t.field({ type: HoldKind, description: 'Why, in a word.' }),
      reason: t.string({ description: 'Why, in a sentence.' }),
    }),
  }),
  type: OperationAccepted,
  names: { 'hold.kind': 'kind', 'hold.reason': 'reason' },
  act: async ({ containerId, kind, reason }, key, { services }) =>
    start(services, await ownerOf(services, containerId), key, () => ({
      kind: 'suspend',
      containerId,
      hold: { kind, reason },
    })),
  payload: accepted,
});

mutation('resumeContainer', {
  description: 'Lifts a hold of a container; where none remains it runs again.',
  input: builder.inputType('ResumeContainerInput', {
    description: 'Which hold.',
    fields: (t) => ({
      containerId: t.id({ description: 'The container.' }),
      holdId: t.id({ description: 'The hold, as the container’s `holds` tell it.' }),
    }),
  }),
  type: OperationAccepted,
  act: async ({ containerId, holdId }, key, { services }) =>
    start(services, await ownerOf(services, containerId), key, () => ({
      kind: 'resume',
      containerId,
      holdId,
    })),
  payload: accepted,
});

mutation('terminateContainer', {
  description: 'Destroys a container for ever and gives back all it held. Charging ends.',
  input: builder.inputType('TerminateContainerInput', {
    description: 'Which and why.',
    fields: (t) => ({
      containerId: t.id({ description: 'The container.' }),
      reason: t.string({ description: 'Why, in a sentence.' }),
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

mutation('addAddresses', {
  description: 'Gives a container more addresses. Beyond the included ones, each is charged.',
  input: builder.inputType('AddAddressesInput', {
    description: 'How many and for which container.',
    fields: (t) => ({
      containerId: t.id({ description: 'The container.' }),
      count: t.int({ required: false, description: 'How many, 1 to 32; 1 unless told.' }),
      family: t.field({
        type: AddressFamily,
        required: false,
        description: 'The version of IP; IPV4 unless told.',
      }),
    }),
  }),
  type: OperationAccepted,
  act: async ({ containerId, count, family }, key, { services }) =>
    start(services, await ownerOf(services, containerId), key, () => ({
      kind: 'add-address',
      containerId,
      ...given({ count, family }),
    })),
  payload: accepted,
});

mutation('closeMonth', {
  description: 'Rates a month of an account for good and issues its invoice.',
  input: builder.inputType('CloseMonthInput', {
    description: 'Whose month. It must be over.',
    fields: (t) => ({
      accountId: t.id({ description: 'The account that owes it.' }),
      month: t.field({ type: 'Month', description: 'The month, e.g. `2026-04`.' }),
    }),
  }),
  type: OperationAccepted,
  act: async ({ accountId, month }, key, { services }) =>
    start(services, await tenantOf(services, accountId), key, ({ tenantId }) => ({
      kind: 'close-month',
      accountId: tenantId,
      month,
    })),
  payload: accepted,
});

mutation('cancelOperation', {
  description: 'Stops a running operation; what it did is undone.',
  input: builder.inputType('CancelOperationInput', {
    description: 'Which operation.',
    fields: (t) => ({ operationId: t.id({ description: 'The operation, `op_…`.' }) }),
  }),
  type: OperationAccepted,
  act: ({ operationId }, key, { services }) =>
    services.command(CancelOperation, { operationId }, key),
  payload: accepted,
});
