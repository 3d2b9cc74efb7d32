/** Amounts of the accounted resources: what a node has, what a quota holds. */
import type { ResourceVector } from '@bivouac/events/values';

import { builder } from './builder.ts';

export const ResourcesRef = builder
  .objectRef<Omit<ResourceVector, 'addresses'> & { readonly addresses?: number }>('Resources')
  .implement({
    description: 'How much of each accounted resource.',
    fields: (t) => ({
      containers: t.exposeInt('containers', { description: 'Containers.' }),
      cpuMillis: t.exposeInt('cpuMillis', { description: 'CPU in thousandths of one CPU.' }),
      memoryBytes: t.expose('memoryBytes', { type: 'Bytes', description: 'Memory.' }),
      diskBytes: t.expose('diskBytes', { type: 'Bytes', description: 'Disk.' }),
      addresses: t.int({
        description: 'Addresses; 0 where they do not count.',
        resolve: ({ addresses }) => addresses ?? 0,
      }),
    }),
  });
