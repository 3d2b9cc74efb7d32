/** Setting limits. */
import { SetLimit } from '@bivouac/quotas/api';

import { accountById, AccountRef } from '../accounts/account.ts';
import { tenantOf } from '../accounts/mutations.ts';
import { builder } from '../language/builder.ts';
import { given } from '../language/given.ts';
import { mutation, type Payload, PayloadRef } from '../language/mutation.ts';

const LimitSet = builder.objectRef<Payload & { readonly accountId: string }>('LimitSet').implement({
  description: 'The limit is in force. What is beyond it already stays.',
  interfaces: [PayloadRef],
  fields: (t) => ({
    accountId: t.exposeID('accountId', { description: 'The account.' }),
    account: t.field({
      type: AccountRef,
      nullable: true,
      description: 'The account, with its quotas.',
      resolve: ({ accountId }, _args, { services }) => accountById(services, accountId),
    }),
  }),
});

const ResourcesInput = builder.inputType('ResourcesInput', {
  description: 'How much of each accounted resource.',
  fields: (t) => ({
    containers: t.int({ description: 'Containers.' }),
    cpuMillis: t.int({ description: 'CPU in thousandths of one CPU.' }),
    memoryBytes: t.field({ type: 'Bytes', description: 'Memory.' }),
    diskBytes: t.field({ type: 'Bytes', description: 'Disk.' }),
    addresses: t.int({ description: 'Addresses.' }),
  }),
});

mutation('setLimit', {
  description: 'For whoever is above the account: sets what it and all below it may use together.',
  input: builder.inputType('SetLimitInput', {
    description: 'A limit, or none.',
    fields: (t) => ({
      accountId: t.id({ description: 'The account.' }),
      limit: t.field({
        type: ResourcesInput,
        required: false,
        description: 'The limit; null takes the account’s own limit away.',
      }),
      reason: t.string({ description: 'Why, in a sentence.' }),
      until: t.field({
        type: 'DateTime',
        required: false,
        description: 'It ends then, and what was set to last is in force again; null: it lasts.',
      }),
    }),
  }),
  type: LimitSet,
  act: async ({ accountId, limit, reason, until }, key, { services }) => {
    const tenant = await tenantOf(services, accountId);
    return '__typename' in tenant
      ? tenant
      : services.command(
          SetLimit,
          { ...tenant, limit: limit ?? null, reason, ...given({ until }) },
          key,
        );
  },
  payload: ({ tenantId }) => ({ accountId: tenantId }),
});
