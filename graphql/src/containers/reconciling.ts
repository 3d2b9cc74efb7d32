/** What differs from what is wanted, and instances that are nobody's: the reconciler's dry run. */
import {
  Differences,
  type DifferenceView,
  StrayInstances,
  type StrayView,
} from '@bivouac/containers/api';

import { atLeast } from '../language/at-least.ts';
import { builder } from '../language/builder.ts';
import { enumeration } from '../language/enumeration.ts';
import { given } from '../language/given.ts';
import { optionalIdArgument } from '../language/node.ts';
import { connection, pageRequest } from '../language/paging.ts';
import { containerById, ContainerRef } from './container.ts';
import { ObservedState } from './container-parts.ts';
import { hardwareNodeById, HardwareNodeRef } from './hardware-node.ts';

const WantedState = enumeration('WantedState', 'What a node is to make of a container.', {
  running: 'It is to run.',
  stopped: 'It is not to run: its owner wants that, or a hold.',
  frozen: 'It is to be in memory without CPU.',
});

const ReconcileAction = enumeration('ReconcileAction', 'What a reconciliation does.', {
  start: 'Has it started.',
  stop: 'Has it stopped.',
  freeze: 'Has it frozen.',
  thaw: 'Has it thawed.',
  none: 'Nothing: it is missing or in error, staff must look.',
});

const StrayReason = enumeration('StrayReason', 'Why an instance should not be where it is.', {
  unknown: 'No container has this id.',
  elsewhere: 'Its container is on another node.',
  'old-generation': 'Its container is in another generation.',
  gone: 'Its container is deleted or has failed.',
});

const DifferenceRef = builder.objectRef<DifferenceView>('ContainerDifference').implement({
  description: 'Where what is wanted of a container is not what its node sees.',
  fields: (t) => ({
    container: t.field({
      type: ContainerRef,
      nullable: true,
      description: 'The container.',
      resolve: ({ containerId }, _args, { services }) => containerById(services, containerId),
    }),
    wanted: t.expose('wanted', { type: WantedState, description: 'What is wanted.' }),
    observed: t.expose('observed', { type: ObservedState, description: 'What its node sees.' }),
    since: t.expose('since', { type: 'DateTime', description: 'Since when.' }),
    action: t.expose('action', {
      type: ReconcileAction,
      description: 'What `reconcile` does about it.',
    }),
  }),
});

const DestructionOutcome = enumeration('DestructionOutcome', 'Why an instance is still there.', {
  refused: 'The node refused the instruction: something newer is to be there.',
  failed: 'The engine could not.',
  'timed-out': 'The node did not answer in time.',
});

const StrayDestructionRef = builder
  .objectRef<NonNullable<StrayView['destruction']>>('StrayDestruction')
  .implement({
    description: 'What became of a `destroyStray`. Once it is done the instance is listed no more.',
    fields: (t) => ({
      orderedAt: t.expose('orderedAt', { type: 'DateTime', description: 'When it was ordered.' }),
      outcome: t.expose('outcome', {
        type: DestructionOutcome,
        nullable: true,
        description: 'Null while the node has not answered.',
      }),
      message: t.exposeString('message', {
        nullable: true,
        description: 'What the node said.',
      }),
    }),
  });

const StrayRef = builder.objectRef<StrayView>('StrayInstance').implement({
  description:
    'An instance on a node that is nobody’s there. Nothing destroys it by itself: staff look at it on ' +
    'the node, then remove it with `destroyStray`.',
  fields: (t) => ({
    containerId: t.exposeID('containerId', { description: 'The id it is marked with.' }),
    node: t.field({
      type: HardwareNodeRef,
      nullable: true,
      description: 'Where it is.',
      resolve: ({ nodeId }, _args, { services }) => hardwareNodeById(services, nodeId),
    }),
    generation: t.exposeInt('generation', { description: 'The generation it is marked with.' }),
    state: t.expose('state', { type: ObservedState, description: 'What the node sees of it.' }),
    why: t.expose('why', { type: StrayReason, description: 'Why it should not be there.' }),
    seenAt: t.expose('seenAt', { type: 'DateTime', description: 'When it was seen so.' }),
    destruction: t.field({
      type: StrayDestructionRef,
      nullable: true,
      description: 'The last `destroyStray`; null where there was none.',
      resolve: ({ destruction }) => destruction,
    }),
  }),
});

const DifferenceConnection = builder.connectionObject(
  {
    type: DifferenceRef,
    name: 'ContainerDifferenceConnection',
    description: 'A page of differences.',
  },
  { name: 'ContainerDifferenceEdge', description: 'A difference and where it stands.' },
);
const StrayConnection = builder.connectionObject(
  { type: StrayRef, name: 'StrayInstanceConnection', description: 'A page of stray instances.' },
  { name: 'StrayInstanceEdge', description: 'A stray instance and where it stands.' },
);

builder.queryFields((t) => ({
  containerDifferences: t.connection(
    {
      type: DifferenceRef,
      description: 'For the staff: what `reconcile` would act upon, oldest container first.',
      args: {
        nodeId: t.arg.id({ required: false, description: 'Only on this node.' }),
        atLeast: atLeast(t.arg),
      },
      resolve: async (_root, args, { services }) => {
        services.raiseTo(args.atLeast);
        const nodeId = optionalIdArgument('nodeId', 'node', args.nodeId);
        const page = { page: pageRequest(args), ...given({ nodeId }) };
        return connection(await services.query(Differences, page));
      },
    },
    DifferenceConnection,
  ),
  strayInstances: t.connection(
    {
      type: StrayRef,
      description: 'For the staff: instances that are nobody’s where they are, by node.',
      args: {
        nodeId: t.arg.id({ required: false, description: 'Only on this node.' }),
        atLeast: atLeast(t.arg),
      },
      resolve: async (_root, args, { services }) => {
        services.raiseTo(args.atLeast);
        const nodeId = optionalIdArgument('nodeId', 'node', args.nodeId);
        const page = { page: pageRequest(args), ...given({ nodeId }) };
        return connection(await services.query(StrayInstances, page));
      },
    },
    StrayConnection,
  ),
}));
