/** What the accounts service is made of: tenants, members, invitations, API keys, holds, erasure. */
import { accountsEvents } from '@bivouac/events/accounts';
import { DunningHoldClear, DunningHoldDue } from '@bivouac/events/billing';
import { operationProtocolEvents } from '@bivouac/events/operations';
import { service } from '@bivouac/infra/runtime';

import { accountsCommands } from './commands/index.ts';
import { admit } from './policies/admit.ts';
import { destroyKeys } from './policies/destroy-keys.ts';
import { dunningHolds } from './policies/dunning-holds.ts';
import { firstKeys } from './policies/first-keys.ts';
import { accessProjection } from './projections/access.ts';
import { accountsProjection } from './projections/accounts.ts';
import { guestsProjection } from './projections/guests.ts';
import { personsProjection } from './projections/persons.ts';
import { accessQueries } from './queries/access.ts';
import { accountQueries } from './queries/accounts.ts';
import { authenticate, authenticateInvitation } from './queries/authenticate.ts';
import { accountHistory } from './queries/history.ts';
import { personQueries } from './queries/persons.ts';
import { startup } from './startup.ts';

export const accountsService = service({
  name: 'accounts',
  events: [...accountsEvents, DunningHoldDue, DunningHoldClear, ...operationProtocolEvents],
  commands: accountsCommands,
  queries: [
    ...accountQueries,
    ...accessQueries,
    ...personQueries,
    authenticate,
    authenticateInvitation,
    accountHistory,
  ],
  projections: [accountsProjection, accessProjection, guestsProjection, personsProjection],
  policies: [dunningHolds, firstKeys, destroyKeys],
  responders: [admit],
  startup,
});
