/**
 * An invoice that stays unpaid holds its account, and lets it go when it is paid or void. Each invoice
 * has a hold of its own, and a new one where it falls due again, so that paying one of two overdue
 * invoices lifts nothing too early.
 */
import { DunningHoldClear, DunningHoldDue } from '@bivouac/events/billing';
import { is } from '@bivouac/events/language';
import { deriveId } from '@bivouac/events/values';
import { policy, RuntimeError } from '@bivouac/infra/runtime';

import { tree } from '../aggregates.ts';
import { LiftTenantHold, PlaceTenantHold } from '../api/index.ts';
import { treeStream } from '../domain/tree.ts';

export const dunningHolds = policy({
  name: 'accounts.dunning-holds',
  on: [DunningHoldDue, DunningHoldClear],
  target: (event) => treeStream(event.data.homeId),
  react: async (event, context) => {
    const { accountId: tenantId, homeId, invoiceId } = event.data;
    const { standing, next } = await context.read(tree, treeStream(homeId), (state) =>
      holdsOf(invoiceId, state.tenants.get(tenantId)),
    );
    const reply = is(event, DunningHoldDue)
      ? await context.execute(PlaceTenantHold, {
          ...{ tenantId, homeId, kind: 'billing', holdId: standing ?? next },
          reason: `The invoice ${invoiceId} is overdue.`,
        })
      : standing === undefined
        ? undefined
        : await context.execute(LiftTenantHold, { tenantId, homeId, holdId: standing });
    // Accounts are billed from their tree on, so this is a defect: the home is parked.
    if (reply?.ok === false) {
      throw new RuntimeError('defect', `a dunning hold was refused: ${reply.refusal.message}`);
    }
  },
});

/** The invoice's hold that stands, and the id of its next one: the first that was not lifted yet. */
function holdsOf(
  invoiceId: string,
  tenant:
    | { readonly holds: ReadonlyMap<string, unknown>; readonly lifted: ReadonlySet<string> }
    | undefined,
): { readonly standing: string | undefined; readonly next: string } {
  for (let round = 0; ; round++) {
    const holdId = deriveId('hold', 'dunning', invoiceId, String(round));
    if (tenant?.holds.has(holdId) === true) return { standing: holdId, next: holdId };
    if (tenant?.lifted.has(holdId) !== true) return { standing: undefined, next: holdId };
  }
}
