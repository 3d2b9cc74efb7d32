/**
 * Nobody has done anything out of their reach: whatever came of a key is an event of its member's own
 * account or of one below, and of a time at which that member was there and not erased.
 */
import {
  ApiKeyCreated,
  ApiKeyRevoked,
  InvitationAccepted,
  MemberAdded,
  MemberRemoved,
  PersonErased,
  PROVIDER_ID,
  TenantCreated,
} from '@bivouac/events/accounts';
import { is, type Recorded } from '@bivouac/events/language';

import type { History } from './history.ts';

/** So long, in milliseconds, a gateway may go on with what it knew of a key. */
const LET_GO = 5000;

interface Holder {
  readonly tenantId: string;
  readonly memberId: string;
  readonly personId: string;
}

export function reachViolations(history: History): string[] {
  const violations: string[] = [];
  const parents = new Map<string, string | null>();
  const holders = new Map<string, Holder>();
  /** When a key, a member or a person ended, by id. */
  const gone = new Map<string, number>();
  for (const event of history) {
    const holder = holders.get(event.actorid);
    const at = Date.parse(event.time);
    for (const what of misdeeds(event)) {
      violations.push(`${event.actorid} ${what} (${event.type} at ${event.position})`);
    }
    if (is(event, TenantCreated)) parents.set(event.data.tenantId, event.data.parentId);
    else if (is(event, ApiKeyCreated)) holders.set(event.data.keyId, event.data);
    else if (is(event, InvitationAccepted)) holders.set(event.data.keyId, event.data);
    else if (is(event, ApiKeyRevoked)) gone.set(event.data.keyId, at);
    else if (is(event, MemberRemoved)) gone.set(event.data.memberId, at);
    else if (is(event, MemberAdded)) gone.delete(event.data.memberId);
    else if (is(event, PersonErased)) gone.set(event.data.personId, at);

    function* misdeeds({ actorid, tenantid }: Recorded): Generator<string> {
      if (!actorid.startsWith('key_')) return;
      if (holder === undefined) {
        yield 'acts, and nobody was given this key';
        return;
      }
      const { tenantId, memberId, personId } = holder;
      if (!isBelow(parents, is(event, TenantCreated) ? event.data.parentId : tenantid, tenantId)) {
        yield `of ${tenantId} acts in ${tenantid}`;
      }
      for (const id of [actorid, memberId, personId]) {
        const end = gone.get(id);
        if (end !== undefined && at > end + LET_GO) yield `acts after ${id} was gone`;
      }
    }
  }
  return violations;
}

/** Whether an account is another one, or below it. The provider is above everything. */
function isBelow(
  parents: ReadonlyMap<string, string | null>,
  tenantId: string | null,
  above: string,
): boolean {
  if (above === PROVIDER_ID) return true;
  for (let id: string | null = tenantId; id !== null; id = parents.get(id) ?? null) {
    if (id === above) return true;
  }
  return false;
}
