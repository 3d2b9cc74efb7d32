/**
 * Ordering workflows. What the gateway answers is that the operation began; what the contexts have
 * to say against it (quota, no room, a full pool, a hold) comes as the operation's `error`.
 */
import { HoldKind } from '../accounts/account.ts';
import { AddressFamily } from '../containers/container-parts.ts';
import { When } from '../containers/mutations.ts';
import { builder } from '../language/builder.ts';
import { enumeration } from '../language/enumeration.ts';
import { given } from '../language/given.ts';
import { mutation } from '../language/mutation.ts';
import { accepted, accountOf, OperationAccepted, ownerOf, start } from './start.ts';

const Placement = enumeration('Placement', 'Which of the nodes with room is taken.', {
  spread: 'The one with most room.',
  packed: 'The fullest.',
});

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
      placement: t.field({
        type: Placement,
        required: false,
        description: 'Which of the nodes with room; SPREAD unless told.',
      }),
      address: t.string({
        required: false,
        description: 'This very address is to be among its addresses, e.g. `192.0.2.10`.',
      }),
      labels: t.stringList({
        required: false,
        description: 'Its node has all of these labels, up to 20, e.g. `ssd`.',
      }),
      features: t.stringList({
        required: false,
        description: 'Its node can do all of these, up to 20; see a node’s `features`.',
      }),
    }),
  }),
  type: OperationAccepted,
  act: async (input, key, { services }) =>
    start(
      services,
      await accountOf(services, 'accountId', input.accountId),
      key,
      ({ tenantId }) => ({
        kind: 'provision',
        tenantId,
        hostname: input.hostname,
        planCode: input.plan,
        imageId: input.imageId,
        ...given({
          location: input.location,
          family: input.family,
          extraAddresses: input.extraAddresses,
          placement: input.placement,
          address: input.address,
          labels: input.labels,
          features: input.features,
        }),
      }),
    ),
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

mutation('cancelContainer', {
  description:
    'Gives notice: the container is destroyed when its paid period ends, or at once. Until then ' +
    '`cancelOperation` takes the notice back.',
  input: builder.inputType('CancelContainerInput', {
    description: 'Which, when and why.',
    fields: (t) => ({
      containerId: t.id({ description: 'The container.' }),
      at: t.field({ type: When, required: false, description: 'PERIOD_END unless told.' }),
      reason: t.string({ description: 'Why, in a sentence.' }),
    }),
  }),
  type: OperationAccepted,
  act: async ({ containerId, at, reason }, key, { services }) =>
    start(services, await ownerOf(services, containerId), key, () => ({
      ...{ kind: 'cancel', containerId, reason },
      ...given({ at }),
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
    start(services, await accountOf(services, 'accountId', accountId), key, ({ tenantId }) => ({
      kind: 'close-month',
      accountId: tenantId,
      month,
    })),
  payload: accepted,
});

mutation('runMonth', {
  description:
    'Closes a month of every account an issuer invoices, each by an operation of its own.',
  input: builder.inputType('RunMonthInput', {
    description: 'Whose accounts. The month must be over.',
    fields: (t) => ({
      issuerId: t.id({
        description:
          'Who issues the invoices: the provider, or an account that has others directly below it. ' +
          'Of one that invoices nobody, nothing is closed.',
      }),
      month: t.field({ type: 'Month', description: 'The month, e.g. `2026-04`.' }),
    }),
  }),
  type: OperationAccepted,
  act: async ({ issuerId, month }, key, { services }) =>
    start(services, await accountOf(services, 'issuerId', issuerId), key, ({ tenantId }) => ({
      kind: 'run-month',
      issuerId: tenantId,
      month,
    })),
  payload: accepted,
});
