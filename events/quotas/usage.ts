/**
 * Events of what a tree's containers used in an hour, `usage-<home tenant id>-<yyyymmddhh>`. A part is
 * what one node's agent reports of it; when every node concerned has reported, or two hours later, the
 * hour is closed. What comes then amends it, and counts where it is recorded.
 */
import { z } from 'zod';

import { customer, event, staff } from '../language/index.ts';
import { HourSchema, MOST_IN_PART, UsageEntrySchema } from '../node/index.ts';
import { idOf } from '../values/index.ts';

const homeId = customer(idOf('tenant'));
const hour = customer(HourSchema);
const nodes = z.array(idOf('node')).max(1000);

/** Of more nodes an hour does not wait for each: it is closed when its time is over. */
export const MOST_CONCERNED = 100;

const part = {
  homeId,
  hour,
  nodeId: staff(idOf('node')),
  /** The agent's count, and which part of its report of that hour this is. */
  meterId: staff(z.uuid()),
  part: staff(z.number().int().min(0)),
  /** Samples of the node in that hour, and the SHA-256 of their chain: they are in the agent's files. */
  samples: staff(z.number().int().min(0)),
  samplesDigest: staff(z.string().regex(/^[0-9a-f]{64}$/)),
  /** Nodes that had containers of the tree then; null where there were too many to look at. */
  concerned: staff(z.array(idOf('node')).max(MOST_CONCERNED).nullable()),
  /** Each container's tenant is of the home's tree. */
  entries: customer(
    z.array(UsageEntrySchema.extend({ tenantId: idOf('tenant') })).max(MOST_IN_PART),
  ),
};

export const UsageRolledUp = event('quotas.UsageRolledUp', z.strictObject(part));

/** It came after the hour was closed. */
export const UsageAmended = event('quotas.UsageAmended', z.strictObject(part));

export const UsageHourClosed = event(
  'quotas.UsageHourClosed',
  z.strictObject({
    homeId,
    hour,
    /** Nodes that have reported, and those that had containers of the tree and have not; sorted. */
    reported: staff(nodes),
    missing: staff(nodes),
  }),
);

export const usageEvents = [UsageRolledUp, UsageAmended, UsageHourClosed] as const;
