/**
 * Events of a tree's roster, `roster-<home>`: which containers the tree has and which holds stand on
 * its tenants. A container enters here before it exists, so that a hold misses none.
 */
import { z } from 'zod';

import { event, staff } from '../language/index.ts';
import { HoldSchema } from '../operations/index.ts';
import { idOf } from '../values/index.ts';

const containerId = staff(idOf('container'));

export const ContainerEntered = event(
  'containers.ContainerEntered',
  z.strictObject({ containerId, tenantId: staff(idOf('tenant')) }),
);

export const ContainerLeft = event('containers.ContainerLeft', z.strictObject({ containerId }));

/**
 * What was given up before it entered does not enter any more: an entry that is still on its way finds another
 * revision than it expects, one that is decided anew is refused.
 */
export const ContainerKeptOut = event(
  'containers.ContainerKeptOut',
  z.strictObject({ containerId }),
);

/** A tenant's hold reached the roster: it is put on each container of these tenants. */
export const RosterHoldPlaced = event(
  'containers.RosterHoldPlaced',
  z.strictObject({ hold: staff(HoldSchema), tenantIds: staff(z.array(idOf('tenant')).min(1)) }),
);

export const RosterHoldLifted = event(
  'containers.RosterHoldLifted',
  z.strictObject({ holdId: staff(idOf('hold')), tenantIds: staff(z.array(idOf('tenant'))) }),
);

export const rosterEvents = [
  ContainerEntered,
  ContainerLeft,
  ContainerKeptOut,
  RosterHoldPlaced,
  RosterHoldLifted,
] as const;
