/** Changing images, for the provider's staff: drafted, tested, published, deprecated, withdrawn. */
import {
  DeprecateImage,
  PublishImage,
  RegisterImage,
  TestImage,
  WithdrawImage,
} from '@bivouac/containers/api';

import { builder } from '../language/builder.ts';
import { mutation, type Payload, PayloadRef } from '../language/mutation.ts';
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
  versioned: true,
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
  versioned: true,
  type: ImagePublished,
  act: ({ imageId }, key, { services }) => services.command(PublishImage, { imageId }, key),
  payload: ({ imageId }) => ({ imageId }),
});

const ImageDeprecated = builder.objectRef<ImagePayload>('ImageDeprecated').implement({
  description: 'The image takes no new orders; what was made from it stays.',
  interfaces: [PayloadRef, ImagePayloadRef],
});

mutation('deprecateImage', {
  description: 'For the staff: takes a published image from the offer.',
  input: builder.inputType('DeprecateImageInput', {
    description: 'Which image and why.',
    fields: (t) => ({
      imageId: t.id({ description: 'The image.' }),
      reason: t.string({ description: 'Why, for its users; 1 to 500 characters.' }),
    }),
  }),
  versioned: true,
  type: ImageDeprecated,
  act: (input, key, { services }) => services.command(DeprecateImage, { ...input }, key),
  payload: ({ imageId }) => ({ imageId }),
});

const ImageWithdrawn = builder.objectRef<ImagePayload>('ImageWithdrawn').implement({
  description: 'The image is never ordered again.',
  interfaces: [PayloadRef, ImagePayloadRef],
});

mutation('withdrawImage', {
  description: 'For the staff: forbids an image for ever, published or not.',
  input: builder.inputType('WithdrawImageInput', {
    description: 'Which image and why.',
    fields: (t) => ({
      imageId: t.id({ description: 'The image.' }),
      reason: t.string({ description: 'Why, for its users; 1 to 500 characters.' }),
    }),
  }),
  versioned: true,
  type: ImageWithdrawn,
  act: (input, key, { services }) => services.command(WithdrawImage, { ...input }, key),
  payload: ({ imageId }) => ({ imageId }),
});
