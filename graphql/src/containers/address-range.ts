/** Address ranges of the pools, for the provider's staff. */
import { RangeById, Ranges, type RangeView } from '@bivouac/containers/api';

import { atLeast } from '../language/at-least.ts';
import { builder } from '../language/builder.ts';
import { given } from '../language/given.ts';
import { idArgument } from '../language/node.ts';
import { connection, pageRequest } from '../language/paging.ts';
import { AddressFamily } from './container-parts.ts';

export const AddressRangeRef = builder.objectRef<RangeView>('AddressRange').implement({
  description: 'A range of addresses in the pool of a location.',
  fields: (t) => ({
    id: t.exposeID('rangeId', { description: 'The id, `rng_…`.' }),
    cidr: t.expose('cidr', { type: 'Cidr', description: 'The prefix.' }),
    location: t.exposeString('location', { description: 'Whose pool, e.g. `fra1`.' }),
    family: t.expose('family', { type: AddressFamily, description: 'The version of IP.' }),
    gateway: t.exposeString('gateway', {
      nullable: true,
      description: 'The gateway, never leased.',
    }),
    coolDownSeconds: t.exposeInt('coolDownSeconds', {
      description: 'How long a released address rests before its next lease.',
    }),
    size: t.exposeInt('size', { description: 'Addresses that can be leased at all.' }),
    leased: t.exposeInt('leased', { description: 'Addresses that are leased.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'Since when.' }),
  }),
});

const AddressRangeConnection = builder.connectionObject(
  { type: AddressRangeRef, name: 'AddressRangeConnection', description: 'A page of ranges.' },
  { name: 'AddressRangeEdge', description: 'A range and where it stands.' },
);

builder.queryField('addressRanges', (t) =>
  t.connection(
    {
      type: AddressRangeRef,
      description: 'For the staff: the address ranges, oldest first.',
      args: {
        family: t.arg({
          type: AddressFamily,
          required: false,
          description: 'Only of this version of IP.',
        }),
        location: t.arg.string({ required: false, description: 'Only of this location.' }),
        atLeast: atLeast(t.arg),
      },
      resolve: async (_root, args, { services }) => {
        services.raiseTo(args.atLeast);
        const page = await services.query(Ranges, {
          page: pageRequest(args),
          ...given({ family: args.family, location: args.location }),
        });
        return connection(page);
      },
    },
    AddressRangeConnection,
  ),
);

builder.queryField('addressRange', (t) =>
  t.field({
    type: AddressRangeRef,
    nullable: true,
    description: 'For the staff: one address range; null where there is none.',
    args: { id: t.arg.id({ description: 'Its id, `rng_…`.' }), atLeast: atLeast(t.arg) },
    resolve: (_root, args, { services }) => {
      services.raiseTo(args.atLeast);
      return services.query(RangeById, { rangeId: idArgument('id', 'range', args.id) });
    },
  }),
);
