import { describe, expect, test } from '@jest/globals';
import type { Hold } from '@bivouac/events/operations';
import fc from 'fast-check';

import { roster } from '../commands/aggregates.ts';
import { id, Stream } from '../given.ts';
import {
  enterContainer,
  keepOut,
  leaveRoster,
  liftRosterHold,
  placeRosterHold,
  reachedBy,
  type RosterState,
} from './roster.ts';

const hold = (name = 'a'): Hold => ({
  holdId: id('hold', name),
  kind: 'billing',
  reason: 'overdue',
});
const enter = (stream: Stream<RosterState>, container: string, tenant = 'a') =>
  stream.when((state) =>
    enterContainer(state, {
      containerId: id('container', container),
      tenantId: id('tenant', tenant),
    }),
  );
const leave = (stream: Stream<RosterState>, container: string) =>
  stream.when((state) => leaveRoster(state, { containerId: id('container', container) }));
const kept = (stream: Stream<RosterState>, container: string) =>
  stream.when((state) => keepOut(state, { containerId: id('container', container) }));
const place = (stream: Stream<RosterState>, name: string, ...tenants: string[]) =>
  stream.when((state) =>
    placeRosterHold(state, { hold: hold(name), tenantIds: tenants.map((t) => id('tenant', t)) }),
  );
const lift = (stream: Stream<RosterState>, name: string, ...tenants: string[]) =>
  stream.when((state) =>
    liftRosterHold(state, {
      holdId: id('hold', name),
      tenantIds: tenants.map((t) => id('tenant', t)),
    }),
  );

describe('a roster', () => {
  test('takes a container in once and lets it go once', () => {
    const stream = new Stream(roster);
    expect(enter(stream, 'x')).toEqual(['ContainerEntered']);
    expect(enter(stream, 'x')).toEqual([]);
    expect(leave(stream, 'x')).toEqual(['ContainerLeft']);
    expect(leave(stream, 'x')).toEqual([]);
  });

  test('lets in nothing that was given up before it came', () => {
    const stream = new Stream(roster);
    expect(kept(stream, 'x')).toEqual(['ContainerKeptOut']);
    expect(kept(stream, 'x')).toEqual([]);
    expect(enter(stream, 'x')).toBe('CONTAINER_GONE');
    expect(leave(stream, 'x')).toEqual([]);
    expect(enter(stream, 'y')).toEqual(['ContainerEntered']);
    expect(kept(stream, 'y')).toEqual(['ContainerLeft']);
  });

  test('refuses a container of a tenant that is held, and of no other', () => {
    const stream = new Stream(roster);
    place(stream, 'h', 'a', 'b');
    expect(enter(stream, 'x', 'b')).toBe('TENANT_HELD');
    expect(enter(stream, 'x', 'c')).toEqual(['ContainerEntered']);
    lift(stream, 'h', 'a', 'b');
    expect(enter(stream, 'y', 'b')).toEqual(['ContainerEntered']);
  });

  test('refuses while any of two holds stands', () => {
    const stream = new Stream(roster);
    place(stream, 'h', 'a');
    place(stream, 'i', 'a');
    lift(stream, 'h', 'a');
    expect(enter(stream, 'x', 'a')).toBe('TENANT_HELD');
  });

  test('knows a hold by its id for ever', () => {
    const stream = new Stream(roster);
    expect(place(stream, 'h', 'a')).toEqual(['RosterHoldPlaced']);
    expect(place(stream, 'h', 'a')).toEqual([]);
    expect(lift(stream, 'h', 'a')).toEqual(['RosterHoldLifted']);
    expect(lift(stream, 'h', 'a')).toEqual([]);
    expect(place(stream, 'h', 'a')).toEqual([]);
    expect(lift(stream, 'unseen', 'a')).toEqual(['RosterHoldLifted']);
    expect(place(stream, 'unseen', 'a')).toEqual([]);
  });

  test('misses no container: each one of a held tenant entered before and is reached', () => {
    const tenants = fc.constantFrom('a', 'b', 'c');
    const action = fc.oneof(
      fc.record({
        do: fc.constant('enter' as const),
        name: fc.constantFrom(...'stuvwxyz'),
        tenant: tenants,
      }),
      fc.record({
        do: fc.constant('hold' as const),
        name: fc.constantFrom('h', 'i'),
        tenant: tenants,
      }),
      fc.record({ do: fc.constant('lift' as const), name: fc.constantFrom('h', 'i') }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const stream = new Stream(roster);
        const reached = new Map<string, Set<string>>();
        for (const one of actions) {
          if (one.do === 'enter') enter(stream, one.name, one.tenant);
          else if (one.do === 'lift') lift(stream, one.name);
          else if (place(stream, one.name, one.tenant).length > 0) {
            const ids = reachedBy(stream.state, [id('tenant', one.tenant)]);
            reached.set(id('hold', one.name), new Set(ids.map((r) => r.containerId)));
          }
          for (const [holdId, { tenantIds }] of stream.state.holds) {
            for (const [containerId, tenantId] of stream.state.containers) {
              if (tenantIds.has(tenantId)) expect(reached.get(holdId)).toContain(containerId);
            }
          }
        }
      }),
    );
  });
});
