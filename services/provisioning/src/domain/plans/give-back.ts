/** Giving back what a container no longer holds: leases, its place, reservations. */
import type { AskResult } from '@bivouac/events/operations';

import { settle, type StepPlan } from './plan.ts';

type Held = Omit<AskResult<'containers.destroy'>, 'placementId' | 'nodeId'> &
  Pick<AskResult<'containers.destroy'>, 'placementId' | 'nodeId'>;

/** The steps that follow `after`, all at once; `prefix` is what their names begin with. */
export function giveBack(after: string, held: Held, prefix = ''): StepPlan[] {
  const steps: StepPlan[] = [];
  for (const family of ['ipv4', 'ipv6'] as const) {
    const addresses = held.addresses.filter((address) => address.family === family);
    if (addresses.length === 0) continue;
    const leaseIds = addresses.map((address) => address.leaseId);
    const { location } = held;
    steps.push(
      settle(`${prefix}unlease-${family}`, 'containers.unlease', [after], () => ({
        leaseIds,
        addresses,
        location,
        family,
      })),
    );
  }
  const { placementId, nodeId } = held;
  if (placementId !== undefined) {
    steps.push(
      settle(`${prefix}unplace`, 'containers.unplace', [after], () => ({
        placementId,
        ...(nodeId === undefined ? {} : { nodeId }),
      })),
    );
  }
  held.reservationIds.forEach((reservationId, index) => {
    steps.push(
      settle(`${prefix}release-${index + 1}`, 'quotas.release', [after], () => ({ reservationId })),
    );
  });
  return steps;
}
