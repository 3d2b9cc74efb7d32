/**
 * When a hold is placed on or lifted from a tenant, then the tree's roster takes note; when the
 * roster has, then each container it reaches is held or freed. The roster's order makes it complete.
 */
import { TenantHoldLifted, TenantHoldPlaced } from '@bivouac/events/accounts';
import { RosterHoldLifted, RosterHoldPlaced } from '@bivouac/events/containers';
import { is, type Recorded } from '@bivouac/events/language';
import { policy, type PolicyContext } from '@bivouac/infra/runtime';

import { roster } from '../commands/aggregates.ts';
import { LiftTenantHold, PlaceTenantHold } from '../commands/containers.ts';
import { LiftRosterHold, PlaceRosterHold } from '../commands/rosters.ts';
import { reachedBy } from '../domain/roster.ts';

/** How many containers are held or freed at once. */
const AT_ONCE = 32;

export const noteTenantHold = policy({
  name: 'containers.note-tenant-hold',
  on: [TenantHoldPlaced, TenantHoldLifted],
  react: async (event, context) => {
    const { homeId, hold, reaches: tenantIds } = event.data;
    if (is(event, TenantHoldPlaced)) {
      await context.execute(PlaceRosterHold, { homeId, hold, tenantIds });
    } else {
      await context.execute(LiftRosterHold, { homeId, holdId: hold.holdId, tenantIds });
    }
  },
});

export const holdContainers = policy({
  name: 'containers.hold-of-roster',
  on: [RosterHoldPlaced, RosterHoldLifted],
  react: async (event, context) => {
    const { homeid: homeId } = event;
    if (is(event, RosterHoldPlaced)) {
      const { hold, tenantIds } = event.data;
      await eachReached(event, tenantIds, context, async (containerId, tenantId) => {
        const input = { containerId, tenantId, homeId, hold };
        await context.execute(PlaceTenantHold, input, containerId);
      });
    } else {
      const { holdId, tenantIds } = event.data;
      await eachReached(event, tenantIds, context, async (containerId, tenantId) => {
        const input = { containerId, tenantId, homeId, holdId };
        await context.execute(LiftTenantHold, input, containerId);
      });
    }
  },
});

/** The containers as the roster had them at this very event. */
async function eachReached(
  event: Recorded,
  tenantIds: readonly string[],
  context: PolicyContext,
  act: (containerId: string, tenantId: string) => Promise<void>,
): Promise<void> {
  const { state } = await context.load(roster, event.stream, event.revision);
  const reached = reachedBy(state, tenantIds);
  for (let i = 0; i < reached.length; i += AT_ONCE) {
    const some = reached.slice(i, i + AT_ONCE);
    await Promise.all(some.map((one) => act(one.containerId, one.tenantId)));
  }
}
