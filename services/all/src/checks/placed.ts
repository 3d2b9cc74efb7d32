/** Every container is on a node that had each label its order asked for. */
import { NodeCapacityTaken, NodeLabelled } from '@bivouac/events/containers';
import { is } from '@bivouac/events/language';
import { OperationStarted } from '@bivouac/events/provisioning';

import { Causes, type History } from './history.ts';

export function placementViolations(history: History): string[] {
  const causes = new Causes(history);
  const asked = new Map<string, readonly string[]>();
  const labels = new Map<string, readonly string[]>();
  const violations: string[] = [];
  for (const event of history) {
    if (is(event, NodeLabelled)) labels.set(event.data.nodeId, event.data.labels);
    else if (is(event, OperationStarted)) {
      const { operationId, order } = event.data;
      if (order.kind === 'provision') asked.set(operationId, order.labels ?? []);
    } else if (is(event, NodeCapacityTaken)) {
      const { nodeId, containerId } = event.data;
      const has = labels.get(nodeId) ?? [];
      const lacks = (asked.get(causes.operationOf(event) ?? '') ?? []).filter(
        (label) => !has.includes(label),
      );
      if (lacks.length === 0) continue;
      violations.push(`${containerId} is placed on ${nodeId}, which is not ${lacks.join(', ')}`);
    }
  }
  return violations;
}
