/** What the outside may ask of containers. What the caller does not reach is answered as missing. */
import { PageArgsSchema, pageSchema, query } from '@bivouac/events/language';
import {
  ChangesArgsSchema,
  ChangesSchema,
  createdRangeShape,
  HistoryArgsSchema,
  HistoryPageSchema,
} from '@bivouac/events/operations';
import { FamilySchema, idOf } from '@bivouac/events/values';
import { z } from 'zod';

import {
  ContainerViewSchema,
  DifferenceViewSchema,
  ImageStatusSchema,
  ImageViewSchema,
  LifecycleSchema,
  NodeViewSchema,
  RangeViewSchema,
  StrayViewSchema,
} from './views.ts';

/** The containers the caller reaches, oldest first; of one tenant, in one lifecycle, on one node. Refused: NOT_ALLOWED. */
export const Containers = query({
  name: 'containers.Containers',
  access: 'tenant',
  right: 'containers.read',
  input: z.strictObject({
    page: PageArgsSchema,
    tenantId: idOf('tenant').optional(),
    lifecycle: LifecycleSchema.optional(),
    /** For the staff. */
    nodeId: idOf('node').optional(),
    ...createdRangeShape,
  }),
  result: pageSchema(ContainerViewSchema),
});

export const ContainerById = query({
  name: 'containers.ContainerById',
  access: 'tenant',
  right: 'containers.read',
  input: z.strictObject({ containerId: idOf('container') }),
  result: ContainerViewSchema.nullable(),
});

/** Images, oldest first: the published ones; for the staff all, or those of a status. */
export const Images = query({
  name: 'containers.Images',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ page: PageArgsSchema, status: ImageStatusSchema.optional() }),
  result: pageSchema(ImageViewSchema),
});

export const ImageById = query({
  name: 'containers.ImageById',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ imageId: idOf('image') }),
  result: ImageViewSchema.nullable(),
});

export const Nodes = query({
  name: 'containers.Nodes',
  access: 'staff',
  right: 'platform.read',
  input: z.strictObject({
    page: PageArgsSchema,
    location: z.string().max(40).optional(),
    label: z.string().max(60).optional(),
    drained: z.boolean().optional(),
  }),
  result: pageSchema(NodeViewSchema),
});

export const NodeById = query({
  name: 'containers.NodeById',
  access: 'staff',
  right: 'platform.read',
  input: z.strictObject({ nodeId: idOf('node') }),
  result: NodeViewSchema.nullable(),
});

export const Ranges = query({
  name: 'containers.Ranges',
  access: 'staff',
  right: 'platform.read',
  input: z.strictObject({
    page: PageArgsSchema,
    family: FamilySchema.optional(),
    location: z.string().max(40).optional(),
  }),
  result: pageSchema(RangeViewSchema),
});

export const RangeById = query({
  name: 'containers.RangeById',
  access: 'staff',
  right: 'platform.read',
  input: z.strictObject({ rangeId: idOf('range') }),
  result: RangeViewSchema.nullable(),
});

/** What a reconciliation would act upon, of one node or of all: its dry run. */
export const Differences = query({
  name: 'containers.Differences',
  access: 'staff',
  right: 'platform.read',
  input: z.strictObject({ page: PageArgsSchema, nodeId: idOf('node').optional() }),
  result: pageSchema(DifferenceViewSchema),
});

/** Instances that are nobody's where they are. Nothing destroys them but staff on the node. */
export const StrayInstances = query({
  name: 'containers.StrayInstances',
  access: 'staff',
  right: 'platform.read',
  input: z.strictObject({ page: PageArgsSchema, nodeId: idOf('node').optional() }),
  result: pageSchema(StrayViewSchema),
});

/** What is held at this moment over all tenants: all zero when every order has ended and been undone. */
export const Leftovers = query({
  name: 'containers.Leftovers',
  access: 'staff',
  right: 'platform.read',
  input: z.strictObject({}),
  result: z.object({
    leases: z.number().int(),
    placements: z.number().int(),
    rosterEntries: z.number().int(),
    unansweredInstructions: z.number().int(),
  }),
});

export const ContainerHistory = query({
  name: 'containers.ContainerHistory',
  access: 'tenant',
  right: 'history.read',
  input: z.strictObject({ containerId: idOf('container'), page: HistoryArgsSchema }),
  result: HistoryPageSchema.nullable(),
});

/** What changed about a container, for who follows it. Null: there is none, or it is out of reach. */
export const ContainerChanges = query({
  name: 'containers.ContainerChanges',
  access: 'tenant',
  right: 'containers.read',
  input: z.strictObject({ containerId: idOf('container'), page: ChangesArgsSchema }),
  result: ChangesSchema.nullable(),
});

export const NodeHistory = query({
  name: 'containers.NodeHistory',
  access: 'staff',
  right: 'platform.read',
  input: z.strictObject({ nodeId: idOf('node'), page: HistoryArgsSchema }),
  result: HistoryPageSchema.nullable(),
});

/** Of a published image for everybody, by audience; of others for the staff. */
export const ImageHistory = query({
  name: 'containers.ImageHistory',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ imageId: idOf('image'), page: HistoryArgsSchema }),
  result: HistoryPageSchema.nullable(),
});

/** What changed about a node. Null: there is none. */
export const NodeChanges = query({
  name: 'containers.NodeChanges',
  access: 'staff',
  right: 'platform.read',
  input: z.strictObject({ nodeId: idOf('node'), page: ChangesArgsSchema }),
  result: ChangesSchema.nullable(),
});

/** What changed about an image. Null: there is none, or it is not published and for the staff. */
export const ImageChanges = query({
  name: 'containers.ImageChanges',
  access: 'tenant',
  right: 'account.read',
  input: z.strictObject({ imageId: idOf('image'), page: ChangesArgsSchema }),
  result: ChangesSchema.nullable(),
});
