/** What the host hands to the node endpoint, and what it gets for each connection of an agent. */
import type {
  CommandContract,
  CommandReply,
  QueryContract,
  QueryReply,
  Refusal,
} from '@bivouac/events/language';
import type { UsageMessage } from '@bivouac/events/node';
import type { Clock } from '@bivouac/infra/runtime';
import type { z } from 'zod';

/** The request behind a command, and the event that has led to it. */
export interface Because {
  readonly correlationId: string;
  readonly causationId: string;
}

export interface NodeEndpointOptions {
  /** Runs a command as the node: principal `{id: 'node:<id>', kind: 'node', reach: 'all'}`. */
  readonly command: <I extends z.ZodType, R extends z.ZodType>(
    nodeId: string,
    contract: CommandContract<I, R>,
    input: z.input<I>,
    idempotencyKey: string,
    /** What it comes of, where that is known. */
    because?: Because,
  ) => Promise<CommandReply<z.output<R>>>;
  /** Asks as the node. `atLeast`: a position that the answer must have seen. */
  readonly query: <I extends z.ZodType, R extends z.ZodType>(
    nodeId: string,
    contract: QueryContract<I, R>,
    input: z.input<I>,
    atLeast?: string,
  ) => Promise<QueryReply<z.output<R>>>;
  /**
   * Calls back for each `containers.InstructionIssued` and `StrayDestructionOrdered`, with the node's id and the event's position.
   * From the view's follower (in any replica), or from the bus; early, late and double calls do no
   * harm. Answers a function that ends it.
   */
  readonly onNewInstruction: (listener: (nodeId: string, position?: string) => void) => () => void;
  /**
   * Records what the containers of a node used. `noted`: it is durable, or not wanted. Where nobody
   * records it, reports are noted as they come.
   */
  readonly recordUsage?: (
    nodeId: string,
    report: UsageMessage,
  ) => Promise<{ readonly ok: true } | { readonly ok: false; readonly refusal: Refusal }>;
  readonly clock: Clock;
  /** Unique text, for the keys of observations, which may recur. */
  readonly newId: () => string;
  readonly log: (
    level: 'info' | 'warn' | 'error',
    facts: Record<string, unknown>,
    message: string,
  ) => void;
}

export interface NodeConnection {
  /** Takes a message of the agent, unparsed. */
  receive(message: unknown): void;
  /** Resolves when what was received so far is recorded: whoever sends faster may be made to wait. */
  settled(): Promise<void>;
  /** The agent has left. */
  close(): void;
}
