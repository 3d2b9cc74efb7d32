/**
 * The protocol between an agent and the node endpoint: JSON values over one outbound connection of
 * the agent, parsed on both sides. The agent says hello; it is sent its queue of unanswered
 * instructions and each new one; it answers each, and reports what it sees.
 *
 * An instruction may come more than once (after a reconnect, from another replica): its id is the
 * same and the agent's fence repeats its first answer. An answer may be sent more than once: only
 * the first counts. Order holds within a container.
 */
import { z } from 'zod';

import { idOf, InstantSchema, UInt64Schema } from '../values/index.ts';
import { NodePackageReportSchema } from './package-report.ts';
import { stepInputs } from './steps.ts';
import { UsageMessageSchema, UsageNotedSchema } from './usage.ts';

/** The version of this protocol. An endpoint refuses an agent of another one. */
export const NODE_PROTOCOL = 1;

const containerId = idOf('container');
const instructionId = idOf('instruction');
const generation = z.number().int().min(0);
export const ObservedStateSchema = z.enum(['absent', 'stopped', 'running', 'frozen', 'error']);
export type ObservedState = z.output<typeof ObservedStateSchema>;

/** What a node has and can do, found out feature by feature. Bytes as decimal strings. */
export const NodeInventorySchema = z.strictObject({
  engine: z.string().max(80),
  engineVersion: z.string().max(80),
  kernel: z.string().max(200),
  cpuMillis: z.number().int().min(0),
  memoryBytes: UInt64Schema,
  diskBytes: UInt64Schema,
  features: z.array(z.string().max(60)).max(200),
});
export type NodeInventory = z.output<typeof NodeInventorySchema>;

/** As W3C Trace Context has it. */
const TraceparentSchema = z.string().max(200);

const observation = { containerId, generation, state: ObservedStateSchema };

/** From the agent to the endpoint. */
export const AgentMessageSchema = z.discriminatedUnion('type', [
  /** First on every connection. */
  z.strictObject({
    type: z.literal('hello'),
    nodeId: idOf('node'),
    protocol: z.number().int(),
    inventory: NodeInventorySchema,
    /** It takes part in traces: it may be told `traceparent`, and tells it with answers. */
    traces: z.literal(true).optional(),
  }),
  /** What became of an instruction. `refused`: the fence did (old generation, too late). */
  z.strictObject({
    type: z.literal('answer'),
    containerId,
    instructionId,
    outcome: z.enum(['done', 'refused', 'failed']),
    message: z.string().max(2000).optional(),
    /** Of a package step that ran, done or failed: what is installed now. */
    packages: NodePackageReportSchema.optional(),
    /** The span of the step, for an instruction that named one. */
    traceparent: TraceparentSchema.optional(),
  }),
  /** One container looks different from what was last reported. */
  z.strictObject({ type: z.literal('observation'), ...observation }),
  /** Everything on the node that carries our mark. */
  z.strictObject({
    type: z.literal('list'),
    instances: z.array(z.strictObject(observation)).max(10_000),
  }),
  UsageMessageSchema,
]);
export type AgentMessage = z.output<typeof AgentMessageSchema>;

/** An instruction as the agent gets it. Refused by it after `notAfter` and below its generation. */
const instruction = { containerId, instructionId, generation, notAfter: InstantSchema };
const step = <S extends keyof typeof stepInputs>(name: S) =>
  z.strictObject({ step: z.literal(name), input: stepInputs[name], ...instruction });

export const InstructionSchema = z.discriminatedUnion('step', [
  step('build'),
  step('start'),
  step('stop'),
  step('freeze'),
  step('thaw'),
  step('limits'),
  step('network'),
  step('packages'),
  step('destroy'),
]);
export type Instruction = z.output<typeof InstructionSchema>;

/** Why the endpoint ends a connection; the last four are of the handshake (`handshake.ts`) or of staff. */
export const ClosingReasonSchema = z.enum([
  'replaced',
  'protocol',
  'unknown-node',
  'trouble',
  'shutdown',
  'wrong-key',
  'revoked',
  'not-enrolled',
  'enrolment',
]);
export type ClosingReason = z.output<typeof ClosingReasonSchema>;

/** From the endpoint to the agent. */
export const EndpointMessageSchema = z.discriminatedUnion('type', [
  /** The answer to hello; the queue follows. */
  z.strictObject({ type: z.literal('welcome'), protocol: z.number().int() }),
  z.strictObject({
    type: z.literal('instruct'),
    instruction: InstructionSchema,
    /** The span in which it was sent; to agents that take part in traces alone. */
    traceparent: TraceparentSchema.optional(),
  }),
  /** The answer is durable (or was not wanted any more): the agent need not send it again. */
  z.strictObject({ type: z.literal('noted'), instructionId }),
  UsageNotedSchema,
  /**
   * The last message of a connection. `replaced`: a newer connection of the node was made, do not
   * come back by this one. `trouble` and `shutdown`: come back and get the queue again. Any other:
   * coming back will not help before somebody changes something.
   */
  z.strictObject({
    type: z.literal('closing'),
    reason: ClosingReasonSchema,
    message: z.string().max(2000),
  }),
]);
export type EndpointMessage = z.output<typeof EndpointMessageSchema>;
