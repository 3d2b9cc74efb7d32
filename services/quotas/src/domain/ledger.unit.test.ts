import { describe, expect, test } from '@jest/globals';
import type { Decided, Decision } from '@bivouac/events/language';
import { LimitSet, TenantOpened } from '@bivouac/events/quotas';
import {
  addVectors,
  amountOf,
  axes,
  beyond,
  deriveId,
  nothing,
  plusSeconds,
  type ResourceVector,
} from '@bivouac/events/values';
import fc from 'fast-check';

import { context, fold, given, home, later, now, opened, reservationId, vector } from '../given.ts';
import type { LedgerState } from './ledger.ts';
import { expireLimit, setLimit } from './limits.ts';
import { commit, flagOverdue, overdueAt, release, reserve } from './reservations.ts';
import { transfer } from './transfers.ts';

const tenants = [home, ...['left', 'right', 'below'].map((name) => deriveId('tenant', name))];
const [, left = '', right = '', below = ''] = tenants;
/** home > left > below, home > right. */
const parents = new Map<string, string | null>([
  [home, null],
  [left, home],
  [right, home],
  [below, left],
]);
const tree: Decided[] = tenants.map((tenantId) =>
  TenantOpened({ tenantId, homeId: home, parentId: parents.get(tenantId) ?? null }),
);

type Step =
  | {
      readonly kind: 'limit';
      readonly tenant: string;
      readonly limit: ResourceVector | null;
      /** For a time only. */
      readonly brief: boolean;
    }
  | { readonly kind: 'expire'; readonly tenant: string }
  | {
      readonly kind: 'transfer';
      readonly id: string;
      readonly from: string;
      readonly tenant: string;
      readonly vector: ResourceVector;
    }
  | {
      readonly kind: 'reserve';
      readonly id: string;
      readonly tenant: string;
      readonly vector: ResourceVector;
      readonly late: boolean;
    }
  | { readonly kind: 'commit' | 'release' | 'overdue'; readonly id: string };

const tenant = fc.constantFrom(...tenants);
// Few ids and few sizes, so that repeats, clashes and full levels are the rule.
const id = fc.nat({ max: 11 }).map((n) => reservationId(`${n}`));
const amounts = (max: number) =>
  fc.record({
    containers: fc.nat({ max }),
    cpuMillis: fc.nat({ max }),
    memoryBytes: fc.nat({ max }).map(String),
    diskBytes: fc.constantFrom('0', '1', '5000000000000000000'),
    addresses: fc.constant(0),
  });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('limit' as const),
      tenant,
      limit: fc.option(amounts(12)),
      brief: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const), tenant }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('transfer' as const),
      id,
      from: id,
      tenant,
      vector: amounts(4),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('reserve' as const),
      id,
      tenant,
      vector: amounts(4),
      late: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('commit' as const, 'release' as const, 'overdue' as const),
      id,
    }),
  },
);

function decide(state: LedgerState, step: Step): Decision {
  switch (step.kind) {
    case 'limit':
      return setLimit(
        state,
        {
          ...{ tenantId: step.tenant, homeId: home, limit: step.limit, reason: 'test' },
          ...{ askedBy: null, ...(step.brief ? { until: later } : {}) },
        },
        context(),
      );
    case 'expire':
      return expireLimit(
        state,
        { tenantId: step.tenant, homeId: home, until: later },
        context(later),
      );
    case 'transfer':
      return transfer(
        state,
        {
          ...{ reservationId: step.id, fromReservationId: step.from, tenantId: step.tenant },
          ...{ homeId: home, vector: step.vector, notAfter: later },
        },
        context(),
      );
    case 'reserve':
      return reserve(
        state,
        {
          reservationId: step.id,
          tenantId: step.tenant,
          homeId: home,
          vector: step.vector,
          notAfter: plusSeconds(now, step.late ? -1 : 60),
        },
        context(),
      );
    case 'commit':
      return commit(state, { reservationId: step.id, homeId: home });
    case 'release':
      return release(state, { reservationId: step.id, homeId: home });
    case 'overdue':
      return flagOverdue(
        state,
        { reservationId: step.id, homeId: home },
        context(overdueAt(plusSeconds(now, 60))),
      );
  }
}

interface Standing {
  readonly tenant: string;
  readonly vector: ResourceVector;
  readonly committed: boolean;
  /** Set until it has taken that one's place. */
  readonly replaces?: string;
}

/** The ledger by other means: what stands is listed, and every sum is taken anew. */
class Model {
  readonly limits = new Map<string, ResourceVector | null>();
  readonly lasting = new Map<string, ResourceVector | null>();
  readonly brief = new Set<string>();
  readonly live = new Map<string, Standing>();
  readonly ended = new Set<string>();

