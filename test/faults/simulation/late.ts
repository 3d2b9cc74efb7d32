/**
 * What was given up is not taken later: neither a reservation nor a place nor an address for an operation
 * that has failed or was cancelled, however late whoever was asked for it wakes.
 */
import { AddressLeased, NodeCapacityTaken } from '@bivouac/events/containers';
import { Reserved, TransferReserved } from '@bivouac/events/quotas';
import { endOf } from '@bivouac/all/checks/ends';
import { Causes, type History } from '@bivouac/all/checks/history';

const taking: ReadonlySet<string> = new Set([
  ...[Reserved.type, TransferReserved.type],
  ...[NodeCapacityTaken.type, AddressLeased.type],
]);

export function lateViolations(history: History): string[] {
  const causes = new Causes(history);
  const over = new Map<string, string>();
  const violations: string[] = [];
  for (const event of history) {
    const end = endOf(event);
    if (end?.outcome === 'failed' || end?.outcome === 'cancelled') {
      over.set(end.operationId, end.outcome);
    }
    if (!taking.has(event.type)) continue;
    const operationId = causes.operationOf(event);
    const outcome = operationId === undefined ? undefined : over.get(operationId);
    if (operationId === undefined || outcome === undefined) continue;
    violations.push(`${event.type} at ${event.position} is for ${operationId}, which ${outcome}`);
  }
  return violations;
}
