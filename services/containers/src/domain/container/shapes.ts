/** What goes out of a container's state: the input of a step, the result of an ask. */
import { type Step, stepInputs } from '@bivouac/events/node';

import type { ContainerState, Waiting } from './state.ts';

const STOP_GRACE_SECONDS = 10;

/** Shapes as `asks` has them. */
export function resultOf(state: ContainerState, { name }: Waiting): Record<string, unknown> {
  switch (name) {
    case 'containers.build':
      return { runningAt: state.runningAt };
    case 'containers.resize':
      return { resizedAt: state.resizedAt };
    case 'containers.remove-addresses':
      return givenUp(state, state.removal?.leaseIds ?? []);
    case 'containers.destroy':
      return {
        ...(state.place === undefined
          ? {}
          : { placementId: state.place.placementId, nodeId: state.place.nodeId }),
        reservationIds: [...reservationsOf(state)],
        addresses: state.addresses,
        location: state.place?.location ?? '',
      };
    default:
      return {};
  }
}

/** What is to be given back of leases that were removed, however often it is asked for. */
function givenUp(state: ContainerState, leaseIds: readonly string[]): Record<string, unknown> {
  const gone = leaseIds.flatMap((leaseId) => state.removed.get(leaseId) ?? []);
  const inUse = reservationsOf(state);
  const idle = gone.flatMap(({ reservationId }) =>
    reservationId === undefined || inUse.has(reservationId) ? [] : reservationId,
  );
  return {
    addresses: gone.map(({ address }) => address),
    location: state.place?.location ?? '',
    reservationIds: [...new Set(idle)],
  };
}

/** By which quota it is there, or was when it was destroyed. */
export function reservationsOf(state: ContainerState): Set<string> {
  const reservations = new Set(state.extras.values());
  if (state.reservationId !== undefined) reservations.add(state.reservationId);
  return reservations;
}

export function inputOf(step: Step, state: ContainerState): Record<string, unknown> {
  const { hostname, plan, image, removal, resizing } = state;
  const addresses = [...state.addresses, ...state.attaching]
    .filter(({ leaseId }) => removal?.leaseIds.includes(leaseId) !== true)
    .map(({ address, family }) => ({ address, family }));
  switch (step) {
    case 'build':
      return stepInputs.build.parse({
        image: image && { digest: image.digest, name: image.name, source: image.source },
        limits: plan?.limits,
        hostname,
        addresses,
      });
    case 'network':
      return stepInputs.network.parse({ hostname, addresses });
    case 'limits':
      return stepInputs.limits.parse({ limits: (resizing?.plan ?? plan)?.limits });
    case 'packages':
      return stepInputs.packages.parse({ transaction: state.packaging?.transaction });
    case 'stop':
      return { graceSeconds: STOP_GRACE_SECONDS };
    case 'start':
    case 'freeze':
    case 'thaw':
    case 'destroy':
      return {};
  }
}
