/**
 * What runs is paid for and what is paid for runs: the nodes' own files, the containers of the log and
 * the subscriptions are one to one, with the same addresses.
 */
import type { Instance } from './engines.ts';
import type { Container, Standing, Subscription } from './standing.ts';

/**
 * @param reconciled staff have had reconciled what differed: what is wanted counts, where otherwise what
 * a node was last heard to have done does. Whether it is frozen is not reconciled by itself.
 */
export function chargeViolations(
  standing: Standing,
  instances: readonly Instance[],
  reconciled = false,
): string[] {
  return [
    ...perContainer(standing, instances, reconciled),
    ...perInstance(standing, instances),
    ...perSubscription(standing),
    ...perDebtor(standing),
  ];
}

function* perContainer(
  standing: Standing,
  instances: readonly Instance[],
  reconciled: boolean,
): Generator<string> {
  for (const container of standing.containers.values()) {
    const { containerId, lifecycle } = container;
    if (lifecycle === 'gone' || standing.waits(containerId)) continue;
    if (lifecycle === 'being made') {
      yield `${containerId} is neither made nor given up: ${standing.toldOf(containerId)}`;
    } else {
      yield* onNodes(standing, container, instances, reconciled);
      if (lifecycle === 'running') yield* paidFor(standing, container);
      yield* reserved(standing, container);
    }
  }
}

/** A container that is there: on one node, as it is wanted, with its addresses. */
function* onNodes(
  standing: Standing,
  container: Container,
  instances: readonly Instance[],
  reconciled: boolean,
): Generator<string> {
  const { containerId, addresses, holds, lifecycle, power, seen } = container;
  const there = instances.filter((instance) => instance.containerId === containerId);
  const placed = [...standing.placements.values()].filter((one) => one.containerId === containerId);
  if (there.length !== 1) yield `${containerId} is on ${there.length} nodes`;
  if (placed.length !== 1) yield `${containerId} has ${placed.length} places on nodes`;
  if (!standing.roster.has(containerId)) yield `${containerId} is in no roster`;

  const [instance] = there;
  const [place] = placed;
  const node = standing.nodes.get(place?.nodeId ?? '');
  if (instance !== undefined) {
    if (instance.node !== node) {
      yield `${containerId} is on ${instance.node} and has its place on ${node ?? 'none'}`;
    }
    const kept = holds.size > 0 || lifecycle === 'kept';
    const right = kept ? 'stopped' : reconciled ? power : seen;
    if (instance.state !== right) {
      yield `${containerId} is ${instance.state}, not ${right}, with ${holds.size} holds on it`;
    } else if (!reconciled && instance.state !== seen) {
      yield `${containerId} is ${instance.state}, and its node was last heard to have it ${seen}`;
    }
  }
  if (place !== undefined && place.vector.memoryBytes !== container.memoryBytes) {
    yield `${containerId} has ${container.memoryBytes} bytes of memory and takes ${place.vector.memoryBytes} of its node`;
  }
  const leased = [...standing.leases.values()].filter((one) => one.containerId === containerId);
  yield* comparedTo([...addresses.values()], containerId, {
    'its node has': instance?.addresses ?? [],
    'are leased for it': leased.map(({ address }) => address),
  });
}

/** One that runs is charged to its tenant and to everybody above it, each once. */
function* paidFor(standing: Standing, container: Container): Generator<string> {
  const { containerId, tenantId, addresses } = container;
  for (const accountId of standing.debtorsOf(tenantId)) {
    const open = standing.charging(containerId, accountId).filter((one) => one.open);
    const [subscription] = open;
    if (subscription === undefined)
      yield `${containerId} runs and nobody pays for it (${accountId})`;
    if (open.length > 1) yield `${containerId} is charged ${open.length} times to ${accountId}`;
    const known = { 'it pays for': [...(subscription?.addresses.values() ?? [])] };
    yield* comparedTo([...addresses.values()], containerId, known);
  }
}

/** What is reserved for it is what it has. */
function* reserved(standing: Standing, container: Container): Generator<string> {
  const { containerId, addresses, removed } = container;
  let sum = { containers: 0, addresses: 0, memoryBytes: 0n };
  for (const { by, vector } of standing.reservations.values()) {
    if (standing.operations.get(by ?? '')?.targetId !== containerId) continue;
    sum = {
      containers: sum.containers + vector.containers,
      addresses: sum.addresses + vector.addresses,
      memoryBytes: sum.memoryBytes + BigInt(vector.memoryBytes),
    };
  }
  const surplus = sum.addresses - addresses.size;
  if (sum.containers !== 1 || surplus < 0 || surplus > removed) {
    yield `${containerId} with ${addresses.size} addresses has ${sum.containers} containers and ${sum.addresses} addresses reserved`;
  }
  if (sum.memoryBytes !== BigInt(container.memoryBytes)) {
    yield `${containerId} has ${container.memoryBytes} bytes of memory and ${sum.memoryBytes} reserved`;
  }
}

function* comparedTo(
  addresses: readonly string[],
  containerId: string,
  known: Readonly<Record<string, readonly string[]>>,
): Generator<string> {
  const own = listed(addresses);
  for (const [who, list] of Object.entries(known)) {
    if (listed(list) !== own) yield `${containerId} answers on ${own}; ${who} ${listed(list)}`;
  }
}

function* perInstance(standing: Standing, instances: readonly Instance[]): Generator<string> {
  for (const { containerId, node } of instances) {
    const container = standing.containers.get(containerId);
    if (isThere(container) || standing.waits(containerId)) continue;
    yield `${containerId} is on ${node} and is ${container?.lifecycle ?? 'unknown'} to everybody else`;
  }
}

function* perSubscription(standing: Standing): Generator<string> {
  const fulfilled = new Set(
    [...standing.operations.values()].flatMap(({ kind, outcome, targetId }) =>
      kind === 'provision' && outcome === 'succeeded' ? [targetId] : [],
    ),
  );
  for (const { containerId, open, voided } of standing.subscriptions) {
    const container = standing.containers.get(containerId);
    if (voided && fulfilled.has(containerId)) {
      yield `${containerId} was ordered and made, and is charged nothing`;
    }
    if (!open || container?.lifecycle === 'running' || standing.waits(containerId)) continue;
    yield `${containerId} is paid for and is ${container?.lifecycle ?? 'unknown'}`;
  }
}

/** Each is charged once for each of its lives, and to whoever is above just as to its own tenant. */
function* perDebtor(standing: Standing): Generator<string> {
  for (const { containerId, tenantId, restored } of standing.containers.values()) {
    const own = standing.charging(containerId, tenantId);
    if (own.length > 1 + restored) yield `${containerId} is charged ${own.length} times`;
    for (const accountId of standing.debtorsOf(tenantId).slice(1)) {
      const [theirs, right] = [standing.charging(containerId, accountId), own].map(saidOf);
      if (theirs !== right) yield `${accountId} pays for ${containerId}: ${theirs}; not ${right}`;
    }
  }
}

/** What an account is charged for a container, as one compares it. */
function saidOf(subscriptions: readonly Subscription[]): string {
  const each = subscriptions.map(({ open, voided, addresses }) =>
    [open ? `on ${listed([...addresses.values()])}` : 'no more', voided ? 'voided' : []]
      .flat()
      .join(', '),
  );
  return each.join('; ') || 'nothing';
}

/** Whether its node has it: it runs, or can be restored. */
export function isThere(container: Container | undefined): boolean {
  return container?.lifecycle === 'running' || container?.lifecycle === 'kept';
}

function listed(addresses: readonly string[]): string {
  return [...addresses].sort().join(', ') || 'none';
}
