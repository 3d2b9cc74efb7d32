/**
 * What an agent sees on its node, against what should be there: what is nobody's is recorded as
 * stray, what is missing from a whole list as absent.
 */
import type { ObservedState } from '@bivouac/events/node';

import { InstancesOfNode, ReportStray } from './api/index.ts';
import type { NodeEndpointOptions } from './node-endpoint-options.ts';

/** Why an observation was not wanted, as the container's stream says it. */
const strayReasons = {
  CONTAINER_UNKNOWN: 'unknown',
  INSTANCE_ELSEWHERE: 'elsewhere',
  INSTANCE_OLD: 'old-generation',
  INSTANCE_GONE: 'gone',
} as const;

export interface Seen {
  readonly containerId: string;
  readonly generation: number;
  readonly state: ObservedState;
}

type Why = (typeof strayReasons)[keyof typeof strayReasons];

/** Why an instance is a stray, by the refusal of its observation; undefined where it is none. */
export function strayReason(code: string): Why | undefined {
  return Object.hasOwn(strayReasons, code)
    ? strayReasons[code as keyof typeof strayReasons]
    : undefined;
}

/** Tells the node's stream of a stray, or that it is gone. */
export function reportStray(
  options: NodeEndpointOptions,
  nodeId: string,
  { containerId, generation, state }: Seen,
  why: Why,
) {
  const input = { nodeId, containerId, generation, state, why };
  return options.command(nodeId, ReportStray, input, options.newId());
}

/**
 * What should be on the node, or was a stray there, and is not in this whole list of it.
 *
 * @param ranBefore containers that ran first after this are younger than the list may be.
 */
export async function missingFrom(
  list: readonly Seen[],
  options: NodeEndpointOptions,
  nodeId: string,
  ranBefore: string,
): Promise<{ readonly absent: readonly Seen[]; readonly goneStrays: readonly Seen[] }> {
  const there = new Set(list.map(({ containerId }) => containerId));
  const absent: Seen[] = [];
  const goneStrays: Seen[] = [];
  let after: string | undefined;
  for (;;) {
    const page = { nodeId, ranBefore, ...(after === undefined ? {} : { after }) };
    const reply = await options.query(nodeId, InstancesOfNode, page);
    if (!reply.ok) throw new Error(`the node's instances cannot be read: ${reply.refusal.message}`);
    for (const { containerId, generation, what } of reply.result.items) {
      if (there.has(containerId) || what === 'other') continue;
      const list = what === 'stray' ? goneStrays : absent;
      list.push({ containerId, generation, state: 'absent' });
    }
    if (reply.result.end) return { absent, goneStrays };
    after = reply.result.items.at(-1)?.cursor;
  }
}
