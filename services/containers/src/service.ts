/** The containers context, as the host runs it: images, nodes, pools, placements, containers. */
import { TenantHoldLifted, TenantHoldPlaced } from '@bivouac/events/accounts';
import { containersEvents } from '@bivouac/events/containers';
import { operationProtocolEvents } from '@bivouac/events/operations';
import { service } from '@bivouac/infra/runtime';

import { capacityCommands } from './commands/capacity.ts';
import { containerCommands } from './commands/containers.ts';
import { laterLifeCommands } from './commands/later-life.ts';
import { resizingCommands } from './commands/resizing.ts';
import { rosterCommands } from './commands/rosters.ts';
import { staffCommands } from './commands/staff.ts';
import { expectedNodes, unansweredInstructions } from './measures.ts';
import { containerAsks } from './policies/container-asks.ts';
import { laterLifeAsks } from './policies/later-life-asks.ts';
import { lease, unlease } from './policies/lease.ts';
import { unplace } from './policies/place.ts';
import { discard, prepare } from './policies/prepare.ts';
import { reconcileAll } from './policies/reconcile.ts';
import { resize } from './policies/resize.ts';
import { settleAsks } from './policies/settle-asks.ts';
import { holdContainers, noteTenantHold } from './policies/tenant-holds.ts';
import { containersProjection } from './projections/containers.ts';
import { instructionsProjection } from './projections/instructions.ts';
import { nodesProjection } from './projections/nodes.ts';
import { platformProjection } from './projections/platform.ts';
import {
  containerById,
  containerChanges,
  containerHistory,
  containerList,
} from './queries/containers.ts';
import {
  imageById,
  imageChanges,
  imageHistory,
  imageList,
  leftovers,
  nodeById,
  nodeChanges,
  nodeHistory,
  nodeList,
  rangeById,
  rangeList,
} from './queries/platform.ts';
import {
  differences,
  identityOfNode,
  instancesOfNode,
  instructionsForNode,
  strayInstances,
} from './queries/reconciling.ts';
import { subjectsOfUsage } from './queries/usage.ts';

export { nodeCalls } from './node-calls.ts';
export { nodeEndpoint } from './node-endpoint.ts';
export { nodeGate, type NodeGate } from './node-gate.ts';
export type { NodeConnection, NodeEndpoint, NodeEndpointOptions } from './node-endpoint.ts';

export const containersService = service({
  name: 'containers',
  events: [...containersEvents, ...operationProtocolEvents, TenantHoldPlaced, TenantHoldLifted],
  commands: [
    ...staffCommands,
    ...capacityCommands,
    ...resizingCommands,
    ...rosterCommands,
    ...containerCommands,
    ...laterLifeCommands,
  ],
  queries: [
    containerById,
    containerList,
    containerHistory,
    containerChanges,
    instructionsForNode,
    instancesOfNode,
    identityOfNode,
    subjectsOfUsage,
    differences,
    strayInstances,
    imageById,
    imageList,
    imageHistory,
    imageChanges,
    nodeById,
    nodeList,
    nodeHistory,
    nodeChanges,
    rangeById,
    rangeList,
    leftovers,
  ],
  projections: [containersProjection, instructionsProjection, nodesProjection, platformProjection],
  measures: [expectedNodes, unansweredInstructions],
  policies: [settleAsks, noteTenantHold, holdContainers, reconcileAll],
  responders: [
    prepare,
    discard,
    ...containerAsks,
    ...laterLifeAsks,
    resize,
    unplace,
    lease,
    unlease,
  ],
});
