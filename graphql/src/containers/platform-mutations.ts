/** Changing hardware nodes and address ranges, and reconciling, for the provider's staff. */
import {
  DestroyStray,
  DrainNode,
  LabelNode,
  RangeById,
  Reconcile,
  RegisterNode,
  RegisterRange,
  UndrainNode,
} from '@bivouac/containers/api';

import { builder } from '../language/builder.ts';
import { given } from '../language/given.ts';
import { mutation, type Payload, PayloadRef } from '../language/mutation.ts';
import { AddressRangeRef } from './address-range.ts';
import { hardwareNodeById, HardwareNodeRef } from './hardware-node.ts';

export interface NodePayload extends Payload {
  readonly nodeId: string;
}

export const NodePayloadRef = builder.interfaceRef<NodePayload>('HardwareNodePayload').implement({
  description: 'What a mutation of a hardware node answers.',
  interfaces: [PayloadRef],
  resolveType: (value) => value.__typename,
  fields: (t) => ({
    nodeId: t.exposeID('nodeId', { description: 'The node, `nod_…`.' }),
    node: t.field({
      type: HardwareNodeRef,
      nullable: true,
      description: 'The node as it is after the change.',
      resolve: ({ nodeId }, _args, { services }) => hardwareNodeById(services, nodeId),
    }),
  }),
});

const NodeRegistered = builder.objectRef<NodePayload>('NodeRegistered').implement({
  description: 'Containers can be placed on the node.',
  interfaces: [PayloadRef, NodePayloadRef],
});

const CapacityInput = builder.inputType('NodeCapacityInput', {
  description: 'What a hardware node has to give.',
  fields: (t) => ({
    containers: t.int({ description: 'Most containers on it.' }),
    cpuMillis: t.int({ description: 'CPU in thousandths of one CPU, before overcommitment.' }),
    memoryBytes: t.field({ type: 'Bytes', description: 'Memory.' }),
    diskBytes: t.field({ type: 'Bytes', description: 'Disk.' }),
  }),
});

mutation('registerNode', {
  description: 'For the staff: registers a hardware node with what it has to give.',
  input: builder.inputType('RegisterNodeInput', {
    description: 'A new hardware node.',
    fields: (t) => ({
      name: t.string({ description: 'Its name.' }),
      location: t.string({ description: 'Where it stands, e.g. `fra1`.' }),
      engine: t.string({ description: 'What runs its containers, e.g. `lxd 5.0.2`.' }),
      features: t.stringList({
        required: false,
        description: 'What the engine can do, e.g. `disk.quota`.',
      }),
      capacity: t.field({ type: CapacityInput, description: 'What it has.' }),
      cpuOvercommitPercent: t.int({
        required: false,
        description: 'CPU that may be promised, in per cent of what there is; 400 unless told.',
      }),
    }),
  }),
  type: NodeRegistered,
  act: ({ name, location, engine, features, capacity, cpuOvercommitPercent }, key, { services }) =>
    services.command(
      RegisterNode,
      {
        name,
        location,
        engine,
        capacity,
        ...given({ features, cpuOvercommitPercent }),
      },
      key,
    ),
  payload: ({ nodeId }) => ({ nodeId }),
});

const NodeLabelled = builder.objectRef<NodePayload>('NodeLabelled').implement({
  description: 'The node has these labels and no others.',
  interfaces: [PayloadRef, NodePayloadRef],
});

mutation('labelNode', {
  description: 'For the staff: sets all labels of a node.',
  input: builder.inputType('LabelNodeInput', {
    description: 'All its labels.',
    fields: (t) => ({
      nodeId: t.id({ description: 'The node.' }),
      labels: t.stringList({ description: 'Up to 50, e.g. `ssd` or `rack=a12`.' }),
    }),
  }),
  versioned: true,
  type: NodeLabelled,
  act: (input, key, { services }) => services.command(LabelNode, { ...input }, key),
  payload: ({ nodeId }) => ({ nodeId }),
});

const NodeDrained = builder.objectRef<NodePayload>('NodeDrained').implement({
  description: 'The node takes no new placements; what is there stays.',
  interfaces: [PayloadRef, NodePayloadRef],
});

mutation('drainNode', {
  description: 'For the staff: no new placements on a node.',
  input: builder.inputType('DrainNodeInput', {
    description: 'Which node and why.',
    fields: (t) => ({
      nodeId: t.id({ description: 'The node.' }),
      reason: t.string({ description: 'Why; 1 to 500 characters.' }),
    }),
  }),
  versioned: true,
  type: NodeDrained,
  act: (input, key, { services }) => services.command(DrainNode, { ...input }, key),
  payload: ({ nodeId }) => ({ nodeId }),
});

