/** Given these events, when this is decided, then …: the aggregates in tests, without a host. */
import {
  accountsEvents,
  PROVIDER_ID,
  TenantCreated,
  type TenantKind,
} from '@bivouac/events/accounts';
import {
  type Decided,
  type Decision,
  type DecideContext,
  eventRegistry,
  formatPosition,
  type Sealed,
  type StoredEvent,
} from '@bivouac/events/language';
import { deriveId, uuidOf } from '@bivouac/events/values';
import type { Aggregate } from '@bivouac/infra/runtime';

import { treeStream } from './domain/tree.ts';

export const home = deriveId('tenant', 'home');
export const child = deriveId('tenant', 'child');
export const person = deriveId('person', 'someone');
export const now = '2026-04-10T09:00:00.000Z';

const registry = eventRegistry(accountsEvents);

export function context(stream = treeStream(home), commandKey = uuidOf('command')): DecideContext {
  return { now, stream, commandKey, actorId: 'key_test', tenantId: home, homeId: home };
}

/** The state after these events, each encoded by its schema and decoded again as by the log. */
export function given<S>(aggregate: Aggregate<S>, ...events: readonly Decided[]): S {
  return events.reduce((state, event, i) => {
    const stored: StoredEvent = {
      ...registry.encode(event),
      id: uuidOf('test', `${i}`),
      type: event.type,
      time: now,
      tenantid: home,
      homeid: home,
      actorid: 'key_test',
      correlationid: 'test',
      causationid: 'test',
      commandkey: uuidOf('command'),
      inputhash: '',
      stream: treeStream(home),
      revision: BigInt(i),
      position: formatPosition(BigInt(i + 1)),
      epoch: 'test',
    };
    const recorded = registry.decode(stored);
    return recorded === undefined ? state : aggregate.evolve(state, recorded);
  }, aggregate.initial());
}

/** A tenant directly under the provider, or below the home. */
export function created(kind: TenantKind, tenantId = home): Decided {
  return TenantCreated({
    tenantId,
    homeId: home,
    kind,
    parentId: kind === 'provider' ? null : tenantId === home ? PROVIDER_ID : home,
    name: 'Alpine Web',
    contact: null,
  });
}

export function sealedOf(personId: string): Sealed {
  return { person: personId, purpose: 'contact', box: 'AAAA', commitment: 'A'.repeat(43) };
}

/** What is tested of a decision: the events, or the refusal. */
export function outcome(decision: Decision) {
  return decision.kind === 'accepted' ? decision.events : decision.refusal;
}
