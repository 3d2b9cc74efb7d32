/** What containers and accounts used, by the hour or the day. */
import {
  type Resolution,
  UsageOfContainer,
  UsageOfTenant,
  type UsageView,
} from '@bivouac/quotas/api';

import { AccountRef } from '../accounts/account.ts';
import { ContainerRef } from '../containers/container.ts';
import { builder } from '../language/builder.ts';
import { enumeration } from '../language/enumeration.ts';

const ResolutionEnum = enumeration('UsageResolution', 'How finely use is told.', {
  hour: 'By the hour; kept for 100 days.',
  day: 'By the day, in UTC; kept for ever.',
});

const UsageRef = builder.objectRef<UsageView>('Usage').implement({
  description: 'What was used in an hour or a day.',
  fields: (t) => ({
    start: t.expose('start', { type: 'DateTime', description: 'When it begins.' }),
    cpuNanos: t.expose('cpuNanos', { type: 'Int64', description: 'CPU time in nanoseconds.' }),
    receivedBytes: t.expose('receivedBytes', {
      type: 'Bytes',
      description: 'What came over the network.',
    }),
    sentBytes: t.expose('sentBytes', { type: 'Bytes', description: 'What went over the network.' }),
    gapSeconds: t.exposeInt('gapSeconds', {
      description:
        'Seconds of which only the sum is known, or, before a restart, nothing; of an account: of ' +
        'all its containers.',
    }),
    memoryPeakBytes: t.expose('memoryPeakBytes', {
      type: 'Bytes',
      nullable: true,
      description: 'The most memory that was seen in use; null for accounts.',
    }),
    processesPeak: t.exposeInt('processesPeak', {
      nullable: true,
      description: 'The most processes that were seen; null for accounts.',
    }),
    diskBytes: t.expose('diskBytes', {
      type: 'Bytes',
      nullable: true,
      description: 'Disk in use when it was looked at last; null for accounts.',
    }),
  }),
});

const LISTED = 24;

builder.objectField(ContainerRef, 'usage', (t) =>
  t.field({
    type: [UsageRef],
    description: 'What it used, oldest first: hours or days that something was recorded of.',
    args: {
      from: t.arg({ type: 'DateTime', description: 'Hours or days that begin then or later,' }),
      to: t.arg({ type: 'DateTime', description: 'and before this; at most 744 of them.' }),
      resolution: t.arg({ type: ResolutionEnum, description: 'How finely.' }),
    },
    extensions: { size: LISTED },
    resolve: async ({ id }, range: UsageRange, { services }) =>
      (await services.query(UsageOfContainer, { containerId: id, ...range })) ?? [],
  }),
);

builder.objectField(AccountRef, 'usage', (t) =>
  t.field({
    type: [UsageRef],
    description: 'What its containers and those of all below it used together, oldest first.',
    args: {
      from: t.arg({ type: 'DateTime', description: 'Hours or days that begin then or later,' }),
      to: t.arg({ type: 'DateTime', description: 'and before this; at most 744 of them.' }),
      resolution: t.arg({ type: ResolutionEnum, description: 'How finely.' }),
    },
    extensions: { size: LISTED },
    resolve: async ({ id }, range: UsageRange, { services }) =>
      (await services.query(UsageOfTenant, { tenantId: id, ...range })) ?? [],
  }),
);

interface UsageRange {
  readonly from: string;
  readonly to: string;
  readonly resolution: Resolution;
}
