/**
 * Events of a session in which a member of the provider acts for a tenant, `acting-<acting id>`. The
 * stream is the tenant's, which so sees that it happened, by whom and why.
 */
import { z } from 'zod';

import { customer, event } from '../language/index.ts';
import { idOf, InstantSchema } from '../values/index.ts';

const facts = {
  actingId: customer(idOf('acting')),
  tenantId: customer(idOf('tenant')),
  homeId: customer(idOf('tenant')),
};

export const ActingStarted = event(
  'accounts.ActingStarted',
  z.strictObject({
    ...facts,
    /** Who acts: a lasting pseudonym. */
    memberId: customer(idOf('member')),
    reason: customer(z.string().min(1).max(500)),
    /** From this instant on nothing is done by it. */
    endsAt: customer(InstantSchema),
  }),
);

/** It was ended before its time. */
export const ActingEnded = event('accounts.ActingEnded', z.strictObject(facts));

export const actingEvents = [ActingStarted, ActingEnded] as const;
