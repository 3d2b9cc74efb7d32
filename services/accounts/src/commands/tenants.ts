/** Handlers of what is done with tenants: which stream, whose, what is sealed at the edge. */
import { PROVIDER_ID, TenantHoldPlaced } from '@bivouac/events/accounts';
import { idFromUuid } from '@bivouac/events/values';
import { type CommandHandler, handler } from '@bivouac/infra/runtime';

import { tree } from '../aggregates.ts';
import {
  CloseTenant,
  CreateCustomer,
  CreateProvider,
  CreateTenant,
  LiftTenantHold,
  PlaceTenantHold,
  RenameTenant,
} from '../api/index.ts';
import { liftHold, placeHold } from '../domain/holds.ts';
import {
  closeTenant,
  createBelow,
  createHome,
  homeOfTree,
  renameTenant,
  treeStream,
} from '../domain/tree.ts';
import { first, personOf, sealContact } from './edge.ts';

interface InTree {
  readonly tenantId: string;
  readonly homeId: string;
}

/** A tree's stream is its home's; each command is about one tenant of it. */
const inTree = {
  stream: ({ homeId }: InTree): string => treeStream(homeId),
  about: ({ tenantId }: InTree): string => tenantId,
};

const createProvider = handler(CreateProvider, tree, {
  stream: () => treeStream(PROVIDER_ID),
  owner: () => ({ tenantId: PROVIDER_ID, homeId: PROVIDER_ID }),
  // Every start gives this command, without a contact: whoever is erased must not stop it.
  person: ({ contact }, { commandKey }) =>
    contact === undefined ? undefined : personOf(commandKey),
  prepare: async (input, { keys }, { commandKey }) => ({
    input: {
      kind: 'provider' as const,
      name: input.name,
      contact:
        input.contact === undefined
          ? null
          : await sealContact(keys, personOf(commandKey), input.contact),
    },
  }),
  decide: createHome,
  result: () => ({ tenantId: PROVIDER_ID, homeId: PROVIDER_ID }),
});

const createCustomer = handler(CreateCustomer, tree, {
  stream: (_input, { commandKey }) => treeStream(idFromUuid('tenant', commandKey)),
  owner: (_input, _principal, stream) => ({
    tenantId: homeOfTree(stream),
    homeId: homeOfTree(stream),
  }),
  person: (_input, { commandKey }) => personOf(commandKey),
  prepare: async (input, { keys }, { commandKey }) => ({
    input: {
      kind: input.kind ?? ('customer' as const),
      name: input.name,
      contact: await sealContact(keys, personOf(commandKey), input.contact),
    },
  }),
  decide: createHome,
  result: (_events, _input, stream) => ({
    tenantId: homeOfTree(stream),
    homeId: homeOfTree(stream),
  }),
});

const createTenant = handler(CreateTenant, tree, {
  stream: ({ homeId }) => treeStream(homeId),
  about: ({ parentId }) => parentId,
  person: (_input, { commandKey }) => personOf(commandKey),
  prepare: async ({ parentId, kind, name, contact }, { keys }, { commandKey }) => ({
    input: {
      tenantId: idFromUuid('tenant', commandKey),
      ...{ parentId, kind, name },
      contact: await sealContact(keys, personOf(commandKey), contact),
    },
  }),
  decide: createBelow,
  result: (_events, { homeId }, _stream, commandKey) => ({
    tenantId: idFromUuid('tenant', commandKey),
    homeId,
  }),
});

const renameTenantHandler = handler(RenameTenant, tree, {
  ...inTree,
  decide: renameTenant,
  result: (_events, input) => ({ tenantId: input.tenantId, name: input.name }),
});

const placeTenantHold = handler(PlaceTenantHold, tree, {
  ...inTree,
  decide: placeHold,
  result: (events, input) => ({
    tenantId: input.tenantId,
    holdId: first(events, TenantHoldPlaced)?.data.hold.holdId ?? input.holdId ?? null,
  }),
});

const liftTenantHold = handler(LiftTenantHold, tree, {
  ...inTree,
  decide: liftHold,
  result: (_events, input) => ({ tenantId: input.tenantId, holdId: input.holdId }),
});

const closeTenantHandler = handler(CloseTenant, tree, {
  ...inTree,
  prepare: (input, _ports, { principal }) =>
    Promise.resolve({ input: { ...input, askedBy: principal.tenantId } }),
  decide: closeTenant,
  result: (_events, input) => ({ tenantId: input.tenantId }),
});

/** What is done with tenants. */
export const tenantCommands: readonly CommandHandler[] = [
  createProvider,
  createCustomer,
  createTenant,
  renameTenantHandler,
  placeTenantHold,
  liftTenantHold,
  closeTenantHandler,
];
