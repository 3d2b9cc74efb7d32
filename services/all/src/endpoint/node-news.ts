/** What concerns connected nodes, told as it is heard of; also again, after a rebuild. */
import {
  InstructionIssued,
  NodeIdentityRevoked,
  StrayDestructionOrdered,
} from '@bivouac/events/containers';
import { is, type Recorded } from '@bivouac/events/language';

type InstructionListener = (nodeId: string, position?: string) => void;
type RevocationListener = (nodeId: string, publicKey: string) => void;

/** The events that are told of. */
export const nodeNewsEvents = [
  InstructionIssued,
  StrayDestructionOrdered,
  NodeIdentityRevoked,
] as const;

export class NodeNews {
  readonly #listeners = new Set<InstructionListener>();
  readonly #revocations = new Set<RevocationListener>();

  /** Calls back for each new instruction; answers how to end it. */
  readonly onInstruction = (listener: InstructionListener): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Calls back for each key of a node that is revoked; answers how to end it. */
  readonly onRevoked = (listener: RevocationListener): (() => void) => {
    this.#revocations.add(listener);
    return () => this.#revocations.delete(listener);
  };

  /** This has happened. */
  hear(event: Recorded): void {
    if (is(event, InstructionIssued) || is(event, StrayDestructionOrdered)) {
      this.instructed(event.data.nodeId, event.position);
    } else if (is(event, NodeIdentityRevoked)) {
      const { nodeId, publicKey } = event.data;
      if (publicKey === null) return;
      for (const listener of this.#revocations) listener(nodeId, publicKey);
    }
  }

  /** There may be something new for a node. */
  instructed(nodeId: string, position?: string): void {
    for (const listener of this.#listeners) listener(nodeId, position);
  }
}
