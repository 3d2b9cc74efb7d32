/** The command handlers of quotas: on the ledger of the home they name, or on one of its hours. */
import { type CommandHandler, handler, type Owner } from '@bivouac/infra/runtime';

import { ledger, usageHour } from './aggregates.ts';
import {
  CloseUsageHour,
  Commit,
  ExpireLimit,
  FlagOverdue,
  OpenTenant,
  RecordUsage,
  Release,
  Reserve,
  SetLimit,
  Transfer,
} from './api/index.ts';
import { ledgerStream } from './domain/ledger.ts';
import { expireLimit, openTenant, setLimit } from './domain/limits.ts';
import { commit, flagOverdue, release, reserve } from './domain/reservations.ts';
import { transfer } from './domain/transfers.ts';
import { closeUsageHour, recordUsage, usageStream } from './domain/usage.ts';

/** A ledger is its home's, whichever command comes first: also a release may, and leave its tombstone. */
const onLedger = {
  stream: ({ homeId }: { readonly homeId: string }): string => ledgerStream(homeId),
  owner: ({ homeId }: { readonly homeId: string }): Owner => ({ tenantId: homeId, homeId }),
};

const onUsageHour = {
  stream: ({ homeId, hour }: { readonly homeId: string; readonly hour: string }): string =>
    usageStream(homeId, hour),
  owner: onLedger.owner,
  result: () => ({}),
};

/** Every command of quotas. */
export const quotasCommands: readonly CommandHandler[] = [
  handler(OpenTenant, ledger, {
    ...onLedger,
    decide: openTenant,
    result: (_events, { tenantId }) => ({ tenantId }),
  }),
  handler(SetLimit, ledger, {
    ...onLedger,
    about: ({ tenantId }) => tenantId,
    prepare: (input, _ports, { principal: { reach, tenantId } }) =>
      Promise.resolve({ input: { ...input, askedBy: reach === 'all' ? null : tenantId } }),
    decide: setLimit,
    result: (_events, { tenantId, limit }) => ({ tenantId, limit }),
  }),
  handler(Reserve, ledger, {
    ...onLedger,
    decide: reserve,
    result: (_events, { reservationId }) => ({ reservationId }),
  }),
  handler(ExpireLimit, ledger, {
    ...onLedger,
    decide: expireLimit,
    result: (_events, { tenantId }) => ({ tenantId }),
  }),
  handler(Transfer, ledger, {
    ...onLedger,
    decide: transfer,
    result: (_events, { reservationId }) => ({ reservationId }),
  }),
  handler(Commit, ledger, {
    ...onLedger,
    decide: commit,
    result: (_events, { reservationId }) => ({ reservationId }),
  }),
  handler(Release, ledger, {
    ...onLedger,
    decide: release,
    result: (_events, { reservationId }) => ({ reservationId }),
  }),
  handler(RecordUsage, usageHour, { ...onUsageHour, decide: recordUsage }),
  handler(CloseUsageHour, usageHour, { ...onUsageHour, decide: closeUsageHour }),
  handler(FlagOverdue, ledger, {
    ...onLedger,
    decide: flagOverdue,
    result: (_events, { reservationId }) => ({ reservationId }),
  }),
];
