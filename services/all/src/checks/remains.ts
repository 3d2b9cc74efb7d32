/**
 * An order that failed has left nothing behind, and nothing is held for what is gone: no reservation,
 * lease, place, hold, charge or roster entry without somebody who uses it.
 */
import { isThere } from './charges.ts';
import { type Held, type Standing, told } from './standing.ts';

export function remainViolations(standing: Standing): string[] {
  const { reservations, leases, placements } = standing;
  const kinds = { reservation: reservations, lease: leases, placement: placements } as const;
  const violations: string[] = [];
  for (const [kind, held] of Object.entries(kinds)) {
    for (const [id, one] of held) {
      const why = unused(standing, one);
      if (why !== undefined) violations.push(`the ${kind} ${id} is still held: ${why}`);
    }
  }
  for (const containerId of standing.roster) {
    const container = standing.containers.get(containerId);
    if (isThere(container) || standing.waits(containerId)) continue;
    violations.push(
      `the roster still has ${containerId}, which is ${standing.toldOf(containerId)}`,
    );
  }
  return [...violations, ...ofFailedOrders(standing)];
}

/** Why nobody uses it; undefined where somebody does, or where a person has to look anyway. */
function unused(standing: Standing, { by, containerId }: Held): string | undefined {
  const operation = by === undefined ? undefined : standing.operations.get(by);
  if (operation === undefined) return 'no operation is known to have taken it';
  const { operationId, kind, outcome, targetId } = operation;
  if (outcome === 'failed' || outcome === 'cancelled') return `${kind} ${operationId} ${outcome}`;
  const taken = `(taken by ${told(operation)})`;
  if (outcome === 'needs-attention' || standing.waits(targetId)) return undefined;
  const container = standing.containers.get(containerId ?? targetId);
  if (container === undefined) return `${containerId ?? targetId} never was ${taken}`;
  return container.lifecycle === 'gone' ? `${container.containerId} is gone ${taken}` : undefined;
}

/** What only the order's end tells. */
function* ofFailedOrders(standing: Standing): Generator<string> {
  const { operations, containers } = standing;
  for (const { operationId, kind, outcome, targetId } of operations.values()) {
    if (outcome !== 'failed' && outcome !== 'cancelled') continue;
    const what = `${kind} ${operationId} ${outcome}`;
    const container = containers.get(targetId);
    if (kind === 'provision') {
      const charged = standing.charging(targetId);
      if (charged.some(({ open }) => open)) yield `${what}, and ${targetId} is charged`;
      else if (charged.some(({ voided }) => !voided)) yield `${what}, and ${targetId} was charged`;
      if (container !== undefined && container.lifecycle !== 'gone') {
        yield `${what}, and ${targetId} is ${container.lifecycle}`;
      }
    }
    if (container === undefined || container.lifecycle === 'gone') continue;
    for (const [holdId, by] of container.holds) {
      if (by === operationId) yield `${what}, and its hold ${holdId} stands`;
    }
  }
}
