/** What is scarce: the checks find every history that gives out more of it than there is. */
import { expect, test } from '@jest/globals';
import {
  AddressLeased,
  AddressReleased,
  LeaseVoided,
  NodeCapacityFreed,
  NodeCapacityResized,
  NodeCapacityResizeVoided,
  NodeCapacityResizing,
  NodeCapacityTaken,
  RangeRegistered,
} from '@bivouac/events/containers';
import {
  Committed,
  LimitExpired,
  LimitSet,
  Released,
  ReservationVoided,
  Reserved,
  TenantOpened,
  Transferred,
  TransferReserved,
} from '@bivouac/events/quotas';
import { deriveId, nothing, type ResourceVector } from '@bivouac/events/values';

import {
  emptyWorld,
  nodeId,
  oneRuns,
  rangeId,
  type SampleHistory,
  tenantId,
  VECTOR,
} from './sample-history.ts';
import { addressViolations } from './addresses.ts';
import { quotaRowViolations } from './models.ts';
import { nodeViolations } from './nodes.ts';
import { checkQuotas } from './quotas.ts';

const below = deriveId('tenant', 'below');
const quotaViolations = (history: SampleHistory): string[] =>
  checkQuotas(history.events).violations;

function limit(history: SampleHistory, of: string, containers: number): void {
  const wide = { cpuMillis: 10_000, memoryBytes: '10000', diskBytes: '10000', addresses: 100 };
  history.add(LimitSet, { tenantId: of, limit: { containers, ...wide } });
}

function reserve(history: SampleHistory, name: string, of = tenantId): void {
  const reservationId = deriveId('reservation', name);
  history.add(Reserved, {
    reservationId,
    tenantId: of,
    homeId: tenantId,
    vector: VECTOR,
  });
}

function release(history: SampleHistory, name: string): void {
  const reservationId = deriveId('reservation', name);
  history.add(Released, { reservationId, tenantId, vector: VECTOR });
}

test('what runs within its limits, on its node, on its address is right', () => {
  const { history } = oneRuns();
  expect(quotaViolations(history)).toEqual([]);
  expect(nodeViolations(history.events)).toEqual([]);
  expect(addressViolations(history.events)).toEqual([]);
});

test('a ledger beyond its limit is found at the very event, though it is given back later', () => {
  const history = emptyWorld();
  limit(history, tenantId, 1);
  reserve(history, 'a');
  reserve(history, 'b');
  release(history, 'b');
  expect(quotaViolations(history)).toEqual([
    expect.stringMatching(/uses 2 containers of 1 .*Reserved at 0*5\)$/),
  ]);
});

test('a level above counts what is reserved below it', () => {
  const history = emptyWorld();
  history.add(TenantOpened, { tenantId: below, homeId: tenantId, parentId: tenantId });
  limit(history, tenantId, 1);
  reserve(history, 'a', below);
  expect(quotaViolations(history)).toEqual([]);
  reserve(history, 'b');
  expect(quotaViolations(history)).toEqual([expect.stringContaining(`${tenantId} uses 2`)]);
});

test('a limit lowered below what is in use is no violation; taking more then is', () => {
  const history = emptyWorld();
  reserve(history, 'a');
  limit(history, tenantId, 0);
  expect(quotaViolations(history)).toEqual([]);
  reserve(history, 'b');
  expect(quotaViolations(history)).toHaveLength(1);
});

test.each([
  ['given back twice', (h: SampleHistory) => [reserve(h, 'a'), release(h, 'a'), release(h, 'a')]],
  ['taken again', (h: SampleHistory) => [reserve(h, 'a'), release(h, 'a'), reserve(h, 'a')]],
  [
    'taken after it was voided',
    (h: SampleHistory) => [
      h.add(ReservationVoided, { reservationId: deriveId('reservation', 'a'), homeId: tenantId }),
      reserve(h, 'a'),
    ],
  ],
  [
    'committed without being taken',
    (h: SampleHistory) => {
      const reservationId = deriveId('reservation', 'a');
      h.add(Committed, { reservationId, tenantId, homeId: tenantId, vector: VECTOR });
    },
  ],
])('a reservation that is %s is found', (_what, happen) => {
  const history = emptyWorld();
  happen(history);
  expect(quotaViolations(history)).toHaveLength(1);
});

const LARGER: ResourceVector = { ...VECTOR, cpuMillis: 300, memoryBytes: '50' };
/** What the larger one adds to what is held. */
const ADDED: ResourceVector = { ...nothing, cpuMillis: 200 };

function transfer(history: SampleHistory, to: string, taken = ADDED): void {
  history.add(TransferReserved, {
    ...{ reservationId: deriveId('reservation', to), tenantId, vector: LARGER, taken },
    fromReservationId: deriveId('reservation', 'a'),
  });
}

