/** Plans: what can be ordered, what it gives and costs. The same for every account. */
import {
  PlanByCode,
  PlanById,
  PlanChanges,
  Plans,
  PlanVersions,
  type PlanVersion,
  type PlanView,
} from '@bivouac/billing/api';
import type { PlanTerms } from '@bivouac/events/operations';

import { atLeast } from '../language/at-least.ts';
import { builder } from '../language/builder.ts';
import { LimitsRef, MoneyRef } from '../language/money.ts';
import { NodeRef, registerNode } from '../language/node.ts';
import { connection, pageRequest } from '../language/paging.ts';
import { version } from '../language/version.ts';
import type { Services } from '../request/services.ts';

/** One plan, once per request. */
export function planById(services: Services, id: string): Promise<PlanView | null> {
  return services.once(`plan:${id}`, () => services.query(PlanById, { planId: id }));
}

const PlanVersionRef = builder.objectRef<PlanVersion>('PlanVersion').implement({
  description: 'Terms of a plan, in force from a date until a later version is.',
  fields: (t) => ({
    revision: t.expose('revision', { type: 'Revision', description: 'What orders quote it by.' }),
    name: t.exposeString('name', { description: 'The plan’s name.' }),
    limits: t.expose('limits', { type: LimitsRef, description: 'What a container gets.' }),
    includedAddresses: t.exposeInt('includedAddresses', {
      description: 'Addresses within the price.',
    }),
    monthly: t.expose('monthly', { type: MoneyRef, description: 'The price of a month.' }),
    setup: t.expose('setup', { type: MoneyRef, description: 'Once.' }),
    extraAddressMonthly: t.expose('extraAddressMonthly', {
      type: MoneyRef,
      description: 'The price of a month for each further address.',
    }),
    zone: t.exposeString('zone', { description: 'IANA time zone of the calendar charged.' }),
    effectiveFrom: t.expose('effectiveFrom', {
      type: 'DateTime',
      description: 'New orders get these terms from then on. It may lie ahead.',
    }),
    forExisting: t.exposeBoolean('forExisting', {
      description: 'Existing subscriptions get the prices from their next month on.',
    }),
    recordedAt: t.expose('recordedAt', { type: 'DateTime', description: 'When it was recorded.' }),
  }),
});

const PlanVersionConnection = builder.connectionObject(
  { type: PlanVersionRef, name: 'PlanVersionConnection', description: 'A page of versions.' },
  { name: 'PlanVersionEdge', description: 'A version and where it stands.' },
);

export const PlanRef = builder.objectRef<PlanView>('Plan').implement({
  description: 'An entry of the catalog.',
  interfaces: [NodeRef],
  fields: (t) => ({
    version: version(t, (services, planId, page) => services.query(PlanChanges, { planId, page })),
    code: t.exposeString('code', { description: 'What it is ordered by, in any case.' }),
    name: t.exposeString('name', { description: 'Its name.' }),
    limits: t.expose('limits', { type: LimitsRef, description: 'What a container gets.' }),
    includedAddresses: t.exposeInt('includedAddresses', {
      description: 'Addresses within the price.',
    }),
    monthly: t.expose('monthly', { type: MoneyRef, description: 'The price of a month.' }),
    setup: t.expose('setup', {
      type: MoneyRef,
      description: 'Once, when the container first runs.',
    }),
    extraAddressMonthly: t.expose('extraAddressMonthly', {
      type: MoneyRef,
      description: 'The price of a month for each further address.',
    }),
    zone: t.exposeString('zone', {
      description: 'IANA time zone of the calendar whose days are charged.',
    }),
    retired: t.exposeBoolean('retired', { description: 'It cannot be ordered any more.' }),
    revision: t.expose('revision', {
      type: 'Revision',
      description: 'Revision of these terms; orders quote it.',
    }),
    effectiveFrom: t.expose('effectiveFrom', {
      type: 'DateTime',
      description: 'Since when these terms are in force.',
    }),
    definedAt: t.expose('definedAt', { type: 'DateTime', description: 'Since when.' }),
    versions: t.connection(
      {
        type: PlanVersionRef,
        description: 'Its terms as they were and will be, in the order they were recorded.',
        resolve: async ({ id }, args, { services }) =>
          connection(await services.query(PlanVersions, { planId: id, page: pageRequest(args) })),
      },
      PlanVersionConnection,
    ),
  }),
});

registerNode('plan', 'Plan', (id, { services }) => planById(services, id));

/** The terms of one order: they stay when the catalog changes. */
export const PlanTermsRef = builder.objectRef<PlanTerms>('PlanTerms').implement({
  description: 'A plan as it was when it was ordered. These terms stay when the catalog changes.',
  fields: (t) => ({
    code: t.exposeString('code', { description: 'The plan’s code.' }),
    name: t.exposeString('name', { description: 'The plan’s name.' }),
    includedAddresses: t.exposeInt('includedAddresses', {
      description: 'Addresses within the price.',
    }),
    monthly: t.expose('monthly', { type: MoneyRef, description: 'The price of a month.' }),
    setup: t.expose('setup', {
      type: MoneyRef,
      description: 'Once, when the container first runs.',
    }),
    extraAddressMonthly: t.expose('extraAddressMonthly', {
      type: MoneyRef,
      description: 'The price of a month for each further address.',
    }),
    revision: t.field({
      type: 'Revision',
      description: 'Revision of the terms.',
      resolve: ({ source }) => source.revision,
    }),
    plan: t.field({
      type: PlanRef,
      nullable: true,
      description: 'The plan as the catalog has it now.',
      resolve: ({ planId }, _args, { services }) => planById(services, planId),
    }),
  }),
});

const PlanConnection = builder.connectionObject(
  { type: PlanRef, name: 'PlanConnection', description: 'A page of plans.' },
  { name: 'PlanEdge', description: 'A plan and where it stands.' },
);

builder.queryFields((t) => ({
  plan: t.field({
    type: PlanRef,
    nullable: true,
    description: 'One plan, by its code.',
    args: {
      code: t.arg.string({ description: 'Its code, in any case.' }),
      atLeast: atLeast(t.arg),
    },
    resolve: (_root, args, { services }) => {
      services.raiseTo(args.atLeast);
      return services.query(PlanByCode, { code: args.code });
    },
  }),
  plans: t.connection(
    {
      type: PlanRef,
      description: 'The catalog, oldest plan first.',
      args: {
        includeRetired: t.arg.boolean({
          defaultValue: false,
          description: 'Also those that cannot be ordered any more.',
        }),
        atLeast: atLeast(t.arg),
      },
      resolve: async (_root, args, { services }) => {
        services.raiseTo(args.atLeast);
        const { includeRetired } = args;
        return connection(await services.query(Plans, { page: pageRequest(args), includeRetired }));
      },
    },
    PlanConnection,
  ),
}));
