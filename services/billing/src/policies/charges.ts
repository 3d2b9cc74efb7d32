/** Recorded facts of tenants and containers become facts of accounts: who invoices, what is charged. */
import { PROVIDER_ID, type TenantCreated } from '@bivouac/events/accounts';
import {
  AddressesAttached,
  type AddressesDetached,
  ContainerDeleted,
  ContainerResized,
  ContainerRestored,
  ContainerRunning,
  ContainerSoftDeleted,
  OrderUndone,
} from '@bivouac/events/containers';
import { type CommandReply, type EventOf, is } from '@bivouac/events/language';
import type { LeasedAddress, PlanTerms } from '@bivouac/events/operations';
import { RuntimeError, type PolicyContext } from '@bivouac/infra/runtime';

import {
  AddAddresses,
  ChangePlan,
  EndSubscription,
  OpenAccount,
  RemoveAddresses,
  StartSubscription,
  UndoAddresses,
  VoidSubscriptions,
} from '../api/account.ts';
import { causeOf } from '../domain/cause.ts';
import { catalogTerms, chargedTo, debtorsOf } from './pricing.ts';

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

/** A container's events that start, change or end charging. */
type ContainerFact = EventOf<
  | typeof ContainerRunning
  | typeof ContainerResized
  | typeof ContainerRestored
  | typeof ContainerSoftDeleted
  | typeof AddressesAttached
  | typeof AddressesDetached
  | typeof ContainerDeleted
  | typeof OrderUndone
>;

/**
 * Charges, or ends charging, for what a container's event says: its tenant, and everyone between it
 * and the provider, each by the one above.
 */
export async function charge(event: ContainerFact, context: PolicyContext): Promise<void> {
  const [tenantId = '', ...above] = await debtorsOf(event.data.tenantId, context);
  accepted(await chargeOne(event, { accountId: tenantId, of: undefined }, context));
  for (const accountId of above) {
    accepted(await chargeOne(event, { accountId, of: accountId }, context));
  }
}

interface Debtor {
  readonly accountId: string;
  /** Set where it is not the container's own tenant. */
  readonly of: string | undefined;
}

async function chargeOne(
  event: ContainerFact,
  { accountId, of }: Debtor,
  context: PolicyContext,
): Promise<CommandReply<unknown>> {
  const { containerId } = event.data;
  const subject = { accountId, containerId, cause: causeOf(event) };
  const n = of ?? '';
  if (is(event, ContainerRunning) || is(event, ContainerRestored)) {
    const { hostname, plan } = event.data;
    const { terms, zone } = await termsOf({ accountId, of }, plan, event.time, context);
    const key = {
      ...(of === undefined ? {} : { of }),
      ...(is(event, ContainerRestored) ? { restoredBy: event.id } : {}),
    };
    const addresses = charged(event.data.addresses);
    return context.execute(
      StartSubscription,
      { ...subject, homeId: event.homeid, hostname, terms, zone, addresses, key },
      n,
    );
  }
  if (is(event, ContainerResized)) {
    const { terms } = await termsOf({ accountId, of }, event.data.plan, event.time, context);
    return context.execute(ChangePlan, { ...subject, terms }, n);
  }
  if (is(event, AddressesAttached)) {
    const addresses = charged(event.data.addresses);
    return context.execute(AddAddresses, { ...subject, addresses }, n);
  }
  if (is(event, ContainerSoftDeleted)) return context.execute(EndSubscription, subject, n);
  if (is(event, ContainerDeleted)) {
    // One that never ran was never charged.
    if (!event.data.ran) return nothingToDo;
    return context.execute(EndSubscription, subject, n);
  }
  if (is(event, OrderUndone)) return context.execute(VoidSubscriptions, subject, n);
  const { leaseIds, undone } = event.data;
  const removal = undone === true ? UndoAddresses : RemoveAddresses;
  return context.execute(removal, { ...subject, leaseIds }, n);
}

const nothingToDo: CommandReply<unknown> = {
  ...{ ok: true, result: {}, stream: '', revision: -1n, position: undefined, repeated: false },
};

/** Its tenant is charged what it was quoted; those above it by their own issuers' prices. */
async function termsOf(
  { accountId, of }: Debtor,
  quoted: PlanTerms,
  at: string,
  context: PolicyContext,
): Promise<{ readonly terms: PlanTerms; readonly zone: string }> {
  const { terms, zone } = await catalogTerms(quoted, context);
  if (of === undefined) return { terms: quoted, zone };
  return { terms: await chargedTo(accountId, terms, at, context), zone };
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

function charged(addresses: readonly LeasedAddress[]): { leaseId: string; address: string }[] {
  return addresses.map(({ leaseId, address }) => ({ leaseId, address }));
}
