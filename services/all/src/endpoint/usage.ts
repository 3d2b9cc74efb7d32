/**
 * From a node's report of use to the trees it concerns: containers knows whose each container is,
 * quotas records it. A report that comes again is recorded once.
 */
import { SubjectsOfUsage } from '@bivouac/containers/api';
import type { NodeEndpointOptions } from '@bivouac/containers';
import type { UsageMessage } from '@bivouac/events/node';
import { RecordUsage } from '@bivouac/quotas/api';

type RecordsUsage = NonNullable<NodeEndpointOptions['recordUsage']>;

/** Hours of which earlier parts are remembered, over all nodes. */
const MOST_REMEMBERED = 10_000;

export function usageRecorder(
  asked: Pick<NodeEndpointOptions, 'command' | 'query' | 'log' | 'newId'>,
): RecordsUsage {
  /** By meter and hour: trees of the parts that have come, so that the last part completes them too. */
  const earlier = new Map<string, Set<string>>();

  return async (nodeId, report) => {
    const { meterId, hour, part, parts, usage } = report;
    const key = `${meterId}/${hour}`;
    const complete = part === parts - 1;
    const subjects = await asked.query(nodeId, SubjectsOfUsage, {
      nodeId,
      containerIds: usage.map(({ containerId }) => containerId),
      homeIds: complete ? [...(earlier.get(key) ?? [])] : [],
    });
    if (!subjects.ok) return subjects;
    const { containers, homes } = subjects.result;
    const foreign = usage.length - containers.length;
    if (foreign > 0) asked.log('warn', { nodeId, hour, foreign }, 'use of containers never there');

    let refused: Awaited<ReturnType<RecordsUsage>> | undefined;
    const whose = new Map(containers.map((one) => [one.containerId, one]));
    for (const { homeId, nodes } of homes) {
      const entries = usage.flatMap((entry) => {
        const owner = whose.get(entry.containerId);
        return owner?.homeId === homeId ? [{ ...entry, tenantId: owner.tenantId }] : [];
      });
      const reply = await asked.command(
        nodeId,
        RecordUsage,
        { ...facts(report), homeId, nodeId, entries, complete, concerned: nodes },
        // It is idempotent by what it names; the nodes concerned may be others at a repeat.
        asked.newId(),
      );
      if (reply.ok) continue;
      if (reply.refusal.retryable === true) return reply;
      // One tree's is no reason to lose the others'.
      refused ??= reply;
    }
    if (refused !== undefined) return refused;
    remember(key, complete, homes);
    return { ok: true };
  };

  function remember(key: string, complete: boolean, homes: readonly { homeId: string }[]): void {
    if (complete) {
      earlier.delete(key);
      return;
    }
    const seen = earlier.get(key) ?? new Set();
    for (const { homeId } of homes) seen.add(homeId);
    earlier.set(key, seen);
    const [oldest] = earlier.keys();
    if (earlier.size > MOST_REMEMBERED && oldest !== undefined) earlier.delete(oldest);
  }
}

function facts({ meterId, hour, part, samples, samplesDigest }: UsageMessage) {
  return { meterId, hour, part, samples, samplesDigest };
}
