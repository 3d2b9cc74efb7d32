/** Where everything was terminated, nobody holds anything any more, and nothing is charged. */
import type { Instance } from './engines.ts';
import type { Standing } from './standing.ts';

export function leftViolations(standing: Standing, instances: readonly Instance[]): string[] {
  const { reservations, leases, placements, roster, subscriptions, containers } = standing;
  const left: Readonly<Record<string, readonly string[]>> = {
    reservation: [...reservations.keys()],
    lease: [...leases.keys()],
    placement: [...placements.keys()],
    'roster entry': [...roster],
    'charge of': subscriptions.filter(({ open }) => open).map(({ containerId }) => containerId),
    'server of': instances.map(({ containerId }) => containerId),
    container: [...containers.values()]
      .filter(({ lifecycle }) => lifecycle !== 'gone')
      .map(({ containerId }) => containerId),
  };
  return Object.entries(left).flatMap(([what, ids]) =>
    ids.map((id) => `the ${what} ${id} is left over`),
  );
}
