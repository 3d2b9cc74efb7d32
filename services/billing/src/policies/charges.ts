/** Recorded facts of tenants and containers become facts of accounts: who invoices, what is charged. */
import { PROVIDER_ID, type TenantCreated } from '@bivouac/events/accounts';
import type { Cause } from '@bivouac/events/billing';
import {
  AddressesAttached,
  type AddressesDetached,
  ContainerDeleted,
  ContainerRunning,
} from '@bivouac/events/containers';
import { type CommandReply, type EventOf, is, type Recorded } from '@bivouac/events/language';
import type { LeasedAddress, PlanTerms } from '@bivouac/events/operations';
import { RuntimeError, type PolicyContext } from '@bivouac/infra/runtime';

import { plan } from '../aggregates.ts';
import {
  AddAddresses,
  EndSubscription,
  OpenAccount,
  RemoveAddresses,
  StartSubscription,
} from '../api/account.ts';

/** Every tenant but the provider has an account, which the tenant directly above it invoices. */
export async function openAccount(
  event: EventOf<typeof TenantCreated>,
  context: PolicyContext,
): Promise<void> {
  const { tenantId: accountId, parentId: issuerId, homeId } = event.data;
  if (issuerId === null) return;
  // The provider is its own home; whoever else is above has the home in common.
  const issuerHomeId = issuerId === PROVIDER_ID ? PROVIDER_ID : homeId;
  accepted(await context.execute(OpenAccount, { accountId, homeId, issuerId, issuerHomeId }));
}

/** Charges, or ends charging, for what a container's event says. */
export async function charge(
  event: EventOf<
    | typeof ContainerRunning
    | typeof AddressesAttached
    | typeof AddressesDetached
    | typeof ContainerDeleted
  >,
  context: PolicyContext,
): Promise<void> {
  const { tenantId: accountId, containerId } = event.data;
  const subject = { accountId, containerId, cause: causeOf(event) };
  if (is(event, ContainerRunning)) {
    const { hostname, plan: terms } = event.data;
    const zone = await zoneOf(terms, context);
    const addresses = charged(event.data.addresses);
    accepted(
      await context.execute(StartSubscription, {
        ...subject,
        ...{ homeId: event.homeid, hostname, terms, zone, addresses },
      }),
    );
  } else if (is(event, AddressesAttached)) {
    const addresses = charged(event.data.addresses);
    accepted(await context.execute(AddAddresses, { ...subject, addresses }));
  } else if (is(event, ContainerDeleted)) {
    // One that never ran was never charged.
    if (event.data.ran) accepted(await context.execute(EndSubscription, subject));
  } else {
    const { leaseIds } = event.data;
    accepted(await context.execute(RemoveAddresses, { ...subject, leaseIds }));
  }
}

/** Passes over a command that was done. The fact is recorded already: refusing it is a defect. */
export function accepted(reply: CommandReply<unknown>): void {
  if (reply.ok) return;
  const { code, message } = reply.refusal;
  throw new RuntimeError(
    'defect',
    `billing could not take up a recorded fact: ${code}: ${message}`,
  );
}

/** What a charge keeps of the event it follows from. */
function causeOf(event: Recorded): Cause {
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