const NodeUndrained = builder.objectRef<NodePayload>('NodeUndrained').implement({
  description: 'The node takes placements again.',
  interfaces: [PayloadRef, NodePayloadRef],
});

mutation('undrainNode', {
  description: 'For the staff: placements on a node again.',
  input: builder.inputType('UndrainNodeInput', {
    description: 'Which node.',
    fields: (t) => ({ nodeId: t.id({ description: 'The node.' }) }),
  }),
  versioned: true,
  type: NodeUndrained,
  act: ({ nodeId }, key, { services }) => services.command(UndrainNode, { nodeId }, key),
  payload: ({ nodeId }) => ({ nodeId }),
});

const ReconciliationOrdered = builder
  .objectRef<Payload & { readonly nodeId: string | null }>('ReconciliationOrdered')
  .implement({
    description: 'Nodes are told again what is wanted of the containers that differ.',
    interfaces: [PayloadRef],
    fields: (t) => ({
      nodeId: t.exposeID('nodeId', { nullable: true, description: 'The node; null for all.' }),
    }),
  });

mutation('reconcile', {
  description:
    'For the staff: has every container that differs from what is wanted started, stopped, frozen ' +
    'or thawed now. The dry run is `containerDifferences`. Instances that are nobody’s stay.',
  input: builder.inputType('ReconcileInput', {
    description: 'Where.',
    fields: (t) => ({
      nodeId: t.id({ required: false, description: 'Only on this node; on all unless told.' }),
    }),
  }),
  type: ReconciliationOrdered,
  act: ({ nodeId }, key, { services }) => services.command(Reconcile, given({ nodeId }), key),
  payload: ({ nodeId }) => ({ nodeId }),
});

const StrayDestructionOrdered = builder
  .objectRef<NodePayload & { readonly containerId: string }>('StrayDestructionOrdered')
  .implement({
    description: 'The node is told to destroy it; `strayInstances` says what becomes of that.',
    interfaces: [PayloadRef, NodePayloadRef],
    fields: (t) => ({
      containerId: t.exposeID('containerId', { description: 'The id it is marked with.' }),
    }),
  });

mutation('destroyStray', {
  description:
    'For the staff: has a node destroy an instance that is nobody’s there, with all its data. Refused ' +
    'where a container has its place on the node.',
  input: builder.inputType('DestroyStrayInput', {
    description: 'Which and why.',
    fields: (t) => ({
      nodeId: t.id({ description: 'The node it is on.' }),
      containerId: t.id({ description: 'The id it is marked with, as `strayInstances` tells it.' }),
      reason: t.string({ description: 'Why, in a sentence; for the staff and the auditor.' }),
    }),
  }),
  type: StrayDestructionOrdered,
  act: (input, key, { services }) => services.command(DestroyStray, input, key),
  payload: ({ nodeId, containerId }) => ({ nodeId, containerId }),
});

const AddressRangeRegistered = builder
  .objectRef<Payload & { readonly rangeId: string }>('AddressRangeRegistered')
  .implement({
    description: 'The range’s addresses can be leased.',
    interfaces: [PayloadRef],
    fields: (t) => ({
      rangeId: t.exposeID('rangeId', { description: 'The range, `rng_…`.' }),
      range: t.field({
        type: AddressRangeRef,
        nullable: true,
        description: 'The range.',
        resolve: ({ rangeId }, _args, { services }) => services.query(RangeById, { rangeId }),
      }),
    }),
  });

mutation('registerAddressRange', {
  description:
    'For the staff: adds a range to the pool of a location: at most 4,096 addresses, or an IPv6 prefix of /64 or longer.',
  input: builder.inputType('RegisterAddressRangeInput', {
    description: 'A new range. It must not overlap another.',
    fields: (t) => ({
      cidr: t.field({ type: 'Cidr', description: 'The prefix.' }),
      location: t.string({ description: 'Whose pool, e.g. `fra1`.' }),
      gateway: t.string({ required: false, description: 'The gateway, never leased.' }),
      reserved: t.intList({
        required: false,
        description: 'Further offsets in the prefix that are never leased.',
      }),
      coolDownSeconds: t.int({
        required: false,
        description: 'How long a released address rests before its next lease; a day unless told.',
      }),
    }),
  }),
  type: AddressRangeRegistered,
  act: ({ cidr, location, gateway, reserved, coolDownSeconds }, key, { services }) =>
    services.command(
      RegisterRange,
      {
        cidr,
        location,
        ...given({ gateway, reserved, coolDownSeconds }),
      },
      key,
    ),
  payload: ({ rangeId }) => ({ rangeId }),
});
