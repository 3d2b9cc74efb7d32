/** Orders and what they leave: the checks find every history in which something is lost or left over. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { PROVIDER_ID, TenantCreated } from '@bivouac/events/accounts';
import {
  AddressesDetached,
  AddressReleased,
  AskSettled,
  ContainerFrozen,
  ContainerLeft,
  ContainerResized,
  ContainerRestored,
  ContainerSoftDeleted,
  ContainerStarted,
  ContainerStopped,
  HoldPlaced,
  NodeCapacityFreed,
  ObservationChanged,
  PowerRequested,
} from '@bivouac/events/containers';
import {
  AddressesAdded,
  SubscriptionEnded,
  SubscriptionStarted,
  SubscriptionVoided,
} from '@bivouac/events/billing';
import {
  AttentionNeeded,
  OperationCancelled,
  OperationFailed,
  OperationResolved,
  OperationRetried,
  OperationStarted,
} from '@bivouac/events/provisioning';
import { Released, Reserved } from '@bivouac/events/quotas';
import { deriveId, uuidOf } from '@bivouac/events/values';

import type { Instance } from './engines.ts';
import {
  emptyWorld,
  NOW,
  nodeId,
  oneRuns,
  type Order,
  rangeId,
  type SampleHistory,
  type Taken,
  tenantId,
  VECTOR,
} from './sample-history.ts';
import { Standing } from './standing.ts';
import { chargeViolations } from './charges.ts';
import { leftViolations } from './nothing-left.ts';
import { operationViolations, ownersIn } from './operations.ts';
import { remainViolations } from './remains.ts';

const RUNBOOK = new URL('../../../../docs/operations-runbook.md', import.meta.url);

const owned = ownersIn(
  [
    '### `destroy`, `undo-build-n`',
    'the node did not say that it is gone. **Who',
    'acts:** staff. **How:** mend the node.',
    '### `running`',
    'it goes on by itself. **Who acts:** nobody. **How:** wait.',
  ].join('\n'),
);
const remaining = (history: SampleHistory): string[] =>
  remainViolations(new Standing(history.events));
const charged = (history: SampleHistory, instances: readonly Instance[]): string[] =>
  chargeViolations(new Standing(history.events), instances);

function giveBack(history: SampleHistory, taken: Taken): void {
  const { reservationId, leaseId, placementId, address } = taken;
  history.add(Released, { reservationId, tenantId, vector: VECTOR });
  history.add(AddressReleased, { rangeId, leaseId, address });
  history.add(NodeCapacityFreed, { nodeId, placementId });
}

function endCharge(history: SampleHistory, { containerId }: Order): void {
  const subscriptionId = deriveId('subscription', containerId);
  history.add(SubscriptionEnded, { containerId, subscriptionId });
}

function voidCharge(history: SampleHistory, { containerId }: Order): void {
  const subscriptionId = deriveId('subscription', containerId);
  history.add(SubscriptionVoided, { containerId, subscriptionId });
}

test('one that runs and is paid for is right, and so is one that was terminated', () => {
  const { history, order, taken, instance } = oneRuns();
  expect(remaining(history)).toEqual([]);
  expect(charged(history, [instance])).toEqual([]);
  expect(operationViolations(history.events, owned)).toEqual([]);

  const { containerId } = order;
  const terminate = history.order('over', 'terminate');
  history.remove(containerId);
  history.add(ContainerLeft, { containerId });
  endCharge(history, order);
  giveBack(history, taken);
  history.succeed(terminate);
  expect(remaining(history)).toEqual([]);
  expect(charged(history, [])).toEqual([]);
});

test.each([
  ['its server is nowhere', () => [], 'is on 0 nodes'],
  [
    'its server is there twice',
    (one: Instance) => [one, { ...one, node: 'fake-2' }],
    'is on 2 nodes',
  ],
  [
    'it is on another node',
    (one: Instance) => [{ ...one, node: 'fake-2' }],
    'has its place on fake-1',
  ],
  [
    'it does not run',
    (one: Instance) => [{ ...one, state: 'stopped' as const }],
    'is stopped, not running, with 0 holds',
  ],
  [
    'it has another address',
    (one: Instance) => [{ ...one, addresses: ['10.0.0.2'] }],
    'its node has 10.0.0.2',
  ],
  [
    'there is one more',
    (one: Instance) => [one, { ...one, containerId: 'ctr_x' }],
    'ctr_x is on fake-1',
  ],
])('where nodes say otherwise it is found: %s', (_what, seen, found) => {
  const { history, instance } = oneRuns();
  expect(charged(history, seen(instance))).toContainEqual(expect.stringContaining(found));
});

test('a server without a bill, and a bill without a server, are found', () => {
  const { history, order, instance } = oneRuns();
  endCharge(history, order);
  expect(charged(history, [instance])).toContainEqual(
    expect.stringContaining('nobody pays for it'),
  );

  const other = oneRuns();
  other.history.remove(other.order.containerId);
  expect(charged(other.history, [])).toEqual([expect.stringContaining('is paid for and is gone')]);
});

test('one that was made and is charged nothing is found', () => {
  const { history, order, instance } = oneRuns();
  voidCharge(history, order);
  expect(charged(history, [instance])).toEqual([expect.stringContaining('charged nothing')]);
});

test('a container that is charged twice is found, also if only once at a time', () => {
  const { history, order, taken, instance } = oneRuns();
  const { leaseId, address } = taken;
  const twice = expect.stringContaining('charged 2 times');
  history.charge(order.containerId, [{ leaseId, address }]);
  expect(charged(history, [instance])).toEqual([twice, twice]);

  const other = oneRuns();
  endCharge(other.history, other.order);
  other.history.charge(other.order.containerId, [{ leaseId, address }]);
  expect(charged(other.history, [other.instance])).toEqual([twice]);
});

test('an address that only some know of is found', () => {
  const { history, order, instance } = oneRuns();
  history.attach(order.containerId, deriveId('lease', 'extra'), '10.0.0.2');
  const found = charged(history, [instance]);
  expect(found).toHaveLength(4);
  expect(found).toContainEqual(expect.stringContaining('its node has 10.0.0.1'));
  expect(found).toContainEqual(expect.stringContaining('it pays for 10.0.0.1'));
  expect(found).toContainEqual(expect.stringContaining('are leased for it 10.0.0.1'));
  expect(found).toContainEqual(expect.stringContaining('1 addresses reserved'));
});

test('a held container that runs, and one detached from its only address, are found', () => {
  const { history, order, instance } = oneRuns();
  const { containerId } = order;
  const hold = { holdId: deriveId('hold', 'h'), kind: 'abuse', reason: 'port scan' } as const;
  history.add(HoldPlaced, { containerId, hold });
  expect(charged(history, [instance])).toEqual([
    expect.stringContaining('is running, not stopped, with 1 holds'),
  ]);

  const other = oneRuns();
  const leaseIds = [other.taken.leaseId];
  const detached = { containerId, tenantId, leaseIds, detachedAt: NOW };
  other.history.add(AddressesDetached, detached);
  expect(charged(other.history, [other.instance]).length).toBeGreaterThan(0);
});

test.each([
  ['failed', OperationFailed],
  ['cancelled', OperationCancelled],
] as const)('all that an order which has %s still holds is found', (outcome, end) => {
  const history = emptyWorld();
  const order = history.order('one');
  const taken = history.take(order);
  history.add(end, { operationId: order.operationId });
  expect(remaining(history)).toEqual(
    [taken.reservationId, taken.leaseId, taken.placementId].map((id) =>
      expect.stringMatching(new RegExp(`${id} is still held: provision .* ${outcome}`)),
    ),
  );
  giveBack(history, taken);
  expect(remaining(history)).toEqual([]);
});

test('a failed order that is charged for, left its container or its hold is found', () => {
  const { history, order, taken } = oneRuns();
  history.add(OperationFailed, { operationId: order.operationId });
  giveBack(history, taken);
  expect(remaining(history)).toEqual([
    expect.stringContaining('is charged'),
    expect.stringContaining('is running'),
  ]);

  const undone = emptyWorld();
  const failed = undone.order('one');
  undone.charge(failed.containerId, []);
  endCharge(undone, failed);
  undone.add(OperationFailed, { operationId: failed.operationId });
  expect(remaining(undone)).toEqual([expect.stringContaining('was charged')]);
  voidCharge(undone, failed);
  expect(remaining(undone)).toEqual([]);

  const other = oneRuns();
  const { operationId, containerId } = other.history.order('held', 'suspend');
  const hold = { holdId: deriveId('hold', 'h'), kind: 'abuse', reason: 'port scan' } as const;
  const ask = { operationId, step: 'hold', attempt: 1 };
  other.history.add(HoldPlaced, { containerId, hold, ask });
  other.history.add(OperationFailed, { operationId });
  expect(remaining(other.history)).toEqual([expect.stringContaining('its hold')]);
});

test('what is held for a container that is gone, or by nobody, is found', () => {
  const { history, order, taken } = oneRuns();
  history.remove(order.containerId);
  const { containerId, operationId } = order;
  const why = `${containerId} is gone (taken by provision ${operationId}, succeeded)`;
  expect(remaining(history)).toEqual([
    `the reservation ${taken.reservationId} is still held: ${why}`,
    `the lease ${taken.leaseId} is still held: ${why}`,
    `the placement ${taken.placementId} is still held: ${why}`,
    `the roster still has ${containerId}, which is gone; provision ${operationId}, succeeded`,
  ]);

  const stray = emptyWorld();
  const known = stray.order('one');
  stray.take({ ...known, started: { ...known.started, id: uuidOf('of another log') } });
  expect(remaining(stray)).toContainEqual(expect.stringContaining('no operation is known'));
});

test('what is found says of an operation that staff have ended where it waited for them', () => {
  const history = emptyWorld();
  const order = history.order('one');
  const { operationId, containerId } = order;
  const taken = history.take(order);
  history.run(order, taken);
  const ref = { operationId, step: 'build', attempt: 1 };
  const refusal = { code: 'STEP_TIMED_OUT', message: 'no answer' };
  history.add(AttentionNeeded, { operationId, ref, refusal });
  history.add(OperationRetried, { operationId, ref });
  history.add(AttentionNeeded, { operationId, ref: { ...ref, step: 'undo-build-1' }, refusal });
  history.remove(containerId);
  // Somebody has to look at it anyway.
  expect(remaining(history)).toEqual([]);
  history.add(OperationResolved, { operationId });
  expect(remaining(history)).toContain(
    `the reservation ${taken.reservationId} is still held: ${containerId} is gone ` +
      `(taken by provision ${operationId}, resolved after it waited at ` +
      'build (STEP_TIMED_OUT), undo-build-1 (STEP_TIMED_OUT))',
  );
});

test('an operation without an end is found, and one with two', () => {
  const history = emptyWorld();
  const { operationId } = history.order('one');
  expect(operationViolations(history.events, owned)).toEqual([
    expect.stringContaining(`${operationId} has not ended`),
  ]);
  history.add(OperationFailed, { operationId });
  expect(operationViolations(history.events, owned)).toEqual([]);
  history.add(OperationCancelled, { operationId });
  expect(operationViolations(history.events, owned)).toHaveLength(1);
});

test('one that waits for a person is right only where the runbook says who', () => {
  const wait = (step: string): string[] => {
    const { history } = oneRuns();
    const { operationId } = history.order('over', 'terminate');
    const ref = { operationId, step, attempt: 3 };
    history.add(AttentionNeeded, { operationId, ref });
    return operationViolations(history.events, owned);
  };
  expect(wait('destroy')).toEqual([]);
  expect(wait('undo-build-1')).toEqual([]);
  expect(wait('undo-build-x')).toHaveLength(1);
  expect(wait('think')).toEqual([expect.stringContaining('waits at think')]);
  expect(wait('running')).toEqual([expect.stringContaining('waits at running')]);
});

test('one whose child waits for a person waits with it, and no longer', () => {
  const { history } = oneRuns();
  const { operationId: parentId, started } = history.order('many', 'terminate');
  const operationId = deriveId('operation', 'child');
  const facts = { ...started.data, operationId, parentId };
  history.add(OperationStarted, facts, { stream: `operation-${operationId}` });
  history.add(AttentionNeeded, { operationId, ref: { operationId, step: 'destroy', attempt: 3 } });
  expect(operationViolations(history.events, owned)).toEqual([]);
  history.add(OperationRetried, { operationId });
  expect(operationViolations(history.events, owned)).toEqual([
    expect.stringContaining(`${parentId} has not ended`),
    expect.stringContaining(`${operationId} has not ended`),
  ]);
});

test('what a person has to look at is no violation; what staff have put right since may be', () => {
  const { history, order, taken } = oneRuns();
  const terminate = history.order('over', 'terminate');
  const { operationId } = terminate;
  const ref = { operationId, step: 'destroy', attempt: 3 };
  history.add(AttentionNeeded, {
    operationId,
    ref,
    refusal: { code: 'STEP_TIMED_OUT', message: 'no answer' },
  });
  // The node may or may not have destroyed it.
  expect(charged(history, [])).toEqual([]);
  expect(operationViolations(history.events, owned)).toEqual([]);
  history.add(OperationRetried, { operationId });
  expect(operationViolations(history.events, owned)).toEqual([
    expect.stringContaining('has not ended'),
  ]);
  history.succeed(terminate);
  expect(operationViolations(history.events, owned)).toEqual([]);
  expect(charged(history, [])).toContainEqual(expect.stringContaining('is on 0 nodes'));
  history.remove(order.containerId);
  expect(remaining(history)).toContainEqual(expect.stringContaining(taken.leaseId));
});

test('the runbook has a section with an owner for the steps of orders that can wait', () => {
  const inRunbook = ownersIn(readFileSync(RUNBOOK, 'utf8'));
  for (const step of [
    'destroy',
    'hold',
    'unhold',
    'undo-build-1',
    'undo-attach-1',
    'undo-prepare-2',
  ]) {
    expect([step, inRunbook(step)]).toEqual([step, true]);
  }
  expect(inRunbook('needs')).toBe(false);
});

test('one that is otherwise than its node was heard to have it is found, and, once reconciled, than is wanted', () => {
  const { history, order, instance } = oneRuns();
  const { containerId } = order;
  const frozen = { ...instance, state: 'frozen' as const };
  const asReconciled = (seen: Instance): string[] =>
    chargeViolations(new Standing(history.events), [seen], true);
  history.add(PowerRequested, { containerId, action: 'freeze' });
  expect(charged(history, [instance])).toEqual([]);
  expect(charged(history, [frozen])).toEqual([expect.stringContaining('is frozen, not running')]);
  expect(asReconciled(frozen)).toEqual([]);
  expect(asReconciled(instance)).toEqual([expect.stringContaining('is running, not frozen')]);
  history.add(ContainerFrozen, { containerId });
  expect(charged(history, [instance])).toEqual([expect.stringContaining('is running, not frozen')]);
  history.add(ObservationChanged, { containerId, state: 'error' });
  expect(charged(history, [frozen])).toEqual([]);
  history.add(ObservationChanged, { containerId, state: 'running' });
  expect(charged(history, [frozen])).toEqual([expect.stringContaining('is frozen, not running')]);
  // What came to nothing is not wanted any more.
  history.add(AskSettled, { containerId, name: 'containers.power', outcome: 'failed' });
  expect(asReconciled(instance)).toEqual([]);
});

test('one that can be restored is kept and not paid for, and paid for again when it is restored', () => {
  const { history, order, taken, instance } = oneRuns();
  const { containerId } = order;
  history.add(ContainerStopped, { containerId });
  history.add(ContainerSoftDeleted, { containerId, tenantId });
  const kept = { ...instance, state: 'stopped' as const };
  expect(charged(history, [kept])).toEqual([expect.stringContaining('is paid for and is kept')]);
  endCharge(history, order);
  expect(charged(history, [kept])).toEqual([]);
  expect(remaining(history)).toEqual([]);
  expect(charged(history, [instance])).toEqual([expect.stringContaining('is running')]);
  expect(charged(history, [])).toContainEqual(expect.stringContaining('is on 0 nodes'));

  history.add(ContainerRestored, { containerId, tenantId });
  expect(charged(history, [instance])).toContainEqual(expect.stringContaining('nobody pays'));
  history.add(ContainerStarted, { containerId });
  const addresses = [{ leaseId: taken.leaseId, address: taken.address }];
  history.charge(containerId, addresses);
  expect(charged(history, [instance])).toEqual([]);
  // Twice in all, and not a third time.
  endCharge(history, order);
  history.charge(containerId, addresses);
  expect(charged(history, [instance])).toEqual([expect.stringContaining('charged 3 times')]);
});

test('a reseller that does not pay for its customer’s container is found', () => {
  const reseller = deriveId('tenant', 'reseller');
  const { history, order, taken, instance } = oneRuns();
  history.add(TenantCreated, { tenantId: reseller, parentId: PROVIDER_ID });
  history.add(TenantCreated, { tenantId, parentId: reseller });
  expect(charged(history, [instance])).toContainEqual(
    expect.stringContaining(`nobody pays for it (${reseller})`),
  );
  const subscriptionId = deriveId('subscription', 'of the reseller');
  const { containerId } = order;
  history.add(SubscriptionStarted, {
    ...{ accountId: reseller, containerId, subscriptionId },
    addresses: [{ leaseId: taken.leaseId, address: taken.address }],
  });
  expect(charged(history, [instance])).toEqual([]);
  const elsewhere = { leaseId: deriveId('lease', 'more'), address: '10.0.0.2' };
  const more = { accountId: reseller, containerId, subscriptionId, addresses: [elsewhere] };
  history.add(AddressesAdded, more);
  expect(charged(history, [instance])).toContainEqual(
    expect.stringContaining('on 10.0.0.1, 10.0.0.2; not on 10.0.0.1'),
  );
  history.add(SubscriptionEnded, { accountId: reseller, containerId, subscriptionId });
  expect(charged(history, [instance])).toContainEqual(
    expect.stringContaining('no more; not on 10.0.0.1'),
  );
  endCharge(history, order);
  voidCharge(history, order);
  history.remove(containerId);
  expect(charged(history, [])).toContainEqual(
    expect.stringContaining(`${reseller} pays for ${containerId}: no more; not no more, voided`),
  );
});

test('one that has more than its node or its ledger knows of is found', () => {
  const { history, order, instance } = oneRuns();
  const { containerId } = order;
  history.add(ContainerResized, {
    containerId,
    plan: termsWith('200'),
  });
  expect(charged(history, [instance])).toEqual([
    expect.stringContaining('takes 100 of its node'),
    expect.stringContaining('200 bytes of memory and 100 reserved'),
  ]);
});

test('a held one that its node keeps stopped without a word is found', () => {
  const { history, order, instance } = oneRuns();
  const { containerId } = order;
  const hold = { holdId: deriveId('hold', 'h'), kind: 'abuse', reason: 'port scan' } as const;
  history.add(HoldPlaced, { containerId, hold });
  const stopped = { ...instance, state: 'stopped' as const };
  expect(charged(history, [stopped])).toEqual([
    expect.stringContaining('its node was last heard to have it running'),
  ]);
  history.add(ContainerStopped, { containerId });
  expect(charged(history, [stopped])).toEqual([]);
});

test('an address that came with an undone order leaves no surplus behind', () => {
  const { history, order, instance } = oneRuns();
  const { containerId } = order;
  const leaseId = deriveId('lease', 'extra');
  const detach = (undone: boolean): string[] => {
    history.attach(containerId, leaseId, '10.0.0.2');
    history.add(AddressesDetached, {
      ...{ containerId, tenantId, leaseIds: [leaseId], detachedAt: NOW },
      ...(undone ? { undone } : {}),
    });
    return charged(history, [instance]);
  };
  const more = { ...VECTOR, ...{ containers: 0, cpuMillis: 0, memoryBytes: '0', addresses: 1 } };
  const reservationId = deriveId('reservation', 'more');
  const { started: causedBy } = order;
  history.add(Reserved, { reservationId, tenantId, vector: more }, { causedBy });
  expect(detach(true)).toEqual([expect.stringContaining('2 addresses reserved')]);
  expect(detach(false)).toEqual([]);
});

test('whatever is left where everything was terminated is found', () => {
  const { history, instance } = oneRuns();
  const left = leftViolations(new Standing(history.events), [instance]);
  for (const what of [
    'reservation',
    'lease',
    'placement',
    'roster',
    'charge',
    'server',
    'container',
  ])
    expect(left).toContainEqual(expect.stringMatching(new RegExp(`^the ${what} .* is left over$`)));
  expect(left).toHaveLength(7);
  expect(leftViolations(new Standing(emptyWorld().events), [])).toEqual([]);
});

function termsWith(memoryBytes: string) {
  const price = { amount: '10.00', currency: 'EUR' };
  return {
    ...{ planId: deriveId('plan', 'one'), code: 'one', name: 'One', includedAddresses: 1 },
    source: { stream: 'plan-one', revision: '0' },
    limits: { cpuMillis: 100, memoryBytes, diskBytes: '100', processes: 10, cpuUnits: 100 },
    ...{ monthly: price, setup: price, extraAddressMonthly: price },
  };
}
