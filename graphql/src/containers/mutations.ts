/** Changing images, hardware nodes, address ranges; renaming a container. */
import {
  PublishImage,
  RegisterImage,
  RegisterNode,
  RegisterRange,
  RenameContainer,
  TestImage,
} from '@bivouac/containers/api';

import { builder } from '../language/builder.ts';
import { given } from '../language/given.ts';
import { mutation, type Payload, PayloadRef } from '../language/mutation.ts';
import { containerById, ContainerRef } from './container.ts';
import { hardwareNodeById, HardwareNodeRef } from './hardware-node.ts';
import { imageById, ImageRef, ServiceKind } from './image.ts';

interface ImagePayload extends Payload {
  readonly imageId: string;
}

const ImagePayloadRef = builder.interfaceRef<ImagePayload>('ImagePayload').implement({
  description: 'What a mutation of an image answers.',
  interfaces: [PayloadRef],
  resolveType: (value) => value.__typename,
  fields: (t) => ({
    imageId: t.exposeID('imageId', { description: 'The image.' }),
    image: t.field({
      type: ImageRef,
      nullable: true,
      description: 'The image as it is after the change.',
      resolve: ({ imageId }, _args, { services }) => imageById(services, imageId),
    }),
  }),
});

const ServiceInput = builder.inputType('ImageServiceInput', {
  description: 'A service that containers made from the image offer.',
  fields: (t) => ({
    service: t.field({ type: ServiceKind, description: 'Which.' }),
    ports: t.intList({ description: 'The ports it answers on; empty for CRON.' }),
  }),
});

const ImageDrafted = builder.objectRef<ImagePayload>('ImageDrafted').implement({
  description: 'The image is registered; it cannot be ordered yet.',
  interfaces: [PayloadRef, ImagePayloadRef],
});

mutation('draftImage', {
  description: 'For the staff: registers an image. Its package list must have been stored before.',
  input: builder.inputType('DraftImageInput', {
    description: 'A new image.',
    fields: (t) => ({
      name: t.string({ description: 'Its name.' }),
      digest: t.string({ description: 'SHA-256 of its content, 64 lower-case hex digits.' }),
      source: t.string({
        description: 'Where nodes get its content: `builtin:skel` or `file:///…`.',
      }),
      inventory: t.string({ description: 'SHA-256 of its stored package list, hex.' }),
      services: t.field({
        type: [ServiceInput],
        description: 'What containers made from it offer.',
      }),
    }),
  }),
  type: ImageDrafted,
  act: (input, key, { services }) => services.command(RegisterImage, { ...input }, key),
  payload: ({ imageId }) => ({ imageId }),
});

const CheckInput = builder.inputType('ImageCheckInput', {
  description: 'One thing that was tried on a container made from the image.',
  fields: (t) => ({
    name: t.string({ description: 'What was tried.' }),
    passed: t.boolean({ description: 'Whether it worked.' }),
  }),
});

const ImageTested = builder.objectRef<ImagePayload>('ImageTested').implement({
  description: 'The test is recorded; the last one counts.',
  interfaces: [PayloadRef, ImagePayloadRef],
});

mutation('testImage', {
  description: 'For the staff: records that you tried a container made from an image.',
  input: builder.inputType('TestImageInput', {
    description: 'What was tried and how it went. The technician is the member of your key.',
    fields: (t) => ({
      imageId: t.id({ description: 'The image.' }),
      checks: t.field({ type: [CheckInput], description: 'What was tried; at least one thing.' }),
    }),
  }),
  type: ImageTested,
  act: ({ imageId, checks }, key, { services, viewer }) =>
    services.command(TestImage, { imageId, checks, technician: viewer.memberId }, key),
  payload: ({ imageId }) => ({ imageId }),
});

const ImagePublished = builder.objectRef<ImagePayload>('ImagePublished').implement({
  description: 'The image can be ordered.',
  interfaces: [PayloadRef, ImagePayloadRef],
});

mutation('publishImage', {
  description: 'For the staff: lets an image be ordered. It must have passed its last test.',
  input: builder.inputType('PublishImageInput', {
    description: 'Which image.',
    fields: (t) => ({ imageId: t.id({ description: 'The image.' }) }),
  }),
  type: ImagePublished,
  act: ({ imageId }, key, { services }) => services.command(PublishImage, { imageId }, key),
  payload: ({ imageId }) => ({ imageId }),
});

const NodeRegistered = builder
  .objectRef<Payload & { readonly nodeId: string }>('NodeRegistered')
  .implement({
    description: 'Containers can be placed on the node.',
    interfaces: [PayloadRef],
    fields: (t) => ({
      nodeId: t.exposeID('nodeId', { description: 'The node, `nod_…`.' }),
      node: t.field({
        type: HardwareNodeRef,
        nullable: true,
        description: 'The node.',
        resolve: ({ nodeId }, _args, { services }) => hardwareNodeById(services, nodeId),
      }),
    }),
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

const AddressRangeRegistered = builder
  .objectRef<Payload & { readonly rangeId: string }>('AddressRangeRegistered')
  .implement({
    description: 'The range’s addresses can be leased.',
    interfaces: [PayloadRef],
    fields: (t) => ({ rangeId: t.exposeID('rangeId', { description: 'The range, `rng_…`.' }) }),
  });

mutation('registerAddressRange', {
  description: 'For the staff: adds a range of at most 4,096 addresses to the pool of a location.',
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

const ContainerRenamed = builder
  .objectRef<Payload & { readonly containerId: string }>('ContainerRenamed')
  .implement({
    description: 'The container has the host name; its node sets it with the next network change.',
    interfaces: [PayloadRef],
    fields: (t) => ({
      containerId: t.exposeID('containerId', { description: 'The container.' }),
      container: t.field({
        type: ContainerRef,
        nullable: true,
        description: 'The container as it is after the change.',
        resolve: ({ containerId }, _args, { services }) => containerById(services, containerId),
      }),
    }),
  });

mutation('renameContainer', {
  description: 'Gives a container another host name.',
  input: builder.inputType('RenameContainerInput', {
    description: 'A new host name.',
    fields: (t) => ({
      containerId: t.id({ description: 'The container.' }),
      hostname: t.string({ description: 'The host name, e.g. `web1.example.com`.' }),
    }),
  }),
  type: ContainerRenamed,
  act: ({ containerId, hostname }, key, { services }) =>
    services.command(RenameContainer, { containerId, hostname }, key),
  payload: ({ containerId }) => ({ containerId }),
});
