/** Images (skels): what containers are made from, tested by a technician before it can be ordered. */
import {
  ImageById,
  ImageChanges,
  ImageHistory,
  Images,
  type ImageView,
} from '@bivouac/containers/api';

import { atLeast } from '../language/at-least.ts';
import { builder } from '../language/builder.ts';
import { enumeration } from '../language/enumeration.ts';
import { given } from '../language/given.ts';
import { EventConnection, EventRef, historyConnection } from '../language/history.ts';
import { idArgument, NodeRef, registerNode } from '../language/node.ts';
import { connection, pageRequest } from '../language/paging.ts';
import { version } from '../language/version.ts';
import type { Services } from '../request/services.ts';

const ImageStatus = enumeration('ImageStatus', 'How far an image has come.', {
  drafted: 'Registered, not tested.',
  tested: 'A technician tried it; the last test counts.',
  published: 'It can be ordered.',
  deprecated: 'It takes no new orders; what was made from it stays.',
  withdrawn: 'It is never ordered again.',
});

export const ServiceKind = enumeration('ServiceKind', 'What a container offers.', {
  web: 'Web pages.',
  mail: 'Mail.',
  ftp: 'File transfer.',
  ssh: 'A shell.',
  cron: 'Jobs by the clock; it listens nowhere.',
});

/** One image, once per request; null where there is none the caller may see. */
export function imageById(services: Services, id: string): Promise<ImageView | null> {
  return services.once(`image:${id}`, () => services.query(ImageById, { imageId: id }));
}

const ImageServiceRef = builder.objectRef<ImageView['services'][number]>('ImageService').implement({
  description: 'A service that containers made from an image offer.',
  fields: (t) => ({
    service: t.expose('service', { type: ServiceKind, description: 'Which.' }),
    ports: t.exposeIntList('ports', { description: 'The ports it answers on.' }),
  }),
});

const ImageCheckRef = builder.objectRef<ImageView['checks'][number]>('ImageCheck').implement({
  description: 'One thing a technician tried on a container made from an image.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What was tried.' }),
    passed: t.exposeBoolean('passed', { description: 'Whether it worked.' }),
  }),
});

const RetirementRef = builder.objectRef<NonNullable<ImageView['retired']>>('Retirement').implement({
  description: 'That something is not offered any more.',
  fields: (t) => ({
    reason: t.exposeString('reason', { description: 'Why.' }),
    at: t.expose('at', { type: 'DateTime', description: 'Since when.' }),
  }),
});

export const ImageRef = builder.objectRef<ImageView>('Image').implement({
  description: 'What containers are made from.',
  interfaces: [NodeRef],
  fields: (t) => ({
    version: version(t, (services, imageId, page) =>
      services.query(ImageChanges, { imageId, page }),
    ),
    name: t.exposeString('name', { description: 'Its name.' }),
    status: t.expose('status', { type: ImageStatus, description: 'How far it has come.' }),
    digest: t.exposeString('digest', { description: 'SHA-256 of its content, hex.' }),
    inventory: t.exposeString('inventory', { description: 'SHA-256 of its package list, hex.' }),
    services: t.expose('services', {
      type: [ImageServiceRef],
      description: 'What containers made from it offer.',
    }),
    checks: t.expose('checks', {
      type: [ImageCheckRef],
      description: 'What the last test tried.',
    }),
    source: t.exposeString('source', {
      nullable: true,
      description: 'For the staff: where nodes get its content.',
    }),
    technician: t.exposeID('technician', {
      nullable: true,
      description: 'For the staff: who tested it, a pseudonym.',
    }),
    testedAt: t.expose('testedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last tested.',
    }),
    publishedAt: t.expose('publishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when it can be ordered.',
    }),
    retired: t.expose('retired', {
      type: RetirementRef,
      nullable: true,
      description: 'Since when and why it takes no new orders; null while it does.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was drafted.' }),
    history: t.connection(
      {
        type: EventRef,
        description: 'What happened to it.',
        resolve: ({ id }, args, { services }) =>
          historyConnection(args, (page) => services.query(ImageHistory, { imageId: id, page })),
      },
      EventConnection,
    ),
  }),
});

registerNode('image', 'Image', (id, { services }) => imageById(services, id));

const ImageConnection = builder.connectionObject(
  { type: ImageRef, name: 'ImageConnection', description: 'A page of images.' },
  { name: 'ImageEdge', description: 'An image and where it stands.' },
);

builder.queryFields((t) => ({
  image: t.field({
    type: ImageRef,
    nullable: true,
    description: 'One image; null where there is none you may see.',
    args: { id: t.arg.id({ description: 'Its id, `img_…`.' }), atLeast: atLeast(t.arg) },
    resolve: (_root, args, { services }) => {
      services.raiseTo(args.atLeast);
      return imageById(services, idArgument('id', 'image', args.id));
    },
  }),
  images: t.connection(
    {
      type: ImageRef,
      description: 'Images, oldest first: the published ones; for the staff all.',
      args: {
        status: t.arg({ type: ImageStatus, required: false, description: 'Only of this status.' }),
        atLeast: atLeast(t.arg),
      },
      resolve: async (_root, args, { services }) => {
        services.raiseTo(args.atLeast);
        const page = { page: pageRequest(args), ...given({ status: args.status }) };
        return connection(await services.query(Images, page));
      },
    },
    ImageConnection,
  ),
}));