function complete(history: SampleHistory, to: string): void {
  history.add(Transferred, {
    ...{ reservationId: deriveId('reservation', to), tenantId, vector: LARGER },
    fromReservationId: deriveId('reservation', 'a'),
  });
}

test('one reservation takes the place of another; the larger of both counts until then', () => {
  const history = emptyWorld();
  reserve(history, 'a');
  transfer(history, 'b');
  complete(history, 'b');
  history.add(Released, {
    ...{ reservationId: deriveId('reservation', 'b') },
    tenantId,
    vector: LARGER,
  });
  expect(quotaViolations(history)).toEqual([]);
  expect([...(checkQuotas(history.events).levels.get(tenantId)?.own ?? [])]).toEqual([]);
});

test('what is released while another is to take its place keeps what both have in common', () => {
  const history = emptyWorld();
  reserve(history, 'a');
  transfer(history, 'b');
  const vector = { ...nothing, memoryBytes: '50' };
  history.add(Released, { reservationId: deriveId('reservation', 'a'), tenantId, vector });
  expect(quotaViolations(history)).toEqual([]);
  const [, held] = [...(checkQuotas(history.events).levels.get(tenantId)?.own ?? [])][0] ?? [];
  expect(held).toEqual(LARGER);
});

test.each([
  ['takes more than it adds', (h: SampleHistory) => [transfer(h, 'b', VECTOR)]],
  ['is the second to take a place', (h: SampleHistory) => [transfer(h, 'b'), transfer(h, 'c')]],
  ['takes a place it had not reserved', (h: SampleHistory) => [complete(h, 'b')]],
])('a transfer that %s is found', (_what, happen) => {
  const history = emptyWorld();
  reserve(history, 'a');
  happen(history);
  expect(quotaViolations(history).length).toBeGreaterThan(0);
});

test('a transfer beyond the limit is found', () => {
  const history = emptyWorld();
  const rest = { memoryBytes: '10000', diskBytes: '10000', addresses: 100 };
  history.add(LimitSet, { tenantId, limit: { containers: 2, cpuMillis: 200, ...rest } });
  reserve(history, 'a');
  transfer(history, 'b');
  expect(quotaViolations(history)).toEqual([expect.stringContaining('uses 300 cpuMillis of 200')]);
});

test('a ledger shown otherwise than it is, or not at all, is found', () => {
  const { history } = oneRuns();
  const { levels } = checkQuotas(history.events);
  const row = (containers: string) => {
    const used = {
      containers,
      cpuMillis: '100',
      memoryBytes: '100',
      diskBytes: '100',
      addresses: '1',
    };
    return new Map([[`quotas/${tenantId}`, JSON.stringify({ tenantId, parentId: null, used })]]);
  };
  expect(quotaRowViolations(row('1'), levels)).toEqual([]);
  expect(quotaRowViolations(row('0'), levels)).toHaveLength(1);
  expect(quotaRowViolations(new Map(), levels)).toHaveLength(1);
});

test('a node that holds more than it has is found, axis by axis', () => {
  const { history, order } = oneRuns();
  const place = (name: string, memoryBytes: string): void => {
    const placementId = deriveId('placement', name);
    const vector = { ...VECTOR, memoryBytes };
    const { containerId } = order;
    history.add(NodeCapacityTaken, { nodeId, placementId, containerId, vector });
  };
  place('second', '900');
  expect(nodeViolations(history.events)).toEqual([]);
  place('third', '1');
  expect(nodeViolations(history.events)).toEqual([
    expect.stringContaining('3 containers of 2'),
    expect.stringContaining('1001 memoryBytes of 1000'),
  ]);
});

test('a placement that is resized beyond its node, unasked, or never settled is found', () => {
  const { history, taken } = oneRuns();
  const { placementId } = taken;
  const resize = (memoryBytes: string, claim: string): void => {
    const vector = { ...VECTOR, memoryBytes };
    history.add(NodeCapacityResizing, { nodeId, placementId, claim, vector });
  };
  resize('1000', 'one');
  history.add(NodeCapacityResizeVoided, { nodeId, placementId, claim: 'one' });
  expect(nodeViolations(history.events)).toEqual([]);
  history.add(NodeCapacityResized, { nodeId, placementId });
  expect(nodeViolations(history.events)).toEqual([
    expect.stringContaining('nobody had asked for it'),
  ]);
  resize('1001', 'two');
  expect(nodeViolations(history.events).slice(1)).toEqual([
    expect.stringContaining('1001 memoryBytes of 1000'),
    expect.stringContaining('was never settled'),
  ]);
  history.add(NodeCapacityResized, { nodeId, placementId });
  expect(nodeViolations(history.events)).toHaveLength(2);
});

