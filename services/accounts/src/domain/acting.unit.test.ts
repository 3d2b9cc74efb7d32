import { describe, expect, test } from '@jest/globals';
import { ActingEnded, ActingStarted } from '@bivouac/events/accounts';
import { deriveId } from '@bivouac/events/values';

import { acting } from '../aggregates.ts';
import { context, given, home, outcome } from '../given.ts';
import { endActing, startActing } from './acting.ts';

const actingId = deriveId('acting', 'test');
const memberId = deriveId('member', 'staff');
const facts = { actingId, tenantId: home, homeId: home };
const reason = 'Ticket 4711: the owner asks us to move the web server';
const input = {
  ...{ ...facts, memberId, reason, minutes: 60 },
  tenant: { kind: 'customer', closed: false },
} as const;
const endsAt = '2026-04-10T10:00:00.000Z';
const started = ActingStarted({ ...facts, memberId, reason, endsAt });
const ended = ActingEnded(facts);

describe('acting for a tenant', () => {
  test('says who, why and until when', () => {
    expect(outcome(startActing(given(acting), input, context()))).toEqual([started]);
  });

  test.each([
    [
      'the provider',
      { tenant: { kind: 'provider', closed: false } },
      'PROVIDER_CANNOT_BE_ACTED_FOR',
    ],
    ['nobody', { tenant: undefined }, 'TENANT_UNKNOWN'],
  ] as const)('is refused for %s', (_whom, change, code) => {
    expect(outcome(startActing(given(acting), { ...input, ...change }, context()))).toMatchObject({
      code,
      path: ['tenantId'],
    });
  });

  test('is for people: what has no member does not act', () => {
    const nobody = { ...input, memberId: undefined };
    expect(outcome(startActing(given(acting), nobody, context()))).toMatchObject({
      code: 'NOT_ALLOWED',
    });
  });

  test('is ended before its time, once; after its time it has ended by itself', () => {
    expect(outcome(endActing(given(acting, started), context()))).toEqual([ended]);
    expect(outcome(endActing(given(acting, started, ended), context()))).toEqual([]);
    const late = { ...context(), now: endsAt };
    expect(outcome(endActing(given(acting, started), late))).toEqual([]);
    expect(outcome(endActing(given(acting), context()))).toMatchObject({ code: 'ACTING_UNKNOWN' });
  });
});
