/** Calls of the services as a node: what its agent reports is recorded in its name. */
import { PROVIDER_ID } from '@bivouac/events/accounts';
import type { Principal, ServiceCaller } from '@bivouac/events/language';

import type { NodeEndpointOptions } from './node-endpoint-options.ts';

/** What a node endpoint calls the services by, wherever they are. */
export function nodeCalls(caller: ServiceCaller): Pick<NodeEndpointOptions, 'command' | 'query'> {
  return {
    command: (nodeId, contract, input, idempotencyKey, because) =>
      caller.command(contract, input, { principal: asNode(nodeId), idempotencyKey, ...because }),
    query: (nodeId, contract, input, atLeast) =>
      caller.query(contract, input, { principal: asNode(nodeId), atLeast }),
  };
}

function asNode(nodeId: string): Principal {
  return {
    id: `node:${nodeId}`,
    kind: 'node',
    tenantId: PROVIDER_ID,
    homeId: PROVIDER_ID,
    reach: 'all',
    rights: 'all',
    audience: 'staff',
  };
}
