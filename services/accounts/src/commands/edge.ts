/** What handlers of accounts do at the edge: know the tenant, seal a contact, find their events. */
import type { EventDefinition, EventOf, Recorded } from '@bivouac/events/language';
import { deriveId } from '@bivouac/events/values';
import type { Keys } from '@bivouac/infra/keys';
import { type LoadAggregate, RuntimeError } from '@bivouac/infra/runtime';

import { members, tree } from '../aggregates.ts';
import { type KnownTenant, type Member, membersStream } from '../domain/members.ts';
import { type SealedContact, treeStream } from '../domain/tree.ts';

/** The pseudonym of the person a command introduces. */
export function personOf(commandKey: string): string {
  return deriveId('person', commandKey);
}

/**
 * The tenant as its tree has it now. That it exists cannot change any more; that it is open can, and
 * then a member too many is harmless.
 */
export async function knownTenant(
  load: LoadAggregate,
  homeId: string,
  tenantId: string,
): Promise<KnownTenant> {
  const tenant = (await load(tree, treeStream(homeId))).state.tenants.get(tenantId);
  return tenant === undefined ? undefined : { kind: tenant.kind, closed: tenant.closed };
}

/** A member as its tenant has it now. A key of one who is removed meanwhile opens nothing. */
export async function knownMember(
  load: LoadAggregate,
  tenantId: string,
  memberId: string,
): Promise<Member | undefined> {
  return (await load(members, membersStream(tenantId))).state.members.get(memberId);
}

export async function sealContact(
  keys: Keys,
  personId: string,
  contact: { readonly email: string; readonly name?: string | undefined },
): Promise<SealedContact> {
  return {
    personId,
    email: await keys.seal(personId, 'contact', contact.email),
    name: contact.name === undefined ? null : await keys.seal(personId, 'contact', contact.name),
  };
}

export function first<E extends EventDefinition>(
  events: readonly Recorded[],
  definition: E,
): EventOf<E> | undefined {
  return events.find((event): event is EventOf<E> => event.type === definition.type);
}

/** The event a command always has: a repeat recalls it. */
export function the<E extends EventDefinition>(
  events: readonly Recorded[],
  definition: E,
): EventOf<E> {
  const found = first(events, definition);
  if (found === undefined) throw new RuntimeError('defect', `a command without ${definition.type}`);
  return found;
}
