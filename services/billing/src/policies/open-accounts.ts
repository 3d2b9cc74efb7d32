/** Every tenant but the provider has an account, which the tenant directly above it invoices. */
import { PROVIDER_ID, TenantCreated } from '@bivouac/events/accounts';
import { policy } from '@bivouac/infra/runtime';

import { OpenAccount } from '../api/account.ts';
import { accountStream } from '../domain/account.ts';
import { accepted } from './accepted.ts';

export const openAccounts = policy({
  name: 'billing.open-accounts',
  on: [TenantCreated],
  target: (event) => accountStream(event.data.tenantId),
  react: async (event, context) => {
    const { tenantId: accountId, parentId: issuerId, homeId } = event.data;
    if (issuerId === null) return;
    accepted(
      await context.execute(OpenAccount, {
        accountId,
        homeId,
        issuerId,
        // The provider is its own home; whoever else is above has the home in common.
        issuerHomeId: issuerId === PROVIDER_ID ? PROVIDER_ID : homeId,
      }),
    );
  },
});
