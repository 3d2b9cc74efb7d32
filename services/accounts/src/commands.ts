/** The command handlers of accounts: which stream, whose, what is sealed at the edge. */
import {
  ApiKeyCreated,
  hashApiKey,
  MemberAdded,
  PROVIDER_ID,
  TenantHoldPlaced,
  writeApiKey,
} from '@bivouac/events/accounts';
import type { EventDefinition, EventOf, Recorded } from '@bivouac/events/language';
import { deriveId, idFromUuid } from '@bivouac/events/values';
import type { Keys } from '@bivouac/infra/keys';
import {
  type CommandHandler,
  handler,
  type LoadAggregate,
  RuntimeError,
} from '@bivouac/infra/runtime';

import { apiKey, member, tree } from './aggregates.ts';
import {
  AddMember,
  CloseTenant,
  CreateApiKey,
  CreateCustomer,
  CreateProvider,
  LiftTenantHold,
  PlaceTenantHold,
  RenameTenant,
  RevokeApiKey,
} from './api/index.ts';
import { apiKeyStream, createApiKey, revokeApiKey } from './domain/api-key.ts';
import { liftHold, placeHold } from './domain/holds.ts';
import { addMember, type KnownTenant, memberStream } from './domain/member.ts';
import {
  closeTenant,
  createHome,
  homeOfTree,
  renameTenant,
  type SealedContact,
  treeStream,
} from './domain/tree.ts';
import { isErasedContact, personCommands } from './commands/persons.ts';

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
      kind: 'customer' as const,
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

const renameTenantHandler = handler(RenameTenant, tree, {
  stream: (input) => treeStream(input.homeId),
  decide: renameTenant,
  result: (_events, input) => ({ tenantId: input.tenantId, name: input.name }),
});

const placeTenantHold = handler(PlaceTenantHold, tree, {
  stream: (input) => treeStream(input.homeId),
  decide: placeHold,
  result: (events, input) => ({
    tenantId: input.tenantId,
    holdId: first(events, TenantHoldPlaced)?.data.hold.holdId ?? input.holdId ?? null,
  }),
});

const liftTenantHold = handler(LiftTenantHold, tree, {
  stream: (input) => treeStream(input.homeId),
  decide: liftHold,
  result: (_events, input) => ({ tenantId: input.tenantId, holdId: input.holdId }),
});

const closeTenantHandler = handler(CloseTenant, tree, {
  stream: (input) => treeStream(input.homeId),
  decide: closeTenant,
  result: (_events, input) => ({ tenantId: input.tenantId }),
});

const addMemberHandler = handler(AddMember, member, {
  stream: (_input, { commandKey }) => memberStream(idFromUuid('member', commandKey)),
  owner: ({ tenantId, homeId }) => ({ tenantId, homeId }),
  person: (_input, { commandKey }) => personOf(commandKey),
  prepare: async ({ tenantId, homeId, role, email, name }, { keys }, { commandKey, load }) => {
    const tenant = await knownTenant(load, homeId, tenantId);
    const personId = personOf(commandKey);
    const contact =
      tenant === undefined
        ? undefined
        : {
            personId,
            email: await keys.seal(personId, 'contact', email),
            name: await keys.seal(personId, 'contact', name),
          };
    const memberId = idFromUuid('member', commandKey);
    return { input: { memberId, tenantId, homeId, role, tenant, contact } };
  },
  decide: addMember,
  result: (events) => {
    const { memberId, personId } = the(events, MemberAdded).data;
    return { memberId, personId };
  },
});

const createApiKeyHandler = handler(CreateApiKey, apiKey, {
  stream: (_input, { commandKey }) => apiKeyStream(idFromUuid('apiKey', commandKey)),
  owner: ({ tenantId, homeId }) => ({ tenantId, homeId }),
  prepare: async (input, { random }, { commandKey, load }) => {
    const { tenantId, homeId, memberId, label, expiresAt } = input;
    const keyId = idFromUuid('apiKey', commandKey);
    const key = writeApiKey(keyId, random(32));
    const tenant = await knownTenant(load, homeId, tenantId);
    const holder = (await load(member, memberStream(memberId))).state.added;
    const erased = holder !== undefined && (await isErasedContact(load, holder.personId));
    return {
      input: {
        keyId,
        tenantId,
        homeId,
        memberId,
        label,
        expiresAt,
        hash: hashApiKey(key),
        tenant,
        member: holder,
        erased,
      },
      reveal: { key },
    };
  },
  decide: createApiKey,
  result: (events) => ({ keyId: the(events, ApiKeyCreated).data.keyId, key: null }),
});

const revokeApiKeyHandler = handler(RevokeApiKey, apiKey, {
  stream: (input) => apiKeyStream(input.keyId),
  decide: revokeApiKey,
  result: (_events, input) => ({ keyId: input.keyId }),
});

/** Every command of accounts. */
export const accountsCommands: readonly CommandHandler[] = [
  createProvider,
  createCustomer,
  renameTenantHandler,
  placeTenantHold,
  liftTenantHold,
  closeTenantHandler,
  addMemberHandler,
  createApiKeyHandler,
  revokeApiKeyHandler,
  ...personCommands,
];

/** The pseudonym of the person a command introduces. */
function personOf(commandKey: string): string {
  return deriveId('person', commandKey);
}

/**
 * The tenant as its tree has it now. That it exists cannot change any more; that it is open can, and
 * then a member too many is harmless.
 */
async function knownTenant(
  load: LoadAggregate,
  homeId: string,
  tenantId: string,
): Promise<KnownTenant> {
  const tenant = (await load(tree, treeStream(homeId))).state.tenants.get(tenantId);
  return tenant === undefined ? undefined : { kind: tenant.kind, closed: tenant.closed };
}

async function sealContact(
  keys: Keys,
  personId: string,
  contact: { readonly email: string; readonly name?: string | undefined },
): Promise<SealedContact> {
  return {
    personId,
    email: await keys.seal(personId, 'contact', contact.email),
    name: contact.name === undefined ? null : await keys.seal(personId, 'contact', contact.name),
  };
}

function first<E extends EventDefinition>(
  events: readonly Recorded[],
  definition: E,
): EventOf<E> | undefined {
  return events.find((event): event is EventOf<E> => event.type === definition.type);
}

/** The event a creating command always has: a repeat recalls it for ever. */
function the<E extends EventDefinition>(events: readonly Recorded[], definition: E): EventOf<E> {
  const found = first(events, definition);
  if (found === undefined)
    throw new RuntimeError('defect', `a creation without ${definition.type}`);
  return found;
}
