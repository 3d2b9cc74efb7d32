/** Whether there is room for what is asked on every level of the tree, and why nothing is taken. */
import { refuse } from '@bivouac/events/language';
import { amountOf, axes, type ResourceVector } from '@bivouac/events/values';

import { type LedgerState, levels } from './ledger.ts';

/** What a level without a limit may use: sums stay 64-bit integers whatever is asked. */
const MOST = 2n ** 63n - 1n;

/** The first level, from the tenant upwards, on which it does not fit, by its first short axis. */
export function shortage(state: LedgerState, tenantId: string, vector: ResourceVector) {
  for (const [level, { limit, used }] of levels(state, tenantId)) {
    for (const [i, axis] of axes.entries()) {
      const asked = amountOf(vector, axis);
      const taken = used[i] ?? 0n;
      const most = limit === null ? MOST : amountOf(limit, axis);
      // Nothing asked always fits, also where a limit was lowered below what is in use.
      if (asked === 0n || taken + asked <= (most < MOST ? most : MOST)) continue;
      return refuse(
        'QUOTA_EXCEEDED',
        `${asked} ${axis} do not fit: ${taken} of ${most} are in use${level === tenantId ? '' : ' further up the tree'}. Free some or have the limit raised.`,
        {
          path: ['vector', axis],
          details: {
            axis,
            tenantId: level,
            limit: most.toString(),
            used: taken.toString(),
            asked: asked.toString(),
          },
        },
      );
    }
  }
  return undefined;
}

/** It came after its deadline. */
export function late(notAfter: string, now: string) {
  return refuse(
    'RESERVATION_LATE',
    `It was to be reserved by ${notAfter} and it is ${now}; ask again under a new id.`,
    { path: ['notAfter'], details: { now } },
  );
}

/** What was given back is never taken again. */
export function ended() {
  return refuse(
    'RESERVATION_ENDED',
    'This reservation was released; reserve again under a new id.',
    { path: ['reservationId'] },
  );
}
