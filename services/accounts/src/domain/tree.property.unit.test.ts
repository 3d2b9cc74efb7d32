/**
 * Law: whatever is created, held and lifted in a tree, in any order, a tenant may order exactly where
 * no hold stands on it or above it; and what a hold's events reach is undone exactly.
 */
import { expect, test } from '@jest/globals';
import { TenantHoldLifted, TenantHoldPlaced } from '@bivouac/events/accounts';
import { type Decided, type Decision, is } from '@bivouac/events/language';
import { HoldKindSchema } from '@bivouac/events/operations';
import { deriveId, uuidOf } from '@bivouac/events/values';
import fc from 'fast-check';

import { tree } from '../aggregates.ts';
import { context, created, given, home, person, sealedOf } from '../given.ts';
import { liftHold, orderRefusal, placeHold } from './holds.ts';
import { kindsBelow } from './standing.ts';
import { createBelow, pathOf, subtreeOf, treeStream } from './tree.ts';

const contact = { personId: person, email: sealedOf(person), name: null };
const step = fc.oneof(
  fc.record({ what: fc.constant('create' as const), at: fc.nat() }),
  fc.record({
    what: fc.constant('place' as const),
    at: fc.nat(),
    kind: fc.constantFrom(...HoldKindSchema.options),
  }),
  fc.record({ what: fc.constant('lift' as const), at: fc.nat() }),
);

/** Which holds reach a tenant by what the events say: as those see it who follow the tree. */
class Followed {
  readonly #holds = new Map<string, ReadonlySet<string>>();

  follow(event: Decided): void {
    if (is(event, TenantHoldPlaced)) {
      this.#holds.set(event.data.hold.holdId, new Set(event.data.reaches));
    } else if (is(event, TenantHoldLifted)) this.#holds.delete(event.data.hold.holdId);
  }

  on(tenantId: string): string[] {
    return [...this.#holds].filter(([, on]) => on.has(tenantId)).map(([id]) => id);
  }
}

test('holds stand on all below, from birth, and each is lifted for itself', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const log: Decided[] = [created('reseller')];
      const followed = new Followed();
      /** Tenant by hold that stands, and which tenants there were when it was placed. */
      const standing = new Map<string, { on: string; known: ReadonlySet<string> }>();
      steps.forEach((wish, n) => {
        const state = given(tree, ...log);
        const ids = [...state.tenants.keys()];
        const at = ids[wish.at % ids.length] ?? home;
        const tenant = state.tenants.get(at);
        let decided: Decided[] = [];
        if (wish.what === 'create') {
          const [kind] = kindsBelow[tenant?.kind ?? 'sub-account'];
          if (kind === undefined) return;
          const tenantId = deriveId('tenant', `${n}`);
          const asked = { tenantId, parentId: at, kind, name: 'x', contact };
          decided = eventsOf(createBelow(state, asked));
          expect(decided).toHaveLength(1);
        } else if (wish.what === 'place') {
          const asked = { tenantId: at, kind: wish.kind, reason: 'x' };
          decided = eventsOf(placeHold(state, asked, context(treeStream(home), uuidOf(`${n}`))));
          for (const event of decided) {
            if (!is(event, TenantHoldPlaced)) throw new Error(`not a hold: ${event.type}`);
            const { hold, reaches } = event.data;
            expect(reaches).toEqual(subtreeOf(state, at));
            standing.set(hold.holdId, { on: at, known: new Set(ids) });
          }
        } else {
          const all = [...standing.keys()];
          const holdId = all[wish.at % Math.max(1, all.length)];
          const hold = holdId === undefined ? undefined : standing.get(holdId);
          if (holdId === undefined || hold === undefined) return;
          decided = eventsOf(liftHold(state, { tenantId: hold.on, holdId }));
          expect(decided).toHaveLength(1);
          standing.delete(holdId);
        }
        log.push(...decided);
        decided.forEach((event) => {
          followed.follow(event);
        });

        const after = given(tree, ...log);
        for (const id of after.tenants.keys()) {
          const path = pathOf(after, id).map((level) => level.id);
          const over = [...standing].filter(([, { on }]) => path.includes(on));
          expect(orderRefusal(after, id)?.code).toBe(
            over.length > 0 ? 'TENANT_ON_HOLD' : undefined,
          );
          // Born later, it had nothing yet that a hold would have to reach.
          expect(followed.on(id).sort()).toEqual(
            over
              .filter(([, { known }]) => known.has(id))
              .map(([holdId]) => holdId)
              .sort(),
          );
        }
      });
    }),
  );
});

function eventsOf(decision: Decision): Decided[] {
  return decision.kind === 'accepted' ? [...decision.events] : [];
}
