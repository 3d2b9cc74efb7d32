/** The agent of a node of this installation's own: let in as any other is, and enrolled here. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

import {
  type Agent,
  type AgentOptions,
  type Dial,
  enteringAs,
  IdentityError,
  NotAdmitted,
  type OpenedNode,
  openIdentity,
  startAgent,
  startMetering,
} from '@bivouac/agent';
import type { NodeGate } from '@bivouac/containers';
import { OpenNodeEnrolment } from '@bivouac/containers/api';
import type { ServiceCaller } from '@bivouac/events/language';
import { type Clock, RuntimeError, systemPrincipal } from '@bivouac/infra/runtime';

interface Provider {
  readonly tenantId: string;
  readonly homeId: string;
}

export interface OwnAgentOptions {
  readonly host: ServiceCaller;
  readonly provider: Provider;
  readonly nodeId: string;
  readonly folder: string;
  readonly node: OpenedNode;
  /** How the endpoint is reached: by a socket, or {@link throughGate}. */
  readonly dial: Dial;
  readonly clock: Clock;
  readonly metering: { readonly clock: Clock; readonly everyMs: number };
  readonly log: AgentOptions['log'];
}

/** Reaches the endpoint of this process. */
export function throughGate(gate: NodeGate): Dial {
  return ({ message, closed }) => {
    const connection = gate.accept((told) => {
      message(told);
      if (told.type === 'closing') closed(told.message);
    });
    return Promise.resolve({
      send: (said) => {
        connection.receive(said);
      },
      close: () => {
        connection.close();
      },
    });
  };
}

/**
 * Starts the agent of a node of this installation's own: it has a key like any other, which is enrolled
 * here where the endpoint knows none. Undefined where staff have revoked it: the node stays out.
 */
export async function ownAgent(options: OwnAgentOptions): Promise<Agent | undefined> {
  const { host, provider, nodeId, folder, node, dial, clock, log } = options;
  const metering = await startMetering({
    driver: node.driver,
    folder: join(folder, 'usage'),
    ...options.metering,
    newId: randomUUID,
    log,
  });
  const start = async (token?: string): Promise<Agent> => {
    const identity = await openIdentity({ folder: join(folder, 'identity'), token });
    const connect = enteringAs(identity, dial);
    return startAgent({ nodeId, ...node, metering, clock, connect, random: Math.random, log });
  };
  try {
    return await start().catch(async (error: unknown) => {
      const none =
        (error instanceof IdentityError && error.code === 'identity-missing') ||
        (error instanceof NotAdmitted && error.reason === 'not-enrolled');
      if (!none) throw error;
      return start(await enrolment(nodeId, host, provider));
    });
  } catch (error) {
    await metering.stop();
    await node.fence.close();
    await node.driver.close();
    if (!(error instanceof NotAdmitted) || error.reason !== 'revoked') throw error;
    log('error', { nodeId }, error.message);
    return undefined;
  }
}

async function enrolment(
  nodeId: string,
  host: ServiceCaller,
  { tenantId, homeId }: Provider,
): Promise<string> {
  const reply = await host.command(
    OpenNodeEnrolment,
    { nodeId, validSeconds: 60 },
    {
      principal: systemPrincipal('system:nodes', tenantId, homeId),
      // The token is in the first reply only, so each is a wish of its own.
      idempotencyKey: `enrolment:${randomUUID()}`,
    },
  );
  const token = reply.ok ? reply.result.token : null;
  if (token !== null) return token;
  throw new RuntimeError('misconfigured', `The node ${nodeId} cannot be enrolled.`);
}
