/**
 * The node endpoint: what an agent's connection talks to, in process or over a socket. It keeps no
 * truth: a node's queue is a query, an answer is a command, so any replica can serve any agent.
 *
 * The host wires it with functions (see {@link NodeEndpointOptions}) and calls {@link
 * NodeEndpoint.connect} for each connection whose node it has authenticated (`node-gate.ts` does). A newer connection of a
 * node closes the older one. Within a container order is kept; containers go on side by side.
 */
import type { EndpointMessage } from '@bivouac/events/node';

import { Connection } from './node-connection.ts';
import type { NodeConnection, NodeEndpointOptions } from './node-endpoint-options.ts';

export type { NodeConnection, NodeEndpointOptions } from './node-endpoint-options.ts';

export interface NodeEndpoint {
  /** `send` gets JSON values; after one of type `closing` no more come. */
  connect(
    nodeId: string,
    /** A promise is waited for, between pages of the queue, until the message has left. */
    send: (message: EndpointMessage) => void | Promise<void>,
  ): NodeConnection;
  /** Nodes that have said hello here and are connected. */
  connected(): readonly string[];
  /** Tells every agent to come back, and takes nothing more; ends when what was taken is recorded. */
  close(): Promise<void>;
}

export function nodeEndpoint(options: NodeEndpointOptions): NodeEndpoint {
  const connections = new Map<string, Connection>();
  const all = new Set<Connection>();
  const unsubscribe = options.onNewInstruction((nodeId, position) => {
    connections.get(nodeId)?.push(position);
  });
  let closed = false;
  return {
    connect(nodeId, send) {
      const connection = new Connection(nodeId, send, options, () => {
        all.delete(connection);
        if (connections.get(nodeId) === connection) connections.delete(nodeId);
      });
      all.add(connection);
      if (closed) {
        connection.end('shutdown', 'This endpoint is stopping; connect to another.');
        return connection;
      }
      connections
        .get(nodeId)
        ?.end('replaced', 'A newer connection of this node was made; it is the one that counts.');
      connections.set(nodeId, connection);
      return connection;
    },
    connected: () => [...connections].filter(([, c]) => c.welcomed).map(([nodeId]) => nodeId),
    async close() {
      closed = true;
      unsubscribe();
      const ending = [...all];
      for (const connection of ending) {
        connection.end('shutdown', 'This endpoint is stopping; connect again.');
      }
      await Promise.all(ending.map((connection) => connection.settled()));
    },
  };
}
