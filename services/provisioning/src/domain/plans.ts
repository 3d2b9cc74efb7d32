/**
 * What each kind of operation asks for, in which order, with which undo: the workflows themselves.
 * A plan is a function of the order and of the results so far, so it can grow as facts come in.
 */
import { type AskInput, type AskName, type AskResult, asks } from '@bivouac/events/operations';
import type { OperationOrder, OperationTarget } from '@bivouac/events/provisioning';
import { deriveId, type ResourceVector } from '@bivouac/events/values';

export interface StepPlan {
  readonly name: string;
  readonly ask: AskName;
  /** Steps that must be done first. */
  readonly after: readonly string[];
  readonly input: (attempt: number) => Record<string, unknown>;
  /** How an attempt is undone, whether or not it happened. None: it leaves nothing behind. */
  readonly undo?: {
    readonly ask: AskName;
    readonly input: (attempt: number) => Record<string, unknown>;
  };
  /** How long the owner has, in seconds. */
  readonly seconds: number;
  /** How often it is tried when it fails or is not answered. */
  readonly attempts: number;
  /** Once done, the operation can only go forward. */
  readonly pivot?: boolean;
  /** What a refusal means: the operation ends (after undoing), or staff must look. */
  readonly onRefused: 'undo' | 'attention';
  readonly onFailed: 'undo' | 'attention';
}

/** What a step yielded. Ids derive from the attempt, so it belongs to the result. */
export interface StepResult {
  readonly attempt: number;
  readonly result: Readonly<Record<string, unknown>>;
}

export interface PlanFacts {
  readonly operationId: string;
  readonly order: OperationOrder;
  readonly tenantId: string;
  readonly target: OperationTarget;
  readonly results: Readonly<Record<string, StepResult>>;
}

/** What a container's history says of an order that was undone. */
const UNFULFILLED = 'the order could not be fulfilled';

/** The steps of an operation, as far as they can be known now. */
export function planOf(facts: PlanFacts): readonly StepPlan[] {
  const { order } = facts;
  switch (order.kind) {
    case 'provision':
      return provision(facts, order);
    case 'suspend':
      return [
        forward('hold', 'containers.hold', [], () => ({
          containerId: order.containerId,
          hold: { holdId: deriveId('hold', facts.operationId), ...order.hold },
        })),
      ];
    case 'resume':
      return [
        forward('unhold', 'containers.unhold', [], () => ({
          containerId: order.containerId,
          holdId: order.holdId,
        })),
      ];
    case 'terminate':
      return terminate(facts, order);
    case 'add-address':
      return addAddress(facts, order);
    case 'close-month':
      return [
        forward('invoice', 'billing.invoice', [], () => ({
          accountId: order.accountId,
          month: order.month,
        })),
      ];
  }
}

function provision(
  facts: PlanFacts,
  order: Extract<OperationOrder, { kind: 'provision' }>,
): StepPlan[] {
  const containerId = facts.target.id;
  const quoted = () => resultOf(facts, 'quote', 'billing.quote').plan;
  const prepared = () => resultOf(facts, 'prepare', 'containers.prepare');
  const addresses = () => quoted().includedAddresses + order.extraAddresses;
  const vector = () => vectorOf(quoted().limits, addresses());
  const reservation = (attempt: number) =>
    deriveId('reservation', facts.operationId, 'reserve', String(attempt));
  const placement = (attempt: number) =>
    deriveId('placement', facts.operationId, 'place', String(attempt));
  const leases = (attempt: number) => leaseIds(facts.operationId, attempt, addresses());
  const made = (step: string) => attemptDone(facts, step);
  return [
    look('admit', 'accounts.admit', [], () => ({ tenantId: order.tenantId })),
    look('quote', 'billing.quote', [], () => ({ planCode: order.planCode })),
    reversible(
      'reserve',
      'quotas.reserve',
      ['admit', 'quote'],
      (attempt) => ({
        reservationId: reservation(attempt),
        tenantId: order.tenantId,
        vector: vector(),
      }),
      'quotas.release',
      (attempt) => ({ reservationId: reservation(attempt) }),
    ),
    // Once: the container's id is the order's, and what was discarded is never requested again.
    {
      ...reversible(
        'prepare',
        'containers.prepare',
        ['reserve'],
        (attempt) => ({
          containerId,
          tenantId: order.tenantId,
          hostname: order.hostname,
          plan: quoted(),
          imageId: order.imageId,
          placementId: placement(attempt),
          vector: vector(),
          leaseIds: leases(attempt),
          family: order.family,
          ...(order.location === undefined ? {} : { location: order.location }),
        }),
        'containers.discard',
        (attempt) => ({
          containerId,
          reason: UNFULFILLED,
          placementId: placement(attempt),
          leaseIds: leases(attempt),
          ...(made('prepare') === attempt
            ? { nodeId: prepared().nodeId, addresses: prepared().addresses }
            : { addresses: [] }),
        }),
      ),
      attempts: 1,
    },
    {
      ...reversible(
        'build',
        'containers.build',
        ['prepare'],
        () => ({
          containerId,
          nodeId: prepared().nodeId,
          placementId: placement(made('prepare')),
          reservationId: reservation(made('reserve')),
          addresses: prepared().addresses,
        }),
        'containers.destroy',
        () => ({ containerId, reason: UNFULFILLED }),
      ),
      seconds: 300,
      attempts: 1,
      pivot: true,
    },
  ];
}

