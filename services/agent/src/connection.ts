/** What an agent has of the endpoint: a connection, or the reason why not. */
import type { AgentMessage, ClosingReason } from '@bivouac/events/node';

/** The agent's one outbound connection. */
export interface EndpointConnection {
  /** Sends a message; the endpoint parses it. */
  send(message: AgentMessage): void;
  close(): void;
}

/**
 * Opens a connection. Every message for the agent goes to `receive`, unparsed; `closed` is called when
 * the connection is lost. Rejects where it does not stand.
 */
export type Connect = (
  receive: (message: unknown) => void,
  closed: (why: string) => void,
) => Promise<EndpointConnection>;

/** The endpoint did not let the agent in. */
export class NotAdmitted extends Error {
  readonly reason: ClosingReason;
  constructor(reason: ClosingReason, message: string) {
    super(message);
    this.name = 'NotAdmitted';
    this.reason = reason;
  }
}
