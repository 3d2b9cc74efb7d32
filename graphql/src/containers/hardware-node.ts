/** Hardware nodes, for the provider's staff: what they have and what placements take. */
import { NodeById, NodeChanges, NodeHistory, Nodes, type NodeView } from '@bivouac/containers/api';

import { atLeast } from '../language/at-least.ts';
import { builder } from '../language/builder.ts';
import { given } from '../language/given.ts';
import { EventConnection, EventRef, historyConnection } from '../language/history.ts';
import { idArgument, NodeRef, registerNode } from '../language/node.ts';
import { connection, pageRequest } from '../language/paging.ts';
import { ResourcesRef } from '../language/resources.ts';
import { version } from '../language/version.ts';
import type { Services } from '../request/services.ts';

/** One hardware node, once per request. */
export function hardwareNodeById(services: Services, id: string): Promise<NodeView | null> {
  return services.once(`node:${id}`, () => services.query(NodeById, { nodeId: id }));
}

const DrainRef = builder.objectRef<NonNullable<NodeView['drained']>>('Drain').implement({
  description: 'That a node takes no new placements.',
  fields: (t) => ({
    reason: t.exposeString('reason', { description: 'Why.' }),
    at: t.expose('at', { type: 'DateTime', description: 'Since when.' }),
  }),
});

const NodeInventoryRef = builder
  .objectRef<NonNullable<NodeView['inventory']>>('NodeInventory')
  .implement({
    description: 'What a node’s agent found the machine to have and to be able to do.',
    fields: (t) => ({
      engine: t.exposeString('engine', { description: 'What runs its containers.' }),
      engineVersion: t.exposeString('engineVersion', { description: 'Of which version.' }),
      kernel: t.exposeString('kernel', { description: 'The kernel they share.' }),
      cpuMillis: t.exposeInt('cpuMillis', { description: 'CPU in thousandths of one CPU.' }),
      memoryBytes: t.expose('memoryBytes', { type: 'Bytes', description: 'Memory.' }),
      diskBytes: t.expose('diskBytes', { type: 'Bytes', description: 'Disk.' }),
      features: t.exposeStringList('features', { description: 'What it can do.' }),
      at: t.expose('at', { type: 'DateTime', description: 'When it said so.' }),
    }),
  });

export const HardwareNodeRef = builder.objectRef<NodeView>('HardwareNode').implement({
  description: 'A machine that runs containers.',
  interfaces: [NodeRef],
  fields: (t) => ({
    version: version(t, (services, nodeId, page) => services.query(NodeChanges, { nodeId, page })),
    name: t.exposeString('name', { description: 'Its name.' }),
    location: t.exposeString('location', { description: 'Where it stands, e.g. `fra1`.' }),
    engine: t.exposeString('engine', { description: 'What runs its containers.' }),
    features: t.exposeStringList('features', { description: 'What the engine can do.' }),
    capacity: t.expose('capacity', { type: ResourcesRef, description: 'What it has.' }),
    cpuOvercommitPercent: t.exposeInt('cpuOvercommitPercent', {
      description: 'CPU that may be promised, in per cent of what there is.',
    }),
    used: t.expose('used', { type: ResourcesRef, description: 'What placements take.' }),
    free: t.expose('free', {
      type: ResourcesRef,
      description: 'What is left, CPU with overcommitment.',
    }),
    labels: t.exposeStringList('labels', { description: 'Words of the staff.' }),
    drained: t.expose('drained', {
      type: DrainRef,
      nullable: true,
      description: 'Why it takes no new placements; null where it does.',
    }),
    inventory: t.expose('inventory', {
      type: NodeInventoryRef,
      nullable: true,
      description: 'What its agent last said; null before it came.',
    }),
    placements: t.exposeInt('placements', { description: 'How many containers are placed here.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'Since when.' }),
    history: t.connection(
      {
        type: EventRef,
        description: 'What happened to it.',
        resolve: ({ id }, args, { services }) =>
          historyConnection(args, (page) => services.query(NodeHistory, { nodeId: id, page })),
      },
      EventConnection,
    ),
  }),
});

registerNode('node', 'HardwareNode', (id, { services }) =>
  // For others than the staff there is no such thing: `node(id)` answers null, not an error.
  services.principal.reach === 'all' ? hardwareNodeById(services, id) : Promise.resolve(null),
);

const HardwareNodeConnection = builder.connectionObject(
  { type: HardwareNodeRef, name: 'HardwareNodeConnection', description: 'A page of nodes.' },
  { name: 'HardwareNodeEdge', description: 'A node and where it stands in the list.' },
);

builder.queryFields((t) => ({
  hardwareNode: t.field({
    type: HardwareNodeRef,
    nullable: true,
    description: 'For the staff: one hardware node.',
    args: { id: t.arg.id({ description: 'Its id, `nod_…`.' }), atLeast: atLeast(t.arg) },
    resolve: (_root, args, { services }) => {
      services.raiseTo(args.atLeast);
      return hardwareNodeById(services, idArgument('id', 'node', args.id));
    },
  }),
  nodes: t.connection(
    {
      type: HardwareNodeRef,
      description: 'For the staff: the hardware nodes, oldest first.',
      args: {
        location: t.arg.string({ required: false, description: 'Only at this location.' }),
        label: t.arg.string({ required: false, description: 'Only with this label.' }),
        drained: t.arg.boolean({
          required: false,
          description: 'Only those that are drained, or only those that are not.',
        }),
        atLeast: atLeast(t.arg),
      },
      resolve: async (_root, args, { services }) => {
        services.raiseTo(args.atLeast);
        const page = await services.query(Nodes, {
          page: pageRequest(args),
          ...given({ location: args.location, label: args.label, drained: args.drained }),
        });
        return connection(page);
      },
    },
    HardwareNodeConnection,
  ),
}));
