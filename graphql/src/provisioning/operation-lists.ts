/** Asking for operations: one by its id, or those for which all filters hold. */
import { atLeast } from '../language/at-least.ts';
import { builder } from '../language/builder.ts';
import { createdArgs, createdRange } from '../language/created.ts';
import { given } from '../language/given.ts';
import { idArgument, optionalIdArgument } from '../language/node.ts';
import {
  operationById,
  OperationConnection,
  OperationRef,
  operationsConnection,
} from './operation.ts';
import { OperationKind, OperationStatus } from './parts.ts';

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
      description: 'The operations you reach for which all that is given holds, oldest first.',
      args: {
        accountId: t.arg.id({ required: false, description: 'Only of this account.' }),
        targetId: t.arg.id({
          required: false,
          description: 'Only on this container or account.',
        }),
        status: t.arg({
          type: OperationStatus,
          required: false,
          description: 'Only those that have come so far, e.g. NEEDS_ATTENTION.',
        }),
        kind: t.arg({
          type: OperationKind,
          required: false,
          description: 'Only those that are to achieve this.',
        }),
        ...createdArgs(t.arg),
        atLeast: atLeast(t.arg),
      },
      resolve: (_root, args, { services }) => {
        services.raiseTo(args.atLeast);
        const { accountId, targetId, status, kind } = args;
        return operationsConnection(
          services,
          args,
          given({
            targetId,
            tenantId: optionalIdArgument('accountId', 'tenant', accountId),
            status,
            kind,
            ...createdRange(args),
          }),
        );
      },
    },
    OperationConnection,
  ),
}));
