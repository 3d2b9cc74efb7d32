/** Changing API keys. Their secrets are shown once, by the first answer. */
import { CreateApiKey, RevokeApiKey, RotateApiKey } from '@bivouac/accounts/api';

import { builder } from '../language/builder.ts';
import { given } from '../language/given.ts';
import { mutation, type Payload, PayloadRef } from '../language/mutation.ts';
import { RightEnum } from './account.ts';
import { type AccountPayload, AccountPayloadRef, tenantOf } from './mutations.ts';

interface KeyPayload extends AccountPayload {
  readonly keyId: string;
  readonly key: string | null;
}

const ApiKeyCreated = builder.objectRef<KeyPayload>('ApiKeyCreated').implement({
  description: 'The key can be used from now on.',
  interfaces: [PayloadRef, AccountPayloadRef],
  fields: (t) => ({
    keyId: t.exposeID('keyId', { description: 'The id, to revoke it by.' }),
    key: t.exposeString('key', {
      nullable: true,
      description:
        'The key: shown here and never again. Null in a repeat; where the first answer was lost, ' +
        'revoke this key and create another.',
    }),
  }),
});

mutation('createApiKey', {
  description:
    'A key by which a member uses this API. It is shown once, and opens no more than yours.',
  input: builder.inputType('CreateApiKeyInput', {
    description: 'For whom and for what.',
    fields: (t) => ({
      accountId: t.id({ description: 'The account.' }),
      memberId: t.id({ description: 'The member it acts for.' }),
      label: t.string({ description: 'What it is for, e.g. `deploy job`.' }),
      expiresAt: t.field({
        type: 'DateTime',
        required: false,
        description: 'When it expires; never unless told.',
      }),
      scopes: t.field({
        type: [RightEnum],
        required: false,
        description: 'Rights it is confined to; all that the role may unless told.',
      }),
    }),
  }),
  type: ApiKeyCreated,
  act: async ({ accountId, memberId, label, expiresAt, scopes }, key, { services }) => {
    const tenant = await tenantOf(services, accountId);
    if ('__typename' in tenant) return tenant;
    return services.command(
      CreateApiKey,
      { ...tenant, memberId, label, ...given({ expiresAt, scopes }) },
      key,
    );
  },
  payload: ({ keyId, key }, { accountId }) => ({ keyId, key, accountId }),
});

interface RotatedPayload extends Payload {
  readonly keyId: string;
  readonly key: string | null;
  readonly earlierUntil: string;
}

const ApiKeyRotated = builder.objectRef<RotatedPayload>('ApiKeyRotated').implement({
  description: 'The key has a new secret; the earlier one opens on for the overlap.',
  interfaces: [PayloadRef],
  fields: (t) => ({
    keyId: t.exposeID('keyId', { description: 'The key, the same as before.' }),
    key: t.exposeString('key', {
      nullable: true,
      description:
        'The key with its new secret: shown here and never again. Null in a repeat; where the first ' +
        'answer was lost, rotate again with a new idempotencyKey: the one you have still opens.',
    }),
    earlierUntil: t.expose('earlierUntil', {
      type: 'DateTime',
      description: 'When the earlier secrets open nothing any more, at the latest.',
    }),
  }),
});

mutation('rotateApiKey', {
  description: 'Gives a key a new secret. Your own keys need no right but reading.',
  input: builder.inputType('RotateApiKeyInput', {
    description: 'Which key, and for how long the earlier secret opens on.',
    fields: (t) => ({
      keyId: t.id({ description: 'The key’s id, `key_…`.' }),
      overlapMinutes: t.int({
        required: false,
        description: '0 to 43,200 minutes; 60 unless told. 0 ends all earlier secrets at once.',
      }),
    }),
  }),
  type: ApiKeyRotated,
  act: ({ keyId, overlapMinutes }, key, { services }) =>
    services.command(RotateApiKey, { keyId, ...given({ overlapMinutes }) }, key),
  payload: ({ keyId, key, earlierUntil }) => ({ keyId, key, earlierUntil }),
});

const ApiKeyRevoked = builder
  .objectRef<Payload & { readonly keyId: string }>('ApiKeyRevoked')
  .implement({
    description: 'The key is refused everywhere within five seconds.',
    interfaces: [PayloadRef],
    fields: (t) => ({ keyId: t.exposeID('keyId', { description: 'The key.' }) }),
  });

mutation('revokeApiKey', {
  description:
    'Ends a key for ever. One revoked before stays so. Your own keys need no right but reading.',
  input: builder.inputType('RevokeApiKeyInput', {
    description: 'Which key.',
    fields: (t) => ({ keyId: t.id({ description: 'The key’s id, `key_…`.' }) }),
  }),
  type: ApiKeyRevoked,
  act: ({ keyId }, key, { services }) => services.command(RevokeApiKey, { keyId }, key),
  payload: ({ keyId }) => ({ keyId }),
});
