/** What the quota service is made of: one ledger per tree, and what its containers used. */
import { TenantCreated } from '@bivouac/events/accounts';
import { AddressesAttached, ContainerResized, ContainerRunning } from '@bivouac/events/containers';
import { operationProtocolEvents } from '@bivouac/events/operations';
import { quotasEvents } from '@bivouac/events/quotas';
import { service } from '@bivouac/infra/runtime';

import { quotasCommands } from './commands.ts';
import { answerRelease, answerReserve, answerTransfer } from './policies/answer-asks.ts';
import { commitReservations } from './policies/commit-reservations.ts';
import { openLedger } from './policies/open-ledger.ts';
import { ledgerProjection } from './projections/ledger.ts';
import { quotaDaysProjection } from './projections/quota-days.ts';
import { usageProjection } from './projections/usage.ts';
import { quotaQueries } from './queries/quotas.ts';
import { usageQueries } from './queries/usage.ts';

export const quotasService = service({
  name: 'quotas',
  events: [
    ...quotasEvents,
    TenantCreated,
    ContainerRunning,
    ContainerResized,
    AddressesAttached,
    ...operationProtocolEvents,
  ],
  commands: quotasCommands,
  queries: [...quotaQueries, ...usageQueries],
  projections: [ledgerProjection, usageProjection, quotaDaysProjection],
  policies: [openLedger, commitReservations],
  responders: [answerReserve, answerTransfer, answerRelease],
});
