/** What the accounts service is made of: tenants, members, API keys, holds, erasure. */
import { accountsEvents } from '@bivouac/events/accounts';
import { DunningHoldClear, DunningHoldDue } from '@bivouac/events/billing';
import { operationProtocolEvents } from '@bivouac/events/operations';
import { service } from '@bivouac/infra/runtime';

import { accountsCommands } from './commands.ts';
import { admit } from './policies/admit.ts';
import { destroyKeys } from './policies/destroy-keys.ts';
import { dunningHolds } from './policies/dunning-holds.ts';
import { accessProjection } from './projections/access.ts';
import { accountsProjection } from './projections/accounts.ts';
import { personsProjection } from './projections/persons.ts';
import { accessQueries } from './queries/access.ts';
import { accountQueries } from './queries/accounts.ts';
import { authenticate } from './queries/authenticate.ts';
import { accountHistory } from './queries/history.ts';
import { personQueries } from './queries/persons.ts';

export { erasedPersons } from './projections/persons.ts';

export const accountsService = service({
  name: 'accounts',
  events: [...accountsEvents, DunningHoldDue, DunningHoldClear, ...operationProtocolEvents],
  commands: accountsCommands,
  queries: [...accountQueries, ...accessQueries, ...personQueries, authenticate, accountHistory],
  projections: [accountsProjection, accessProjection, personsProjection],
  policies: [dunningHolds, destroyKeys],
  responders: [admit],
});
