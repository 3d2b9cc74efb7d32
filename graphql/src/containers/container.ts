/** Containers: what is wanted of them, what holds them, what their node sees. */
import {
  ContainerById,
  ContainerChanges,
  ContainerHistory,
  Containers,
  type ContainerView,
} from '@bivouac/containers/api';

import { accountById, AccountRef } from '../accounts/account.ts';
import { PlanTermsRef } from '../billing/plan.ts';
import { atLeast } from '../language/at-least.ts';
import { builder } from '../language/builder.ts';
import { createdArgs, createdRange } from '../language/created.ts';
import { given } from '../language/given.ts';
import { EventConnection, EventRef, historyConnection } from '../language/history.ts';
import { LimitsRef } from '../language/money.ts';
import { idArgument, NodeRef, optionalIdArgument, registerNode } from '../language/node.ts';
import { connection, pageRequest } from '../language/paging.ts';
import { version } from '../language/version.ts';
import {
  OperationConnection,
  operationById,
  OperationRef,
  operationsConnection,
} from '../provisioning/operation.ts';
import type { Services } from '../request/services.ts';
import {
  AddressRef,
  ContainerHoldRef,
  ContainerImageRef,
  Lifecycle,
  ObservationRef,
} from './container-parts.ts';
import { hardwareNodeById, HardwareNodeRef } from './hardware-node.ts';

/** One container, once per request; null where there is none or it is out of reach. */
export function containerById(services: Services, id: string): Promise<ContainerView | null> {
  return services.once(`container:${id}`, async () => {
    const found = await services.query(ContainerById, { containerId: id });
    return found !== null && services.sees(ContainerById, found.tenantId) ? found : null;
  });
}

export const ContainerRef = builder.objectRef<ContainerView>('Container').implement({
  description:
    'A Linux VPS. Four things about it are independent: `lifecycle` (what is wanted), `operation` ' +
    '(what is being done), `holds` (what keeps it stopped), `observed` (what its node sees).',
  interfaces: [NodeRef],
  fields: (t) => ({
    version: version(t, (services, containerId, page) =>
      services.query(ContainerChanges, { containerId, page }),
    ),
    hostname: t.exposeString('hostname', { description: 'Its host name.' }),
    lifecycle: t.expose('lifecycle', { type: Lifecycle, description: 'What it is meant to be.' }),
    operation: t.field({
      type: OperationRef,
      nullable: true,
      description: 'The operation that holds it now.',
      resolve: ({ operation }, _args, { services }) =>
        operation === null ? null : operationById(services, operation.operationId),
    }),
    holds: t.expose('holds', {
      type: [ContainerHoldRef],
      description: 'What keeps it stopped.',
      extensions: { size: 2 },
    }),
    observed: t.expose('observed', {
      type: ObservationRef,
      nullable: true,
      description: 'What its node last saw; null before there was anything to see.',
    }),
    plan: t.expose('plan', { type: PlanTermsRef, description: 'The terms it was ordered on.' }),
    limits: t.expose('limits', { type: LimitsRef, description: 'What it may take on its node.' }),
    image: t.expose('image', {
      type: ContainerImageRef,
      description: 'What it was made from.',
    }),
    addresses: t.expose('addresses', {
      type: [AddressRef],
      description: 'What it answers on; of a deleted one: what it last had.',
    }),
    location: t.exposeString('location', {
      nullable: true,
      description: 'Where it is, e.g. `fra1`; null before it has a place.',
    }),
    node: t.field({
      type: HardwareNodeRef,
      nullable: true,
      description: 'For the staff: the node it is on.',
      resolve: ({ node }, _args, { services }) =>
        node === null ? null : hardwareNodeById(services, node.id),
    }),
    generation: t.exposeInt('generation', {
      description: 'Raised by placement and by deletion; 0 before it has a place.',
    }),
    runningSince: t.expose('runningSince', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ran first: it is charged from here.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was ordered.' }),
    softDeletedAt: t.expose('softDeletedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was deleted for its owner; null once it is restored.',
    }),
    restoreUntil: t.expose('restoreUntil', {
      type: 'DateTime',
      nullable: true,
      description: 'Until when it can be restored; null where it cannot.',
    }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was deleted or failed for good.',
    }),
    account: t.field({
      type: AccountRef,
      nullable: true,
      description: 'Whose it is.',
      resolve: ({ tenantId }, _args, { services }) => accountById(services, tenantId),
    }),
    operations: t.connection(
      {
        type: OperationRef,
        description: 'Everything that was ordered for it, oldest first.',
        resolve: ({ id }, args, { services }) =>
          operationsConnection(services, args, { targetId: id }),
      },
      OperationConnection,
    ),
    history: t.connection(
      {
        type: EventRef,
        description: 'What happened to it.',
        resolve: ({ id }, args, { services }) =>
          historyConnection(args, (page) =>
            services.query(ContainerHistory, { containerId: id, page }),
          ),
      },
      EventConnection,
    ),
  }),
});

registerNode('container', 'Container', (id, { services }) => containerById(services, id));

const ContainerConnection = builder.connectionObject(
  { type: ContainerRef, name: 'ContainerConnection', description: 'A page of containers.' },
  { name: 'ContainerEdge', description: 'A container and where it stands.' },
);

builder.queryFields((t) => ({
  container: t.field({
    type: ContainerRef,
    nullable: true,
    description: 'One container; null where there is none or it is out of your reach.',
    args: { id: t.arg.id({ description: 'Its id, `ctr_…`.' }), atLeast: atLeast(t.arg) },
    resolve: (_root, args, { services }) => {
      services.raiseTo(args.atLeast);
      return containerById(services, idArgument('id', 'container', args.id));
    },
  }),
  containers: t.connection(
    {
      type: ContainerRef,
      description: 'The containers you reach, oldest first.',
      args: {
        accountId: t.arg.id({ required: false, description: 'Only of this account.' }),
        lifecycle: t.arg({
          type: Lifecycle,
          required: false,
          description: 'Only those in this lifecycle.',
        }),
        nodeId: t.arg.id({
          required: false,
          description: 'For the staff: only those on this hardware node.',
        }),
        ...createdArgs(t.arg),
        atLeast: atLeast(t.arg),
      },
      resolve: async (_root, args, { services }) => {
        services.raiseTo(args.atLeast);
        const page = await services.query(Containers, {
          page: pageRequest(args),
          ...given({
            tenantId: optionalIdArgument('accountId', 'tenant', args.accountId),
            lifecycle: args.lifecycle,
            nodeId: optionalIdArgument('nodeId', 'node', args.nodeId),
          }),
          ...createdRange(args),
        });
        return connection(page, (container) => services.sees(Containers, container.tenantId));
      },
    },
    ContainerConnection,
  ),
}));
