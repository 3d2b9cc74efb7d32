/** What an account may use, with all below it, and what it does use. */
import { type QuotaDay, QuotaDays, QuotaOf, type QuotaView } from '@bivouac/quotas/api';

import { AccountRef } from '../accounts/account.ts';
import { builder } from '../language/builder.ts';
import { enumeration } from '../language/enumeration.ts';

const Resource = enumeration('Resource', 'What is accounted.', {
  containers: 'Containers.',
  cpuMillis: 'CPU in thousandths of one CPU.',
  memoryBytes: 'Memory in bytes.',
  diskBytes: 'Disk in bytes.',
  addresses: 'Addresses.',
});

const QuotaRef = builder.objectRef<QuotaView['axes'][number]>('Quota').implement({
  description: 'One resource of an account and all below it.',
  fields: (t) => ({
    resource: t.expose('axis', { type: Resource, description: 'Which.' }),
    limit: t.expose('limit', {
      type: 'Int64',
      nullable: true,
      description: 'The account’s own limit; null where it has none.',
    }),
    used: t.expose('used', {
      type: 'Int64',
      description: 'All that it and those below it have taken, or only reserved.',
    }),
    reserved: t.expose('reserved', {
      type: 'Int64',
      description: 'The part of `used` that is not yet final.',
    }),
    available: t.expose('available', {
      type: 'Int64',
      nullable: true,
      description: 'What still fits on every level above; null where no level has a limit.',
    }),
    inherited: t.exposeBoolean('inherited', {
      description: '`available` is decided by a level above.',
    }),
  }),
});

builder.objectField(AccountRef, 'quotas', (t) =>
  t.field({
    type: [QuotaRef],
    description: 'What it may use and uses; empty for the provider, whose limits are its nodes.',
    extensions: { size: 5 },
    resolve: async ({ id }, _args, { services }) =>
      (await services.query(QuotaOf, { tenantId: id }))?.axes ?? [],
  }),
);

builder.objectField(AccountRef, 'limitUntil', (t) =>
  t.field({
    type: 'DateTime',
    nullable: true,
    description: 'When the account’s own limit ends and the lasting one is in force again.',
    resolve: async ({ id }, _args, { services }) =>
      (await services.query(QuotaOf, { tenantId: id }))?.limitUntil,
  }),
);

const QuotaOnDayRef = builder.objectRef<QuotaDay['axes'][number]>('QuotaOnDay').implement({
  description: 'One resource of an account and all below it on a day.',
  fields: (t) => ({
    resource: t.expose('axis', { type: Resource, description: 'Which.' }),
    limit: t.expose('limit', {
      type: 'Int64',
      nullable: true,
      description: 'The account’s own limit as it was last that day; null where it had none.',
    }),
    used: t.expose('used', {
      type: 'Int64',
      description: 'The most that was taken, as it was looked at each hour.',
    }),
  }),
});

const QuotaDayRef = builder.objectRef<QuotaDay>('QuotaDay').implement({
  description: 'What was taken of a quota on a day.',
  fields: (t) => ({
    start: t.expose('start', { type: 'DateTime', description: 'When the day begins, in UTC.' }),
    quotas: t.expose('axes', {
      type: [QuotaOnDayRef],
      description: 'Each resource.',
      extensions: { size: 5 },
    }),
  }),
});

builder.objectField(AccountRef, 'quotaDays', (t) =>
  t.field({
    type: [QuotaDayRef],
    description:
      'What it had taken of its quota, day by day, oldest first. Looked at whenever an hour of use ' +
      'is rolled up: days on which nothing was there are not in the list.',
    args: {
      from: t.arg({ type: 'DateTime', description: 'Days that begin then or later,' }),
      to: t.arg({ type: 'DateTime', description: 'and before this; at most 744 of them.' }),
    },
    extensions: { size: 31 },
    resolve: async ({ id }, { from, to }, { services }) =>
      (await services.query(QuotaDays, { tenantId: id, from, to })) ?? [],
  }),
);
