/** What the node endpoint has done and asks, for the agents connected to it. */
import {
  NodePublicKeySchema,
  StrayReasonSchema,
  TokenDigestSchema,
} from '@bivouac/events/containers';
import { command, query } from '@bivouac/events/language';
import {
  InstructionSchema,
  NodeInventorySchema,
  NodePackageReportSchema,
  ObservedStateSchema,
} from '@bivouac/events/node';
import { idOf, InstantSchema } from '@bivouac/events/values';
import { z } from 'zod';

/**
 * What a node answered. Of an instruction that is not (or no longer) the container's unanswered one
 * nothing is recorded. Refused: CONTAINER_UNKNOWN, INSTRUCTION_FOREIGN (of another node).
 */
export const ReportAnswer = command({
  name: 'containers.ReportAnswer',
  access: 'internal',
  input: z.strictObject({
    nodeId: idOf('node'),
    containerId: idOf('container'),
    instructionId: idOf('instruction'),
    outcome: z.enum(['done', 'refused', 'failed']),
    message: z.string().max(2000).optional(),
    /** With the answer to a package step: what became of the packages, and all there are now. */
    packages: NodePackageReportSchema.optional(),
  }),
  result: z.strictObject({}),
});

/**
 * What a node sees. Recorded only where it differs from what was seen last and is neither of another
 * node nor of an older generation. Refused: CONTAINER_UNKNOWN.
 */
export const ReportObservation = command({
  name: 'containers.ReportObservation',
  access: 'internal',
  input: z.strictObject({
    nodeId: idOf('node'),
    containerId: idOf('container'),
    generation: z.number().int().min(0),
    state: ObservedStateSchema,
  }),
  result: z.strictObject({}),
});

/** What a node says it has and can do; recorded where it changed. Refused: NODE_UNKNOWN. */
export const ReportInventory = command({
  name: 'containers.ReportInventory',
  access: 'internal',
  input: z.strictObject({ nodeId: idOf('node'), inventory: NodeInventorySchema }),
  result: z.strictObject({}),
});

/**
 * Makes a key the node's, by an open token. Refused: NODE_UNKNOWN, ENROLMENT_NOT_OPEN,
 * ENROLMENT_EXPIRED, NODE_KEY_REVOKED.
 */
export const EnrolNode = command({
  name: 'containers.EnrolNode',
  access: 'internal',
  input: z.strictObject({
    nodeId: idOf('node'),
    publicKey: NodePublicKeySchema,
    tokenDigest: TokenDigestSchema,
  }),
  result: z.strictObject({}),
});

/** Whom to take for a node; null where none such is registered. */
export const IdentityOfNode = query({
  name: 'containers.IdentityOfNode',
  access: 'internal',
  input: z.strictObject({ nodeId: idOf('node') }),
  result: z
    .object({
      /** Null: none is enrolled. */
      publicKey: NodePublicKeySchema.nullable(),
      revokedKeys: z.array(NodePublicKeySchema),
    })
    .nullable(),
});

/** An instance that is nobody's there; `absent`: not any more. Refused: NODE_UNKNOWN. */
export const ReportStray = command({
  name: 'containers.ReportStray',
  access: 'internal',
  input: z.strictObject({
    nodeId: idOf('node'),
    containerId: idOf('container'),
    generation: z.number().int().min(0),
    state: ObservedStateSchema,
    why: StrayReasonSchema,
  }),
  result: z.strictObject({}),
  route: ({ nodeId }) => nodeId,
});

/** What a node answered to the destruction of a stray. Of another instruction nothing is recorded. */
export const ReportStrayAnswer = command({
  name: 'containers.ReportStrayAnswer',
  access: 'internal',
  input: z.strictObject({
    nodeId: idOf('node'),
    containerId: idOf('container'),
    instructionId: idOf('instruction'),
    outcome: z.enum(['done', 'refused', 'failed', 'timed-out']),
    message: z.string().max(2000).optional(),
  }),
  result: z.strictObject({}),
  route: ({ nodeId }) => nodeId,
});

/** What should be on a node, and what was seen there that should not: to be told from a full list. */
export const InstancesOfNode = query({
  name: 'containers.InstancesOfNode',
  access: 'internal',
  input: z.strictObject({
    nodeId: idOf('node'),
    /** Only containers that had run before. */
    ranBefore: InstantSchema,
    after: z.string().max(500).optional(),
    limit: z.number().int().min(1).max(500).default(500),
  }),
  result: z.object({
    items: z.array(
      z.object({
        cursor: z.string(),
        containerId: idOf('container'),
        generation: z.number().int(),
        /** `stray`: seen there and nobody's. `other`: may be there or not. */
        what: z.enum(['expected', 'stray', 'other']),
      }),
    ),
    end: z.boolean(),
  }),
});

/** A node's queue: its unanswered instructions, oldest first. */
export const InstructionsForNode = query({
  name: 'containers.InstructionsForNode',
  access: 'internal',
  input: z.strictObject({
    nodeId: idOf('node'),
    /** Exclusive: continue behind this position. */
    after: z.string().max(500).optional(),
    limit: z.number().int().min(1).max(500).default(200),
  }),
  result: z.object({
    /** Whether such a node is registered. */
    known: z.boolean(),
    items: z.array(
      z.object({
        cursor: z.string(),
        instruction: InstructionSchema,
        /** It is about a stray: its answer is the node's own, no container's. */
        stray: z.boolean(),
        /** The event that it comes from, and the request behind that. */
        cause: z.object({ eventId: z.string(), correlationId: z.string() }).optional(),
      }),
    ),
    end: z.boolean(),
  }),
});

/** Whose containers a node reports the use of; those it never had are not in the answer. */
export const SubjectsOfUsage = query({
  name: 'containers.SubjectsOfUsage',
  access: 'internal',
  input: z.strictObject({
    nodeId: idOf('node'),
    containerIds: z.array(idOf('container')).max(500),
    /** Trees of earlier parts of the same report. */
    homeIds: z.array(idOf('tenant')).max(10_000),
  }),
  result: z.object({
    containers: z.array(
      z.object({
        containerId: idOf('container'),
        tenantId: idOf('tenant'),
        homeId: idOf('tenant'),
      }),
    ),
    /** The nodes that have containers of each tree; null where there are too many to look at. */
    homes: z.array(z.object({ homeId: idOf('tenant'), nodes: z.array(idOf('node')).nullable() })),
  }),
});