test('a placement on two nodes, freed twice or taken after it was given back is found', () => {
  const { history, order, taken } = oneRuns();
  const { placementId } = taken;
  const take = {
    nodeId,
    placementId,
    containerId: order.containerId,
    vector: VECTOR,
  };
  history.add(NodeCapacityTaken, take);
  expect(nodeViolations(history.events)).toHaveLength(1);
  history.add(NodeCapacityFreed, { nodeId, placementId });
  history.add(NodeCapacityFreed, { nodeId, placementId });
  expect(nodeViolations(history.events)).toHaveLength(2);
  history.add(NodeCapacityTaken, take);
  expect(nodeViolations(history.events)).toHaveLength(3);
});

test('an address with two holders is found, though one gives it back later', () => {
  const { history, order, taken } = oneRuns();
  const { address } = taken;
  const leaseId = deriveId('lease', 'second');
  const { containerId } = order;
  history.add(AddressLeased, { rangeId, leaseId, address, containerId });
  history.add(AddressReleased, { rangeId, leaseId, address });
  expect(addressViolations(history.events)).toEqual([
    expect.stringContaining(`${address} is leased by ${leaseId} and by ${taken.leaseId}`),
  ]);
});

test('a lease that gives back what another holds, or comes again, is found', () => {
  const { history, order, taken } = oneRuns();
  const { address, leaseId } = taken;
  const stale = deriveId('lease', 'stale');
  history.add(AddressReleased, { rangeId, leaseId: stale, address });
  expect(addressViolations(history.events)).toHaveLength(1);
  history.add(AddressReleased, { rangeId, leaseId, address });
  const again = { rangeId, leaseId, address, containerId: order.containerId };
  history.add(AddressLeased, again);
  expect(addressViolations(history.events)).toHaveLength(2);
});

test('a lease that was given back before it was made and comes late is found', () => {
  const history = emptyWorld();
  const leaseId = deriveId('lease', 'late');
  history.add(LeaseVoided, { rangeId, leaseId, reason: 'released' });
  const containerId = deriveId('container', 'one');
  history.add(AddressLeased, { rangeId, leaseId, address: '10.0.0.9', containerId });
  expect(addressViolations(history.events)).toHaveLength(1);
});

test('an address that is leased before it has rested is found', () => {
  const history = emptyWorld();
  history.add(RangeRegistered, { rangeId, coolDownSeconds: 60 });
  const lease = (name: string, time: string): void => {
    const leaseId = deriveId('lease', name);
    const containerId = deriveId('container', name);
    const address = '10.0.0.1';
    history.add(AddressLeased, { rangeId, leaseId, address, containerId }, { time });
    history.add(AddressReleased, { rangeId, leaseId, address }, { time });
  };
  lease('a', '2026-04-10T09:00:00.000Z');
  lease('b', '2026-04-10T09:01:00.000Z');
  expect(addressViolations(history.events)).toEqual([]);
  lease('c', '2026-04-10T09:01:59.999Z');
  expect(addressViolations(history.events)).toHaveLength(1);
});

const heirOf = (name: string, memoryBytes: string, taken = '0') => ({
  ...{ reservationId: deriveId('reservation', `heir of ${name}`), tenantId, homeId: tenantId },
  fromReservationId: deriveId('reservation', name),
  vector: { ...VECTOR, memoryBytes },
  taken: { containers: 0, cpuMillis: 0, memoryBytes: taken, diskBytes: '0', addresses: 0 },
});
const NONE = { containers: 0, cpuMillis: 0, memoryBytes: '0', diskBytes: '0', addresses: 0 };

test('one that takes another’s place counts with it as the larger of both, and then alone', () => {
  const history = emptyWorld();
  reserve(history, 'a');
  history.add(LimitSet, { tenantId, limit: { ...VECTOR, memoryBytes: '150' } });
  const heir = heirOf('a', '150', '50');
  history.add(TransferReserved, heir);
  history.add(Transferred, { ...heir, freed: NONE });
  expect(quotaViolations(history)).toEqual([]);
  const smaller = { ...heirOf('a', '80'), fromReservationId: heir.reservationId };
  smaller.reservationId = deriveId('reservation', 'smaller');
  history.add(TransferReserved, smaller);
  history.add(Transferred, { ...smaller, freed: { ...NONE, memoryBytes: '70' } });
  const { reservationId, vector } = smaller;
  history.add(Released, { reservationId, tenantId, vector });
  expect(quotaViolations(history)).toEqual([]);
  expect([...(checkQuotas(history.events).levels.get(tenantId)?.own ?? [])]).toEqual([]);
});

