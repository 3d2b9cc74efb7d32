/** Handlers of what is done with API keys: their secrets are made and hashed here, at the edge. */
import { ApiKeyCreated, ApiKeyRotated, hashApiKey, writeApiKey } from '@bivouac/events/accounts';
import { idFromUuid } from '@bivouac/events/values';
import { type CommandHandler, handler, type LoadAggregate } from '@bivouac/infra/runtime';

import { apiKey } from '../aggregates.ts';
import {
  CreateApiKey,
  CreateFirstKey,
  NoteApiKeyUse,
  RevokeApiKey,
  RotateApiKey,
} from '../api/index.ts';
import {
  apiKeyStream,
  createApiKey,
  createFirstKey,
  noteUse,
  revokeApiKey,
  rotateApiKey,
} from '../domain/api-key.ts';
import type { Member } from '../domain/members.ts';
import { knownMember, knownTenant, the } from './edge.ts';
import { isErasedContact } from './persons.ts';

const stream = ({ keyId }: { readonly keyId: string }): string => apiKeyStream(keyId);

const createApiKeyHandler = handler(CreateApiKey, apiKey, {
  stream: (_input, { commandKey }) => apiKeyStream(idFromUuid('apiKey', commandKey)),
  owner: ({ tenantId, homeId }) => ({ tenantId, homeId }),
  prepare: async (input, { random }, { commandKey, load, principal }) => {
    const { tenantId, homeId, memberId, label, expiresAt, scopes } = input;
    const keyId = idFromUuid('apiKey', commandKey);
    const key = writeApiKey(keyId, random(32));
    const member = await knownMember(load, tenantId, memberId);
    return {
      input: {
        ...{ keyId, tenantId, homeId, label, expiresAt, scopes },
        hash: hashApiKey(key),
        tenant: await knownTenant(load, homeId, tenantId),
        member,
        erased: await isErased(load, member),
        held: principal.rights,
      },
      reveal: { key },
    };
  },
  decide: createApiKey,
  result: (events) => ({ keyId: the(events, ApiKeyCreated).data.keyId, key: null }),
});

const rotateApiKeyHandler = handler(RotateApiKey, apiKey, {
  stream,
  prepare: async ({ keyId, overlapMinutes }, { random }, { load, principal }) => {
    const key = writeApiKey(keyId, random(32));
    // Of a key that is another tenant's nothing is decided: the host hides it.
    const { created } = (await load(apiKey, apiKeyStream(keyId))).state;
    const member = created && (await knownMember(load, created.tenantId, created.memberId));
    return {
      input: {
        hash: hashApiKey(key),
        overlapMinutes,
        memberId: principal.memberId,
        held: principal.rights,
        tenant: created && (await knownTenant(load, created.homeId, created.tenantId)),
        member,
        erased: await isErased(load, member),
      },
      reveal: { key },
    };
  },
  decide: rotateApiKey,
  result: (events, { keyId }) => {
    const { earlierUntil } = the(events, ApiKeyRotated).data;
    return { keyId, key: null, earlierUntil };
  },
});

const revokeApiKeyHandler = handler(RevokeApiKey, apiKey, {
  stream,
  prepare: (_input, _ports, { principal: { memberId, rights: held } }) =>
    Promise.resolve({ input: { memberId, held } }),
  decide: revokeApiKey,
  result: (_events, { keyId }) => ({ keyId }),
});

const noteApiKeyUse = handler(NoteApiKeyUse, apiKey, {
  stream,
  decide: (state, _input, context) => noteUse(state, context),
  result: (_events, { keyId }) => ({ keyId }),
});

const createFirstKeyHandler = handler(CreateFirstKey, apiKey, {
  stream,
  owner: ({ tenantId, homeId }) => ({ tenantId, homeId }),
  decide: (state, input) =>
    createFirstKey(state, { ...input, label: 'first key', expiresAt: null }),
  result: (_events, { keyId }) => ({ keyId }),
});

async function isErased(load: LoadAggregate, member: Member | undefined): Promise<boolean> {
  return member !== undefined && (await isErasedContact(load, member.personId));
}

export const keyCommands: readonly CommandHandler[] = [
  createApiKeyHandler,
  rotateApiKeyHandler,
  revokeApiKeyHandler,
  noteApiKeyUse,
  createFirstKeyHandler,
];
