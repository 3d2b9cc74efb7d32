/** An operation: a long-running workflow, from the order to the outcome. */
import { rightOfOrder } from '@bivouac/events/provisioning';
import {
  OperationById,
  OperationChanges,
  OperationHistory,
  Operations,
  type OperationView,
} from '@bivouac/provisioning/api';
import type { z } from 'zod';

import { accountById, AccountRef } from '../accounts/account.ts';
import { invoiceById, InvoiceRef } from '../billing/invoice.ts';
import { outcomeError, UserErrorRef } from '../errors/user-error.ts';
import { builder } from '../language/builder.ts';
import { given } from '../language/given.ts';
import { EventConnection, EventRef, historyConnection } from '../language/history.ts';
import { loadNode, NodeRef, registerNode } from '../language/node.ts';
import { connection, type PageArgs, pageRequest } from '../language/paging.ts';
import { version } from '../language/version.ts';
import type { Services } from '../request/services.ts';
import { may, mayAsStaff } from '../request/viewer.ts';
import {
  ChildrenCountRef,
  InterventionRef,
  LeftoverRef,
  OperationKind,
  OperationStatus,
  OperationStepRef,
} from './parts.ts';

/** One operation, once per request; null where there is none or it is out of reach. */
export function operationById(services: Services, id: string): Promise<OperationView | null> {
  return services.once(`operation:${id}`, async () => {
    const found = await services.query(OperationById, { operationId: id });
    return found !== null && services.sees(OperationById, found.tenantId) ? found : null;
  });
}

export const OperationRef = builder.objectRef<OperationView>('Operation').implement({
  description:
    'A long-running workflow. Read it again until `endedAt` is set; what it changed meanwhile shows ' +
    'in its target.',
  interfaces: [NodeRef],
  fields: (t) => ({
    version: version(t, (services, operationId, page) =>
      services.query(OperationChanges, { operationId, page }),
    ),
    kind: t.expose('kind', { type: OperationKind, description: 'What it is to achieve.' }),
    status: t.expose('status', { type: OperationStatus, description: 'How far it has come.' }),
    progress: t.exposeInt('progress', {
      description: 'Per cent of the planned steps that have ended, 0 to 100.',
    }),
    steps: t.expose('steps', {
      type: [OperationStepRef],
      description: 'What it asked, in order, also what it undid.',
      extensions: { size: 10 },
    }),
    currentStep: t.string({
      nullable: true,
      description:
        'The step whose answer it waits for, the last asked where there are several; null once ended.',
      resolve: ({ steps, endedAt }) =>
        endedAt === null
          ? (steps.findLast(({ status }) => status === 'asked')?.name ?? null)
          : null,
    }),
    viewerCanCancel: t.boolean({
      description:
        'Whether you may cancel it, as who may order the like, and it can be, as far as it has come.',
      resolve: ({ cancellable, kind, target }, _args, { viewer }) =>
        cancellable &&
        may(viewer, rightOfOrder({ kind })) &&
        // A debtor does not decide about its month.
        !(kind === 'close-month' && target.id === viewer.tenantId),
    }),
    viewerCanRepair: t.boolean({
      description:
        'Whether you can have it retried, resolved or released: staff, where it needs attention.',
      resolve: ({ status }, _args, { viewer }) =>
        status === 'needs-attention' && mayAsStaff(viewer, 'operations.repair'),
    }),
    attentionSince: t.expose('attentionSince', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when it waits for the staff; null where it does not.',
    }),
    interventions: t.expose('interventions', {
      type: [InterventionRef],
      description: 'What the staff did to it.',
      extensions: { size: 5 },
    }),
    leftovers: t.expose('leftovers', {
      type: [LeftoverRef],
      description:
        'Of a RELEASED one: what it left, for the staff to see to; what it has given back since is not in it.',
      extensions: { size: 10 },
    }),
    overdueReservationIds: t.exposeIDList('overdueReservationIds', {
      description: 'Reservations of quota that it should have settled, for the staff to see to.',
      extensions: { size: 2 },
    }),
    childCounts: t.expose('children', {
      type: ChildrenCountRef,
      nullable: true,
      description: 'Of an operation over many, once it is known over how many.',
    }),
    parentId: t.exposeID('parentId', {
      nullable: true,
      description: 'The operation over many that started it.',
    }),
    targetId: t.id({
      description: 'The id of what it acts on; known before that exists.',
      resolve: ({ target }) => target.id,
    }),
    target: t.field({
      type: NodeRef,
      nullable: true,
      description: 'What it acts on: a container or an account. Null before that exists.',
      resolve: ({ target }, _args, context) => loadNode(target.id, context),
    }),
    error: t.field({
      type: UserErrorRef,
      nullable: true,
      description: 'Why it failed; null while it runs and where it succeeded.',
      resolve: ({ error }) => (error === null ? null : outcomeError(error)),
    }),
    invoice: t.field({
      type: InvoiceRef,
      nullable: true,
      description: 'Of CLOSE_MONTH: the invoice; null where nothing was owed.',
      resolve: ({ invoiceId }, _args, { services }) =>
        invoiceId === null ? null : invoiceById(services, invoiceId),
    }),
    account: t.field({
      type: AccountRef,
      nullable: true,
      description: 'Whose it is.',
      resolve: ({ tenantId }, _args, { services }) => accountById(services, tenantId),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was ordered.' }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ended; null while it runs.',
    }),
    position: t.expose('position', {
      type: 'Position',
      description: 'Where it began in the log.',
    }),
    history: t.connection(
      {
        type: EventRef,
        description: 'What happened in it.',
        resolve: ({ id }, args, { services }) =>
          historyConnection(args, (page) =>
            services.query(OperationHistory, { operationId: id, page }),
          ),
      },
      EventConnection,
    ),
  }),
});

registerNode('operation', 'Operation', (id, { services }) => operationById(services, id));

export const OperationConnection = builder.connectionObject(
  { type: OperationRef, name: 'OperationConnection', description: 'A page of operations.' },
  { name: 'OperationEdge', description: 'An operation and where it stands.' },
);

type Filters = Omit<z.input<typeof Operations.input>, 'page'>;

/** A page of operations for which all that is asked holds. */
export async function operationsConnection(services: Services, args: PageArgs, filters: Filters) {
  const page = await services.query(Operations, { page: pageRequest(args), ...filters });
  return connection(page, (operation) => services.sees(Operations, operation.tenantId));
}

builder.objectField(OperationRef, 'children', (t) =>
  t.connection(
    {
      type: OperationRef,
      description: 'The operations it has started, in that order; none but of one over many.',
      args: {
        status: t.arg({
          type: OperationStatus,
          required: false,
          description: 'Only those that have come so far.',
        }),
      },
      resolve: ({ id }, args, { services }) =>
        operationsConnection(services, args, { parentId: id, ...given({ status: args.status }) }),
    },
    OperationConnection,
  ),
);