test('a transfer beyond the limit, of nothing, or that takes another amount than it needs is found', () => {
  const beyond = emptyWorld();
  reserve(beyond, 'a');
  beyond.add(LimitSet, { tenantId, limit: { ...VECTOR, memoryBytes: '149' } });
  beyond.add(TransferReserved, heirOf('a', '150', '50'));
  expect(quotaViolations(beyond)).toEqual([expect.stringContaining('uses 150 memoryBytes of 149')]);

  const ofNothing = emptyWorld();
  ofNothing.add(TransferReserved, heirOf('a', '150', '50'));
  expect(quotaViolations(ofNothing)).toEqual([expect.stringContaining('what is not held')]);

  const less = emptyWorld();
  reserve(less, 'a');
  less.add(TransferReserved, heirOf('a', '150', '49'));
  expect(quotaViolations(less)).toEqual([expect.stringContaining('what it needs more')]);

  const twice = emptyWorld();
  reserve(twice, 'a');
  twice.add(TransferReserved, heirOf('a', '150', '50'));
  const reservationId = deriveId('reservation', 'second heir');
  twice.add(TransferReserved, { ...heirOf('a', '150', '50'), reservationId });
  expect(quotaViolations(twice)).toEqual([expect.stringContaining('replaced twice')]);

  const never = emptyWorld();
  reserve(never, 'a');
  never.add(Transferred, { ...heirOf('a', '150', '50'), freed: NONE });
  expect(quotaViolations(never)).toEqual([expect.stringContaining('was never taken')]);

  const more = emptyWorld();
  reserve(more, 'a');
  more.add(TransferReserved, heirOf('a', '150', '50'));
  more.add(Transferred, { ...heirOf('a', '151', '50'), freed: NONE });
  expect(quotaViolations(more)).toEqual([expect.stringContaining('more of it, than it had')]);
});

test('what is given back while another takes its place is the part that the other does not keep', () => {
  const history = emptyWorld();
  reserve(history, 'a');
  const heir = heirOf('a', '80');
  history.add(TransferReserved, heir);
  const reservationId = deriveId('reservation', 'a');
  const right = { ...NONE, memoryBytes: '20' };
  history.add(Released, { reservationId, tenantId, vector: right });
  expect(quotaViolations(history)).toEqual([]);
  history.add(Released, { reservationId: heir.reservationId, tenantId, vector: heir.vector });
  expect(quotaViolations(history)).toEqual([]);

  const whole = emptyWorld();
  reserve(whole, 'a');
  whole.add(TransferReserved, heirOf('a', '80'));
  whole.add(Released, { reservationId, tenantId, vector: VECTOR });
  expect(quotaViolations(whole)).toEqual([expect.stringContaining('what it does not hold')]);
});

test('a limit that has ended binds no more, and the one before it again', () => {
  const history = emptyWorld();
  limit(history, tenantId, 5);
  history.add(LimitExpired, { tenantId, limit: { ...VECTOR, containers: 0 } });
  reserve(history, 'a');
  expect(quotaViolations(history)).toEqual([expect.stringContaining('uses 1 containers of 0')]);
});

test('a node that another size would overfill is found, though the size never comes about', () => {
  const { history, taken, order } = oneRuns();
  const { placementId } = taken;
  const { containerId } = order;
  const resizeId = deriveId('reservation', 'larger');
  const claim = 'op/resize/1';
  const resize = (memoryBytes: string): void => {
    const vector = { ...VECTOR, memoryBytes };
    history.add(NodeCapacityResizing, {
      nodeId,
      placementId,
      containerId,
      resizeId,
      claim,
      vector,
    });
  };
  resize('1000');
  const unsettled = expect.stringContaining('was never settled');
  expect(nodeViolations(history.events)).toEqual([unsettled]);
  // Until it has the new size, the larger of both counts; then the new one alone.
  const second = {
    ...{ nodeId, containerId, placementId: deriveId('placement', 'second') },
    vector: { ...VECTOR, memoryBytes: '1' },
  };
  history.add(NodeCapacityTaken, second);
  expect(nodeViolations(history.events)).toEqual([
    expect.stringContaining('1001 memoryBytes'),
    unsettled,
  ]);
  history.add(NodeCapacityResizeVoided, { nodeId, placementId, claim, reason: 'released' });
  history.add(NodeCapacityTaken, { ...second, placementId: deriveId('placement', 'third') });
  expect(nodeViolations(history.events)).toEqual([
    expect.stringContaining('1001 memoryBytes'),
    expect.stringContaining('3 containers of 2'),
  ]);
});

test('a size that nobody took, or of what is not there, is found', () => {
  const { history, taken } = oneRuns();
  const { placementId } = taken;
  const resizeId = deriveId('reservation', 'larger');
  history.add(NodeCapacityResized, { nodeId, placementId, resizeId });
  expect(nodeViolations(history.events)).toEqual([
    expect.stringContaining('nobody had asked for it'),
  ]);
  const elsewhere = deriveId('placement', 'elsewhere');
  history.add(NodeCapacityResizing, { nodeId, placementId: elsewhere, resizeId, vector: VECTOR });
  expect(nodeViolations(history.events)).toHaveLength(2);
});
