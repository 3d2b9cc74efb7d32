/** What a set and its processes say to each other. */
import { z } from 'zod';

/** What a process can be: the log's server, a part of the system, or the machine of all nodes. */
export const RoleSchema = z.enum([
  ...(['store', 'relay', 'gateway', 'endpoint', 'nodes'] as const),
  ...(['accounts', 'containers', 'quotas', 'packages', 'billing'] as const),
  ...(['provisioning', 'audit'] as const),
]);
export type Role = z.output<typeof RoleSchema>;

/** From the set; each gets one answer. */
export const RequestSchema = z.discriminatedUnion('type', [
  /** Become this part, with these settings as the environment would have them. */
  z.object({
    type: z.literal('start'),
    role: RoleSchema,
    settings: z.record(z.string(), z.string()),
    /** For the nodes: where agents connect, the replicas of the endpoint. */
    endpoints: z.array(z.string()),
    now: z.number(),
  }),
  z.object({ type: z.literal('clock'), now: z.number() }),
  /** Answer when what is yours has come to rest. */
  z.object({ type: z.literal('settle') }),
  z.object({ type: z.literal('dump') }),
  z.object({ type: z.literal('rebuild') }),
  z.object({ type: z.literal('subscriptions') }),
  z.object({ type: z.literal('end-subscriptions') }),
  z.object({ type: z.literal('instances') }),
  /** In order. The process stays, to become another part. */
  z.object({ type: z.literal('stop') }),
]);
export type Request = z.output<typeof RequestSchema>;

export const ToProcessSchema = z.object({ id: z.number(), request: RequestSchema });
export type ToProcess = z.output<typeof ToProcessSchema>;

export const FromProcessSchema = z.union([
  z.object({ id: z.number(), answer: z.unknown() }),
  z.object({ id: z.number(), refused: z.string() }),
  /** Something that must run has stopped. */
  z.object({ failed: z.string() }),
]);
export type FromProcess = z.output<typeof FromProcessSchema>;

/** The answer to `start`: where it is called. */
export const StartedSchema = z.object({
  url: z.string(),
  /** Of the endpoint: where agents connect. */
  endpoint: z.string().optional(),
  /** Of the nodes: those that are connected. */
  nodes: z.array(z.object({ nodeId: z.string(), name: z.string() })).optional(),
});
export type Started = z.output<typeof StartedSchema>;

/** The answer to `settle`. */
export const SettledSchema = z.object({
  /** Partitions that its reactions had; absent: it has none. */
  partitions: z.array(z.number()).optional(),
});
export type Settled = z.output<typeof SettledSchema>;

export const DumpedSchema = z.object({ sha256: z.string() });
export const CountSchema = z.object({ count: z.number() });
