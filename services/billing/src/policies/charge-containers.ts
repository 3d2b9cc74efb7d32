/**
 * Containers' facts become charges on their tenant's account. All of an account's facts, and the asks
 * to invoice it, share one target: an invoice never overtakes a charge that was recorded before it.
 */
import type { Cause } from '@bivouac/events/billing';
import {
  AddressesAttached,
  AddressesDetached,
  ContainerDeleted,
  ContainerRunning,
} from '@bivouac/events/containers';
import { is, type Recorded } from '@bivouac/events/language';
import type { LeasedAddress, PlanTerms } from '@bivouac/events/operations';
import { policy, RuntimeError, type PolicyContext } from '@bivouac/infra/runtime';

import { plan } from '../aggregates.ts';
import {
  AddAddresses,
  EndSubscription,
  RemoveAddresses,
  StartSubscription,
} from '../api/account.ts';
import { accountStream } from '../domain/account.ts';
import { accepted } from './accepted.ts';

export const chargeContainers = policy({
  name: 'billing.charge-containers',
  on: [ContainerRunning, AddressesAttached, AddressesDetached, ContainerDeleted],
  target: (event) => accountStream(event.data.tenantId),
  react: async (event, context) => {
    const { tenantId: accountId, containerId } = event.data;
    const subject = { accountId, containerId, cause: causeOf(event) };
    if (is(event, ContainerRunning)) {
      const { hostname, plan: terms, addresses } = event.data;
      accepted(
        await context.execute(StartSubscription, {
          ...subject,
          homeId: event.homeid,
          hostname,
          terms,
          zone: await zoneOf(terms, context),
          addresses: charged(addresses),
        }),
      );
    } else if (is(event, AddressesAttached)) {
      const addresses = charged(event.data.addresses);
      accepted(await context.execute(AddAddresses, { ...subject, addresses }));
    } else if (is(event, AddressesDetached)) {
      accepted(
        await context.execute(RemoveAddresses, { ...subject, leaseIds: event.data.leaseIds }),
      );
    } else if (is(event, ContainerDeleted) && event.data.ran) {
      // One that never ran was never charged.
      accepted(await context.execute(EndSubscription, subject));
    }
  },
});

/** What a charge keeps of the event it follows from. */
export function causeOf(event: Recorded): Cause {
  return {
    eventId: event.id,
    type: event.type,
    stream: event.stream,
    revision: event.revision.toString(),
    time: event.time,
  };
}

/** The zone is the plan's, as it was at the revision the order was quoted. */
async function zoneOf(terms: PlanTerms, context: PolicyContext): Promise<string> {
  const { stream, revision } = terms.source;
  const { state } = await context.load(plan, stream, BigInt(revision));
  if (state.plan === undefined) {
    throw new RuntimeError('defect', `${stream} has no plan at revision ${revision}`);
  }
  return state.plan.terms.zone;
}

function charged(addresses: readonly LeasedAddress[]): { leaseId: string; address: string }[] {
  return addresses.map(({ leaseId, address }) => ({ leaseId, address }));
}