  /** Of two of which one is to take the other's place, the larger counts. */
  usedOn(level: string): ResourceVector {
    let sum = nothing;
    for (const [id, made] of this.live) {
      if (!pathOf(made.tenant).includes(level)) continue;
      if (made.replaces !== undefined && this.live.has(made.replaces)) continue;
      const heir = this.heirOf(id);
      const more = heir === undefined ? nothing : beyond(heir.vector, made.vector);
      sum = addVectors(sum, addVectors(made.vector, more));
    }
    return sum;
  }

  heirOf(id: string): Standing | undefined {
    return [...this.live.values()].find((made) => made.replaces === id);
  }

  fits(tenantId: string, asked: ResourceVector): boolean {
    return pathOf(tenantId).every((level) => {
      const limit = this.limits.get(level) ?? null;
      const used = this.usedOn(level);
      return axes.every((axis) => {
        const wanted = amountOf(asked, axis);
        const most = limit === null ? 2n ** 63n - 1n : amountOf(limit, axis);
        return wanted === 0n || amountOf(used, axis) + wanted <= most;
      });
    });
  }

  /** How many events the step must yield, or the code it must be refused with. */
  expect(step: Step): number | string {
    if (step.kind === 'limit') {
      const limit = this.limits.get(step.tenant) ?? null;
      const same = JSON.stringify(limit) === JSON.stringify(step.limit);
      return same && this.brief.has(step.tenant) === step.brief ? 0 : 1;
    }
    if (step.kind === 'expire') return this.brief.has(step.tenant) ? 1 : 0;
    const made = this.live.get(step.id);
    if (step.kind === 'reserve') {
      if (made !== undefined) {
        return made.replaces === undefined && sameThing(made, step) ? 0 : 'RESERVATION_DIFFERS';
      }
      if (this.ended.has(step.id)) return 'RESERVATION_ENDED';
      if (step.late) return 'RESERVATION_LATE';
      return this.fits(step.tenant, step.vector) ? 1 : 'QUOTA_EXCEEDED';
    }
    if (step.kind === 'transfer') {
      if (made !== undefined) {
        const one = made.replaces === undefined || made.replaces === step.from;
        return one && sameThing(made, step) ? 0 : 'RESERVATION_DIFFERS';
      }
      if (this.ended.has(step.id)) return 'RESERVATION_ENDED';
      const from = this.live.get(step.from);
      if (from?.tenant !== step.tenant) return 'RESERVATION_UNKNOWN';
      if (!from.committed) return 'RESERVATION_NOT_COMMITTED';
      if (this.heirOf(step.from) !== undefined) return 'TRANSFER_UNDER_WAY';
      return this.fits(step.tenant, beyond(step.vector, from.vector)) ? 1 : 'QUOTA_EXCEEDED';
    }
    if (step.kind === 'release') return this.ended.has(step.id) ? 0 : 1;
    if (step.kind === 'overdue') return -1;
    if (made !== undefined) return made.committed ? 0 : 1;
    return this.ended.has(step.id) ? 'RESERVATION_ENDED' : 'RESERVATION_UNKNOWN';
  }

  apply(step: Step): void {
    switch (step.kind) {
      case 'limit':
        this.limits.set(step.tenant, step.limit);
        if (step.brief) this.brief.add(step.tenant);
        else {
          this.brief.delete(step.tenant);
          this.lasting.set(step.tenant, step.limit);
        }
        return;
      case 'expire':
        this.brief.delete(step.tenant);
        this.limits.set(step.tenant, this.lasting.get(step.tenant) ?? null);
        return;
      case 'reserve':
        this.live.set(step.id, { tenant: step.tenant, vector: step.vector, committed: false });
        return;
      case 'transfer':
        this.live.set(step.id, {
          ...{ tenant: step.tenant, vector: step.vector, committed: false, replaces: step.from },
        });
        return;
      case 'release':
        this.live.delete(step.id);
        this.ended.add(step.id);
        return;
      case 'commit': {
        const made = this.live.get(step.id);
        if (made === undefined) return;
        if (made.replaces !== undefined) {
          this.live.delete(made.replaces);
          this.ended.add(made.replaces);
        }
        this.live.set(step.id, { tenant: made.tenant, vector: made.vector, committed: true });
        return;
      }
      case 'overdue':
    }
  }
}

function sameThing(
  a: { readonly tenant: string; readonly vector: ResourceVector },
  b: { readonly tenant: string; readonly vector: ResourceVector },
): boolean {
  return a.tenant === b.tenant && axes.every((axis) => a.vector[axis] === b.vector[axis]);
}

