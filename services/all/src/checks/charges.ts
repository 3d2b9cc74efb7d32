/**
 * What runs is paid for and what is paid for runs: the nodes' own files, the containers of the log and
 * the subscriptions are one to one, with the same addresses.
 */
import type { Instance } from './engines.ts';
import type { Container, Standing } from './standing.ts';

export function chargeViolations(standing: Standing, instances: readonly Instance[]): string[] {
  return [
    ...perContainer(standing, instances),
    ...perInstance(standing, instances),
    ...perSubscription(standing),
  ];
}

function* perContainer(standing: Standing, instances: readonly Instance[]): Generator<string> {
  for (const container of standing.containers.values()) {
    const { containerId, lifecycle } = container;
    if (lifecycle === 'gone' || standing.waits(containerId)) continue;
    if (lifecycle === 'being made') yield `${containerId} is neither made nor given up`;
    else yield* ofRunning(standing, container, instances);
  }
}

/** A container that runs, with everything that belongs to it. */
function* ofRunning(
  standing: Standing,
  { containerId, addresses, holds }: Container,
  instances: readonly Instance[],
): Generator<string> {
  const there = instances.filter((instance) => instance.containerId === containerId);
  const placed = [...standing.placements.values()].filter((one) => one.containerId === containerId);
  if (there.length !== 1) yield `${containerId} is on ${there.length} nodes`;
  if (placed.length !== 1) yield `${containerId} has ${placed.length} places on nodes`;
  if (!standing.roster.has(containerId)) yield `${containerId} is in no roster`;

  const [instance] = there;
  const node = standing.nodes.get(placed[0]?.nodeId ?? '');
  if (instance !== undefined) {
    if (instance.node !== node) {
      yield `${containerId} is on ${instance.node} and has its place on ${node ?? 'none'}`;
    }
    const wanted = holds.size > 0 ? 'stopped' : 'running';
    if (instance.state !== wanted) {
      yield `${containerId} is ${instance.state}, with ${holds.size} holds on it`;
    }
  }

  const subscription = standing.subscriptions.get(containerId);
  if (subscription?.open !== true) yield `${containerId} runs and nobody pays for it`;
  const leased = [...standing.leases.values()].filter((one) => one.containerId === containerId);
  const known = {
    'its node has': instance?.addresses ?? [],
    'it pays for': [...(subscription?.addresses.values() ?? [])],
    'are leased for it': leased.map(({ address }) => address),
  };
  const own = listed([...addresses.values()]);
  for (const [who, list] of Object.entries(known)) {
    if (listed(list) !== own) yield `${containerId} answers on ${own}; ${who} ${listed(list)}`;
  }

  let reserved = { containers: 0, addresses: 0 };
  for (const { by, vector } of standing.reservations.values()) {
    if (standing.operations.get(by ?? '')?.targetId !== containerId) continue;
    reserved = {
      containers: reserved.containers + vector.containers,
      addresses: reserved.addresses + vector.addresses,
    };
  }
  if (reserved.containers !== 1 || reserved.addresses !== addresses.size) {
    yield `${containerId} with ${addresses.size} addresses has ${reserved.containers} containers and ${reserved.addresses} addresses reserved`;
  }
}

function* perInstance(standing: Standing, instances: readonly Instance[]): Generator<string> {
  for (const { containerId, node } of instances) {
    const container = standing.containers.get(containerId);
    if (container?.lifecycle === 'running' || standing.waits(containerId)) continue;
    yield `${containerId} is on ${node} and is ${container?.lifecycle ?? 'unknown'} to everybody else`;
  }
}

function* perSubscription(standing: Standing): Generator<string> {
  for (const { containerId, open, times } of standing.subscriptions.values()) {
    if (times > 1) yield `${containerId} is charged ${times} times`;
    const container = standing.containers.get(containerId);
    if (!open || container?.lifecycle === 'running' || standing.waits(containerId)) continue;
    yield `${containerId} is paid for and is ${container?.lifecycle ?? 'unknown'}`;
  }
}

function listed(addresses: readonly string[]): string {
  return [...addresses].sort().join(', ') || 'none';
}
