/** When accounts has a new tenant, it gets its place in its tree's ledger. */
import { TenantCreated } from '@bivouac/events/accounts';
import { policy } from '@bivouac/infra/runtime';

import { OpenTenant } from '../api/index.ts';
import { ledgerStream } from '../domain/ledger.ts';

export const openLedger = policy({
  name: 'quotas.open-ledger',
  on: [TenantCreated],
  target: (event) => ledgerStream(event.data.homeId),
  react: async (event, { execute }) => {
    const { tenantId, homeId, kind, parentId } = event.data;
    // The provider's limits are its nodes and address ranges; it has no ledger.
    if (kind === 'provider') return;
    const reply = await execute(OpenTenant, {
      tenantId,
      homeId,
      // Above the home is the provider, which is in no ledger.
      parentId: tenantId === homeId ? null : parentId,
    });
    // Parents come first in the log, so this is a defect: the home is parked until it is looked at.
    if (!reply.ok) {
      throw new Error(
        `${tenantId} cannot be opened in the ledger: ${reply.refusal.code} ${reply.refusal.message}`,
      );
    }
  },
});
