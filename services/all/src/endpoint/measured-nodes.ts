/** Which nodes are connected to this endpoint, and how long those are away that were. */
import type { NodeEndpoint } from '@bivouac/containers';
import type { Clock, Metrics } from '@bivouac/infra/runtime';

/** Measures from now on; answers how to end that. A node is heard whenever a scrape finds it connected. */
export function measureNodes(
  endpoint: Pick<NodeEndpoint, 'connected'>,
  clock: Pick<Clock, 'now'>,
  metrics: Metrics,
): () => void {
  const heardAt = new Map<string, number>();
  return metrics.onScrape('nodes', () => {
    const now = clock.now();
    for (const nodeId of endpoint.connected()) heardAt.set(nodeId, now);
    for (const [node, at] of heardAt) {
      metrics.gauge('node_last_heard_seconds', { node }).set(Math.max(0, now - at) / 1000);
    }
  });
}
