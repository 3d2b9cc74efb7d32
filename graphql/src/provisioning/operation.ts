/** Operations: long-running workflows, from the order to the outcome. */
import {
  OperationById,
  OperationHistory,
  Operations,
  type OperationView,
} from '@bivouac/provisioning/api';

import { accountById, AccountRef } from '../accounts/account.ts';
import { invoiceById, InvoiceRef } from '../billing/invoice.ts';
import { outcomeError, UserErrorRef } from '../errors/user-error.ts';
import { atLeast } from '../language/at-least.ts';
import { builder } from '../language/builder.ts';
import { enumeration } from '../language/enumeration.ts';
import { given, isGiven } from '../language/given.ts';
import { EventConnection, EventRef, historyConnection } from '../language/history.ts';
import {
  idArgument,
  loadNode,
  NodeRef,
  optionalIdArgument,
  registerNode,
} from '../language/node.ts';
import { connection, type PageArgs, pageRequest } from '../language/paging.ts';
import { requestError } from '../errors/request-error.ts';
import type { Services } from '../request/services.ts';

const OperationKind = enumeration('OperationKind', 'What an operation is to achieve.', {
  provision: 'A container that runs.',
  suspend: 'A hold on a container, which is stopped.',
  resume: 'The hold lifted.',
  power: 'A container started, stopped, restarted, frozen or thawed.',
  resize: 'Another plan for a container, at once or at the end of its period.',
  'add-address': 'More addresses on a container.',
  'remove-address': 'Fewer addresses on a container.',
  packages: 'Packages of a container installed, upgraded or removed.',
  delete: 'The container deleted, and kept for some days in which it can be restored.',
  restore: 'A deleted container as it was before.',
  cancel: 'The container given up by its owner, at once or at the end of its period.',
  terminate: 'The container destroyed, and all it held given back.',
  'close-month': 'A month of an account rated and invoiced.',
  'run-month': 'A month of every account of an issuer rated and invoiced.',
});

const OperationStatus = enumeration('OperationStatus', 'How far an operation has come.', {
  running: 'Under way.',
  undoing: 'It failed or was cancelled; what it did is being undone.',
  succeeded: 'Done.',
  failed: 'It failed; what it did is undone. `error` says why.',
  cancelled: 'It was cancelled; what it did is undone.',
  'needs-attention': 'Undoing failed; the staff see to it.',
});

const StepStatus = enumeration('StepStatus', 'How an ask of an operation ended.', {
  asked: 'No answer yet.',
  done: 'Done.',
  refused: 'Refused by who was asked.',
  failed: 'Tried, and it failed.',
  'timed-out': 'No answer in time; a late one is undone.',
});

/** One operation, once per request; null where there is none or it is out of reach. */
export function operationById(services: Services, id: string): Promise<OperationView | null> {
  return services.once(`operation:${id}`, async () => {
    const found = await services.query(OperationById, { operationId: id });
    return found !== null && services.sees(OperationById, found.tenantId) ? found : null;
  });
}

const OperationStepRef = builder
  .objectRef<OperationView['steps'][number]>('OperationStep')
  .implement({
    description: 'One ask of an operation, e.g. to reserve quota or to build the container.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'The step, e.g. `reserve` or `undo-lease`.' }),
      ask: t.exposeString('ask', {
        description: 'Who was asked for what, e.g. `quotas.reserve`.',
      }),
      attempt: t.exposeInt('attempt', { description: 'From 1.' }),
      status: t.expose('status', { type: StepStatus, description: 'How it ended.' }),
      askedAt: t.expose('askedAt', { type: 'DateTime', description: 'When it was asked.' }),
      endedAt: t.expose('endedAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it was answered; null while it was not.',
      }),
      refusal: t.field({
        type: UserErrorRef,
        nullable: true,
        description: 'Why it was refused or failed.',
        resolve: ({ refusal }) => (refusal === null ? null : outcomeError(refusal)),
      }),
    }),
  });

export const OperationRef = builder.objectRef<OperationView>('Operation').implement({
  description:
    'A long-running workflow. Read it again until `endedAt` is set; what it changed meanwhile shows ' +
    'in its target.',
  interfaces: [NodeRef],
  fields: (t) => ({
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

/** A page of operations, of one target or one account if asked. */
export async function operationsConnection(
  services: Services,
  args: PageArgs,
  of: { readonly targetId?: string; readonly tenantId?: string },
) {
  const page = await services.query(Operations, { page: pageRequest(args), ...of });
  return connection(page, (operation) => services.sees(Operations, operation.tenantId));
}

builder.queryFields((t) => ({
  operation: t.field({
    type: OperationRef,
    nullable: true,
    description: 'One operation; null where there is none or it is out of your reach.',
    args: { id: t.arg.id({ description: 'Its id, `op_…`.' }), atLeast: atLeast(t.arg) },
    resolve: (_root, args, { services }) => {
      services.raiseTo(args.atLeast);
      return operationById(services, idArgument('id', 'operation', args.id));
    },
  }),
  operations: t.connection(
    {
      type: OperationRef,
      description: 'The operations you reach, oldest first.',
      args: {
        accountId: t.arg.id({ required: false, description: 'Only of this account.' }),
        targetId: t.arg.id({
          required: false,
          description: 'Only on this container or account; not together with accountId.',
        }),
        atLeast: atLeast(t.arg),
      },
      resolve: (_root, args, { services }) => {
        services.raiseTo(args.atLeast);
        const { accountId, targetId } = args;
        if (isGiven(accountId) && isGiven(targetId)) {
          throw requestError('INVALID_ARGUMENT', 'Give either accountId or targetId, not both.', {
            argument: 'targetId',
          });
        }
        return operationsConnection(services, args, {
          ...given({
            targetId,
            tenantId: optionalIdArgument('accountId', 'tenant', accountId),
          }),
        });
      },
    },
    OperationConnection,
  ),
}));