function pathOf(tenantId: string): string[] {
  const path: string[] = [];
  for (let level: string | null = tenantId; level !== null; level = parents.get(level) ?? null)
    path.push(level);
  return path;
}

describe('whatever comes in whatever order', () => {
  test('the ledger answers as the list of what stands does, and its sums hold after every event', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        let state = given(...tree);
        const model = new Model();
        const released = new Map<string, number>();
        for (const next of steps) {
          const expected = model.expect(next);
          const before = new Map(tenants.map((t) => [t, [...(state.tenants.get(t)?.used ?? [])]]));
          const decision = decide(state, next);
          if (decision.kind === 'refused') expect(decision.refusal.code).toBe(expected);
          else if (expected !== -1) expect(decision.events).toHaveLength(Number(expected));
          if (decision.kind === 'refused' || decision.events.length === 0) continue;
          state = fold(state, decision.events);
          model.apply(next);
          for (const event of decision.events) {
            const reservation = String(event.data['reservationId']);
            if (event.type === 'quotas.Released')
              released.set(reservation, (released.get(reservation) ?? 0) + 1);
          }
          for (const t of tenants) {
            const used = state.tenants.get(t)?.used ?? [];
            const sum = model.usedOn(t);
            expect(used).toEqual(axes.map((axis) => amountOf(sum, axis)));
            const limit = model.limits.get(t) ?? null;
            // What has grown is within its limit: only lowering a limit leaves it below the use.
            axes.forEach((axis, i) => {
              if (limit !== null && (used[i] ?? 0n) > (before.get(t)?.[i] ?? 0n))
                expect(used[i]).toBeLessThanOrEqual(amountOf(limit, axis));
            });
          }
        }
        expect([...released.values()].every((times) => times === 1)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('a parent uses what its children use and what is its own', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let state = given(...tree);
        for (const next of steps) {
          const decision = decide(state, next);
          if (decision.kind === 'refused') continue;
          state = fold(state, decision.events);
          for (const t of tenants) {
            const children = tenants.filter((c) => parents.get(c) === t);
            const own = [...state.live.values()].filter((r) => r.tenantId === t);
            const sum = axes.map((axis, i) =>
              [
                ...children.map((c) => state.tenants.get(c)?.used[i] ?? 0n),
                ...own.map((r) => amountOf(r.vector, axis)),
              ].reduce((a, b) => a + b, 0n),
            );
            expect(state.tenants.get(t)?.used).toEqual(sum);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('a thousand orders at once against room for N', () => {
  const one = vector({ containers: 1 });
  const order = (n: number) => ({
    reservationId: reservationId(`order ${n}`),
    tenantId: home,
    homeId: home,
    vector: one,
    notAfter: plusSeconds(now, 60),
  });
  const roomFor = (n: number): Decided[] => [
    opened,
    LimitSet({
      tenantId: home,
      homeId: home,
      limit: vector({ containers: n }),
      previous: null,
      reason: 'test',
    }),
  ];

  test('yield exactly N when decided one after the other', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1000 }), (n) => {
        let state = given(...roomFor(n));
        let taken = 0;
        for (let i = 0; i < 1000; i++) {
          const decision = reserve(state, order(i), context());
          if (decision.kind === 'refused') continue;
          taken += 1;
          state = fold(state, decision.events);
        }
        expect(taken).toBe(n);
      }),
      { numRuns: 5 },
    );
  });

  test('yield exactly N when writers race for each revision and repeat what they lost', async () => {
    const n = 137;
    const log: Decided[] = roomFor(n);
    const append = (expected: number, events: readonly Decided[]): boolean => {
      if (log.length !== expected) return false;
      log.push(...events);
      return true;
    };
    let conflicts = 0;
    /** Eight writers, each with a state of its own, stopped between reading and writing. */
    const writer = async (orders: number[]): Promise<number> => {
      let state = given();
      let read = 0;
      let taken = 0;
      for (const i of orders) {
        for (;;) {
          state = fold(state, log.slice(read));
          read = log.length;
          const decision = reserve(state, order(i), context());
          await Promise.resolve();
          if (decision.kind === 'refused') break;
          if (append(read, decision.events)) {
            taken += 1;
            break;
          }
          conflicts += 1;
        }
      }
      return taken;
    };
    const shares = Array.from({ length: 8 }, (_, w) =>
      Array.from({ length: 125 }, (__, i) => i * 8 + w),
    );
    const taken = await Promise.all(shares.map(writer));
    expect(taken.reduce((a, b) => a + b, 0)).toBe(n);
    expect(log).toHaveLength(2 + n);
    expect(conflicts).toBeGreaterThan(0);
  });
});