function terminate(
  facts: PlanFacts,
  order: Extract<OperationOrder, { kind: 'terminate' }>,
): StepPlan[] {
  const steps: StepPlan[] = [
    forward('destroy', 'containers.destroy', [], () => ({
      containerId: order.containerId,
      reason: order.reason,
    })),
  ];
  if (facts.results['destroy'] === undefined) return steps;
  const held = resultOf(facts, 'destroy', 'containers.destroy');
  for (const family of ['ipv4', 'ipv6'] as const) {
    const addresses = held.addresses.filter((address) => address.family === family);
    if (addresses.length === 0) continue;
    const leaseIds = addresses.map((address) => address.leaseId);
    steps.push(
      settle(`unlease-${family}`, 'containers.unlease', ['destroy'], () => ({
        leaseIds,
        addresses,
        location: held.location,
        family,
      })),
    );
  }
  const { placementId, nodeId } = held;
  if (placementId !== undefined) {
    steps.push(
      settle('unplace', 'containers.unplace', ['destroy'], () => ({
        placementId,
        ...(nodeId === undefined ? {} : { nodeId }),
      })),
    );
  }
  held.reservationIds.forEach((reservationId, index) => {
    steps.push(
      settle(`release-${index + 1}`, 'quotas.release', ['destroy'], () => ({ reservationId })),
    );
  });
  return steps;
}

function addAddress(
  facts: PlanFacts,
  order: Extract<OperationOrder, { kind: 'add-address' }>,
): StepPlan[] {
  const { containerId, count, family } = order;
  const inspected = () => resultOf(facts, 'inspect', 'containers.inspect');
  const leased = () => resultOf(facts, 'lease', 'containers.lease').addresses;
  const reservation = (attempt: number) =>
    deriveId('reservation', facts.operationId, 'reserve', String(attempt));
  const leases = (attempt: number) => leaseIds(facts.operationId, attempt, count);
  const made = (step: string) => attemptDone(facts, step);
  return [
    look('inspect', 'containers.inspect', [], () => ({ containerId })),
    reversible(
      'reserve',
      'quotas.reserve',
      ['inspect'],
      (attempt) => ({
        reservationId: reservation(attempt),
        tenantId: facts.tenantId,
        vector: { containers: 0, cpuMillis: 0, memoryBytes: '0', diskBytes: '0', addresses: count },
      }),
      'quotas.release',
      (attempt) => ({ reservationId: reservation(attempt) }),
    ),
    reversible(
      'lease',
      'containers.lease',
      ['reserve'],
      (attempt) => ({
        containerId,
        leaseIds: leases(attempt),
        family,
        location: inspected().location,
      }),
      'containers.unlease',
      (attempt) => ({
        leaseIds: leases(attempt),
        addresses: made('lease') === attempt ? leased() : [],
        location: inspected().location,
        family,
      }),
    ),
    {
      ...reversible(
        'attach',
        'containers.attach',
        ['lease'],
        () => ({ containerId, reservationId: reservation(made('reserve')), addresses: leased() }),
        'containers.detach',
        (attempt) => ({ containerId, leaseIds: leases(attempt) }),
      ),
      seconds: 180,
      attempts: 1,
      pivot: true,
    },
  ];
}

/** A step that changes nothing. */
function look<N extends AskName>(
  name: string,
  ask: N,
  after: readonly string[],
  input: () => AskInput<N>,
): StepPlan {
  return { name, ask, after, input, seconds: 60, attempts: 3, onRefused: 'undo', onFailed: 'undo' };
}

/** A step whose undo is registered with it. */
function reversible<N extends AskName, U extends AskName>(
  name: string,
  ask: N,
  after: readonly string[],
  input: (attempt: number) => AskInput<N>,
  undo: U,
  undoInput: (attempt: number) => AskInput<U>,
): StepPlan {
  return {
    name,
    ask,
    after,
    input,
    undo: { ask: undo, input: undoInput },
    seconds: 60,
    attempts: 2,
    onRefused: 'undo',
    onFailed: 'undo',
  };
}

/** A step that cannot be undone; a refusal ends the operation, a failure waits for staff. */
function forward<N extends AskName>(
  name: string,
  ask: N,
  after: readonly string[],
  input: () => AskInput<N>,
): StepPlan {
  return {
    name,
    ask,
    after,
    input,
    seconds: 180,
    attempts: 3,
    pivot: true,
    onRefused: 'undo',
    onFailed: 'attention',
  };
}

/** A step behind the point of no return: it must be done, or staff must look. */
function settle<N extends AskName>(
  name: string,
  ask: N,
  after: readonly string[],
  input: () => AskInput<N>,
): StepPlan {
  return {
    name,
    ask,
    after,
    input,
    seconds: 120,
    attempts: 5,
    onRefused: 'attention',
    onFailed: 'attention',
  };
}

function resultOf<N extends AskName>(facts: PlanFacts, step: string, ask: N): AskResult<N> {
  return asks[ask].result.parse(facts.results[step]?.result) as AskResult<N>;
}

function attemptDone(facts: PlanFacts, step: string): number {
  return facts.results[step]?.attempt ?? 0;
}

function leaseIds(operationId: string, attempt: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    deriveId('lease', operationId, String(attempt), String(i)),
  );
}

function vectorOf(
  limits: { readonly cpuMillis: number; readonly memoryBytes: string; readonly diskBytes: string },
  addresses: number,
): ResourceVector {
  return {
    containers: 1,
    cpuMillis: limits.cpuMillis,
    memoryBytes: limits.memoryBytes,
    diskBytes: limits.diskBytes,
    addresses,
  };
}
