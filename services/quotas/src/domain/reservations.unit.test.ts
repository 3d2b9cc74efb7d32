import { describe, expect, test } from '@jest/globals';
import type { Decided } from '@bivouac/events/language';
import {
  Committed,
  LimitSet,
  Released,
  ReservationOverdue,
  ReservationVoided,
  TenantOpened,
} from '@bivouac/events/quotas';
import { deriveId, type ResourceVector } from '@bivouac/events/values';

import {
  context,
  given,
  home,
  later,
  now,
  opened,
  outcome,
  reservationId,
  reserved,
  vector,
} from '../given.ts';
import { commit, flagOverdue, overdueAt, release, reserve } from './reservations.ts';

const reseller = home;
const child = deriveId('tenant', 'child');
const childOpened = TenantOpened({ tenantId: child, homeId: home, parentId: reseller });
const one = vector({ containers: 1, cpuMillis: 1000, memoryBytes: '1024', diskBytes: '4096' });
const named = { reservationId: reservationId('a'), homeId: home };
const order = { ...named, tenantId: home, vector: one, notAfter: later };
const held = { ...named, tenantId: home, vector: one };
const committed = Committed(held);
const released = Released({ ...held, committed: false });
const voided = ReservationVoided(named);

function limited(tenantId: string, limit: ResourceVector): Decided {
  return LimitSet({ tenantId, homeId: home, limit, previous: null, reason: 'test' });
}

describe('reserving', () => {
  test('takes what fits, and says until when it holds', () => {
    expect(outcome(reserve(given(opened), order, context()))).toEqual([reserved('a', one)]);
  });

  test('again changes nothing, also after its deadline and once committed', () => {
    const state = given(opened, reserved('a', one), committed);
    expect(outcome(reserve(state, order, context(overdueAt(later))))).toEqual([]);
  });

  test.each([
    ['another vector', { ...order, vector: vector({ containers: 2 }) }],
    ['another tenant', { ...order, tenantId: child }],
  ])('under the same id for %s is refused', (_what, other) => {
    const state = given(opened, childOpened, reserved('a', one));
    expect(outcome(reserve(state, other, context()))).toMatchObject({
      code: 'RESERVATION_DIFFERS',
      details: { tenantId: home, vector: one },
    });
  });

  test('what was released is refused for ever', () => {
    const state = given(opened, reserved('a', one), released);
    expect(outcome(reserve(state, order, context()))).toMatchObject({ code: 'RESERVATION_ENDED' });
  });

  test('finds the tombstone of a release that came first', () => {
    const state = given(opened, voided);
    expect(outcome(reserve(state, order, context()))).toMatchObject({ code: 'RESERVATION_ENDED' });
  });

  test('is possible at its deadline, not after', () => {
    expect(outcome(reserve(given(opened), order, context(later)))).toHaveLength(1);
    expect(
      outcome(reserve(given(opened), order, context('2026-04-10T09:05:00.001Z'))),
    ).toMatchObject({ code: 'RESERVATION_LATE' });
  });

  test('for a tenant that is not in the ledger is refused', () => {
    expect(outcome(reserve(given(), order, context()))).toMatchObject({ code: 'TENANT_UNKNOWN' });
  });

  test.each([
    ['containers', { containers: 0 }, '0', '1'],
    ['cpuMillis', { cpuMillis: 999 }, '999', '1000'],
    ['memoryBytes', { memoryBytes: '1023' }, '1023', '1024'],
    ['diskBytes', { diskBytes: '4095' }, '4095', '4096'],
  ])('beyond the limit on %s is refused with what is short', (axis, less, limit, asked) => {
    const state = given(opened, limited(home, { ...one, ...less }));
    expect(outcome(reserve(state, order, context()))).toMatchObject({
      code: 'QUOTA_EXCEEDED',
      path: ['vector', axis],
      details: { axis, tenantId: home, limit, used: '0', asked },
    });
  });

  test('is checked on every level up the tree', () => {
    const state = given(
      opened,
      childOpened,
      limited(reseller, vector({ containers: 2 })),
      limited(child, vector({ containers: 10 })),
      reserved('b', vector({ containers: 1 }), reseller),
      reserved('c', vector({ containers: 1 }), child),
    );
    const more = { ...order, tenantId: child, vector: vector({ containers: 1 }) };
    expect(outcome(reserve(state, more, context()))).toMatchObject({
      code: 'QUOTA_EXCEEDED',
      details: { axis: 'containers', tenantId: reseller, limit: '2', used: '2', asked: '1' },
    });
  });

  test('names the lowest level that is short', () => {
    const state = given(
      opened,
      childOpened,
      limited(reseller, vector({})),
      limited(child, vector({})),
    );
    const more = { ...order, tenantId: child };
    expect(outcome(reserve(state, more, context()))).toMatchObject({
      details: { tenantId: child },
    });
  });

  test('nothing new fits below a limit lowered under its use; what asks nothing of it does', () => {
    const state = given(
      opened,
      reserved('b', vector({ containers: 5, addresses: 1 })),
      limited(home, vector({ containers: 3, addresses: 2 })),
    );
    const more = (asked: ResourceVector) =>
      outcome(reserve(state, { ...order, vector: asked }, context()));
    expect(more(vector({ containers: 1 }))).toMatchObject({ details: { limit: '3', used: '5' } });
    expect(more(vector({ addresses: 1 }))).toHaveLength(1);
  });

  test('without any limit sums stay 64-bit integers', () => {
    const huge = vector({ memoryBytes: '9223372036854775807' });
    const state = given(opened, reserved('b', huge));
    const more = { ...order, vector: vector({ memoryBytes: '1' }) };
    expect(outcome(reserve(state, more, context()))).toMatchObject({ code: 'QUOTA_EXCEEDED' });
    const beyond = { ...order, vector: vector({ memoryBytes: '9999999999999999999' }) };
    expect(outcome(reserve(given(opened), beyond, context()))).toMatchObject({
      code: 'QUOTA_EXCEEDED',
    });
  });
});

