/** What can be followed, and what is told of each change. */
import { ContainerChanges, type ContainerView } from '@bivouac/containers/api';
import type { Change } from '@bivouac/events/operations';
import { OperationChanges, type OperationView } from '@bivouac/provisioning/api';
import type { InterfaceRef } from '@pothos/core';

import { containerById, ContainerRef } from '../containers/container.ts';
import { builder, type SchemaTypes } from '../language/builder.ts';
import { isGiven } from '../language/given.ts';
import { idArgument } from '../language/node.ts';
import { operationById, OperationRef } from '../provisioning/operation.ts';
import type { Context } from '../request/context.ts';
import { follow, type Followed, type Live } from './changes.ts';

builder.subscriptionType({
  description:
    'What can be followed, as server-sent events. Every change comes once, in order, with its ' +
    'position as the event’s id: who is cut off goes on there, by `after` or `Last-Event-ID`.',
});

/** A change with the id of what has changed. */
interface ChangeOf extends Change {
  readonly id: string;
}

const ChangeRef: InterfaceRef<SchemaTypes, ChangeOf> = builder
  .interfaceRef<ChangeOf>('Change')
  .implement({
    description: 'A change of what is followed.',
    fields: (t) => ({
      position: t.expose('position', {
        type: 'Position',
        description: 'Where it stands in the log: to go on after it, hand it back as `after`.',
      }),
      version: t.expose('revision', {
        type: 'Revision',
        description: 'The version of the object that it made.',
      }),
      type: t.exposeString('type', {
        description: 'What happened, e.g. `provisioning.StepEnded`. Stable; there will be more.',
      }),
      time: t.expose('time', { type: 'DateTime', description: 'When it was recorded.' }),
    }),
  });

const OperationChangeRef = builder.objectRef<ChangeOf>('OperationChange').implement({
  description: 'A change of an operation.',
  interfaces: [ChangeRef],
  fields: (t) => ({
    operation: t.field({
      type: OperationRef,
      nullable: true,
      description: 'The operation after this change, or after a later one where that is known.',
      resolve: ({ id }, _args, { services }): Promise<OperationView | null> =>
        operationById(services, id),
    }),
  }),
});

const ContainerChangeRef = builder.objectRef<ChangeOf>('ContainerChange').implement({
  description: 'A change of a container.',
  interfaces: [ChangeRef],
  fields: (t) => ({
    container: t.field({
      type: ContainerRef,
      nullable: true,
      description: 'The container after this change, or after a later one where that is known.',
      resolve: ({ id }, _args, { services }): Promise<ContainerView | null> =>
        containerById(services, id),
    }),
  }),
});

const afterDescription =
  'Only what follows this position, e.g. that of the last change you had or the `position` of a ' +
  'mutation. Unless told, the newest change comes first. `Last-Event-ID` counts before it.';

builder.subscriptionFields((t) => ({
  operation: t.field({
    type: OperationChangeRef,
    description: 'Each change of an operation; complete once it has ended.',
    args: {
      id: t.arg.id({ description: 'Its id, `op_…`.' }),
      after: t.arg({ type: 'Position', required: false, description: afterDescription }),
    },
    subscribe: (_root, args, context) => {
      const operationId = idArgument('id', 'operation', args.id);
      return changesTo(context, {
        id: operationId,
        after: isGiven(args.after) ? args.after : undefined,
        read: (services, page) => services.query(OperationChanges, { operationId, page }),
      });
    },
    resolve: (change) => change,
  }),
  container: t.field({
    type: ContainerChangeRef,
    description: 'Each change of a container; complete once it is gone for ever.',
    args: {
      id: t.arg.id({ description: 'Its id, `ctr_…`.' }),
      after: t.arg({ type: 'Position', required: false, description: afterDescription }),
    },
    subscribe: (_root, args, context) => {
      const containerId = idArgument('id', 'container', args.id);
      return changesTo(context, {
        id: containerId,
        after: isGiven(args.after) ? args.after : undefined,
        read: (services, page) => services.query(ContainerChanges, { containerId, page }),
      });
    },
    resolve: (change) => change,
  }),
}));

async function* changesTo(context: Context, followed: Followed): AsyncGenerator<ChangeOf> {
  for await (const change of follow(liveOf(context), followed)) {
    yield { ...change, id: followed.id };
  }
}

function liveOf({ live }: Context): Live {
  if (live === undefined) throw new Error('a subscription was run as if it were a query');
  return live;
}
