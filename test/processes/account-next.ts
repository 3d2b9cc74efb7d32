/**
 * The events of an account as a later release could have them: a second version of one, which it reads
 * and does not write by itself. A build of the processes has this in place of `events/billing/account.ts`.
 */
import { customer, event } from '@bivouac/events/language';
import { z } from 'zod';

import * as before from '../../events/billing/account.ts';

export * from '../../events/billing/account.ts';

const V1 = before.SetupCharged.schema;

/** Says besides what it is for. */
export const SetupCharged = event(
  'billing.SetupCharged',
  z.strictObject({ ...V1.shape, purpose: customer(z.string()).optional() }),
  {
    schemas: { 1: V1 },
    upcasters: [
      {
        from: 1,
        to: 2,
        upcast: (body) => ({ ...body, purpose: 'set-up' }),
        downcast: ({ purpose: _, ...body }) => body,
      },
    ],
    writes: 1,
  },
);

export const accountEvents = before.accountEvents.map((one) =>
  one.type === SetupCharged.type ? SetupCharged : one,
);