describe('committing', () => {
  test('keeps what was reserved', () => {
    expect(outcome(commit(given(opened, reserved('a', one)), named))).toEqual([committed]);
  });

  test('again changes nothing', () => {
    expect(outcome(commit(given(opened, reserved('a', one), committed), named))).toEqual([]);
  });

  test('what was never reserved, or was released, is refused', () => {
    expect(outcome(commit(given(opened), named))).toMatchObject({ code: 'RESERVATION_UNKNOWN' });
    const ended = given(opened, reserved('a', one), released);
    expect(outcome(commit(ended, named))).toMatchObject({ code: 'RESERVATION_ENDED' });
    expect(outcome(commit(given(opened, voided), named))).toMatchObject({
      code: 'RESERVATION_ENDED',
    });
  });
});

describe('releasing', () => {
  test('gives back what was reserved, and what was committed', () => {
    expect(outcome(release(given(opened, reserved('a', one)), named))).toEqual([released]);
    expect(outcome(release(given(opened, reserved('a', one), committed), named))).toEqual([
      Released({ ...held, committed: true }),
    ]);
  });

  test('again changes nothing', () => {
    expect(outcome(release(given(opened, reserved('a', one), released), named))).toEqual([]);
    expect(outcome(release(given(voided), named))).toEqual([]);
  });

  test('what was never reserved leaves a tombstone, also in a ledger not opened yet', () => {
    expect(outcome(release(given(), named))).toEqual([voided]);
  });
});

describe('a reservation nobody came back for', () => {
  const due = overdueAt(later);

  test('is said to be overdue once, and keeps what it holds', () => {
    const overdue = ReservationOverdue({ ...held, notAfter: later });
    const state = given(opened, reserved('a', one));
    expect(outcome(flagOverdue(state, named, context(due)))).toEqual([overdue]);
    const flagged = given(opened, limited(home, one), reserved('a', one), overdue);
    expect(outcome(flagOverdue(flagged, named, context(due)))).toEqual([]);
    const another = { ...order, reservationId: reservationId('b') };
    expect(outcome(reserve(flagged, another, context()))).toMatchObject({
      code: 'QUOTA_EXCEEDED',
    });
    expect(outcome(commit(flagged, named))).toEqual([committed]);
  });

  test('is not overdue before its time', () => {
    expect(
      outcome(flagOverdue(given(opened, reserved('a', one)), named, context(now))),
    ).toMatchObject({ code: 'RESERVATION_NOT_DUE', retryable: true });
  });

  test('is no matter any more once committed or released', () => {
    for (const state of [
      given(opened, reserved('a', one), committed),
      given(opened, reserved('a', one), released),
      given(opened),
    ]) {
      expect(outcome(flagOverdue(state, named, context(due)))).toEqual([]);
    }
  });
});
