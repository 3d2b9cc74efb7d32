/** What a container is made of for its readers: states, addresses, holds, what was seen, its image. */
import type { ContainerView } from '@bivouac/containers/api';

import { HoldKind } from '../accounts/account.ts';
import { builder } from '../language/builder.ts';
import { enumeration } from '../language/enumeration.ts';
import { imageById, ImageRef } from './image.ts';

export const Lifecycle = enumeration('ContainerLifecycle', 'What a container is meant to be.', {
  requested: 'Ordered; it has nothing on any node yet.',
  reserved: 'It has a place and addresses.',
  building: 'Its node makes it.',
  stopped: 'Made, and not to run.',
  running: 'It is to run; a hold keeps it stopped all the same.',
  frozen: 'In memory, and gets no CPU.',
  deleting: 'Its node destroys it.',
  'soft-deleted': 'Gone for its owner, and can still be brought back.',
  deleted: 'Gone.',
  failed: 'It never came to run; what it held was given back.',
});

export const ObservedState = enumeration('ObservedState', 'What a node sees of a container.', {
  absent: 'There is no such instance on the node.',
  stopped: 'It does not run.',
  running: 'It runs.',
  frozen: 'It is in memory and gets no CPU.',
  error: 'The engine reports a fault.',
});

export const AddressFamily = enumeration('AddressFamily', 'A version of the Internet Protocol.', {
  ipv4: 'IPv4.',
  ipv6: 'IPv6.',
});

export const AddressRef = builder
  .objectRef<ContainerView['addresses'][number]>('Address')
  .implement({
    description: 'An address leased to a container.',
    fields: (t) => ({
      leaseId: t.exposeID('leaseId', { description: 'The lease, `lse_…`.' }),
      address: t.exposeString('address', { description: 'The address in canonical form.' }),
      family: t.expose('family', { type: AddressFamily, description: 'Its version of IP.' }),
    }),
  });

export const ContainerHoldRef = builder
  .objectRef<ContainerView['holds'][number]>('ContainerHold')
  .implement({
    description: 'Keeps a container stopped; its owner cannot start it.',
    fields: (t) => ({
      id: t.exposeID('holdId', { description: 'The id, to resume it by.' }),
      kind: t.expose('kind', { type: HoldKind, description: 'Why, in a word.' }),
      reason: t.exposeString('reason', { description: 'Why, in a sentence.' }),
      placedAt: t.expose('placedAt', { type: 'DateTime', description: 'Since when.' }),
    }),
  });

export const ObservationRef = builder
  .objectRef<NonNullable<ContainerView['observed']>>('Observation')
  .implement({
    description: 'What a container’s node last reported or confirmed.',
    fields: (t) => ({
      state: t.expose('state', { type: ObservedState, description: 'What it saw.' }),
      generation: t.exposeInt('generation', { description: 'Of which generation.' }),
      at: t.expose('at', { type: 'DateTime', description: 'When that was recorded.' }),
    }),
  });

export const ContainerImageRef = builder
  .objectRef<ContainerView['image']>('ContainerImage')
  .implement({
    description: 'The image a container was made from, as it was then.',
    fields: (t) => ({
      id: t.exposeID('imageId', { description: 'The image’s id.' }),
      name: t.exposeString('name', { description: 'Its name.' }),
      digest: t.exposeString('digest', { description: 'SHA-256 of its content, hex.' }),
      inventory: t.exposeString('inventory', { description: 'SHA-256 of its package list, hex.' }),
      image: t.field({
        type: ImageRef,
        nullable: true,
        description: 'The image itself; null where you may not see it any more.',
        resolve: ({ imageId }, _args, { services }) => imageById(services, imageId),
      }),
    }),
  });
