/** Given these events, when this is decided, then …: the ledger in tests, without a host. */
import {
  type Decided,
  type Decision,
  type DecideContext,
  eventRegistry,
  formatPosition,
  type Recorded,
  type StoredEvent,
} from '@bivouac/events/language';
import { TenantCreated } from '@bivouac/events/accounts';
import { AddressesAttached, ContainerResized } from '@bivouac/events/containers';
import { ledgerEvents, Reserved, TenantOpened } from '@bivouac/events/quotas';
import { deriveId, nothing, type ResourceVector, uuidOf } from '@bivouac/events/values';

import { ledger } from './aggregates.ts';
import { emptyLedger, type LedgerState, ledgerStream } from './domain/ledger.ts';

export const home = deriveId('tenant', 'home');
export const now = '2026-04-10T09:00:00.000Z';
export const later = '2026-04-10T09:05:00.000Z';

export function reservationId(name: string): string {
  return deriveId('reservation', name);
}

/** A vector with these axes and nothing else. */
export function vector(axes: Partial<ResourceVector>): ResourceVector {
  return { ...nothing, ...axes };
}

export function context(at = now): DecideContext {
  return {
    now: at,
    stream: ledgerStream(home),
    commandKey: '00000000-0000-5000-8000-000000000000',
    actorId: 'policy:test',
    tenantId: home,
    homeId: home,
  };
}

const registry = eventRegistry([
  ...ledgerEvents,
  TenantCreated,
  AddressesAttached,
  ContainerResized,
]);

/** Decided events as the log would hand them back: encoded by their schemas and decoded again. */
export function recorded(events: readonly Decided[], from = 0, time = now): readonly Recorded[] {
  return events.flatMap((event, i) => {
    const revision = BigInt(from + i);
    const stored: StoredEvent = {
      ...registry.encode(event),
      id: uuidOf('test', `${revision}`),
      type: event.type,
      time,
      tenantid: home,
      homeid: home,
      actorid: 'policy:test',
      correlationid: 'test',
      causationid: 'test',
      commandkey: context().commandKey,
      inputhash: '',
      stream: ledgerStream(home),
      revision,
      position: formatPosition(revision + 1n),
      epoch: 'test',
    };
    return registry.decode(stored) ?? [];
  });
}

/** Folds decided events as the host folds recorded ones. */
export function fold(state: LedgerState, events: readonly Decided[]): LedgerState {
  return recorded(events).reduce((folded, event) => ledger.evolve(folded, event), state);
}

export function given(...events: readonly Decided[]): LedgerState {
  return fold(emptyLedger(), events);
}

export const opened = TenantOpened({ tenantId: home, homeId: home, parentId: null });

export function reserved(name: string, taken: ResourceVector, tenantId = home): Decided {
  return Reserved({
    reservationId: reservationId(name),
    tenantId,
    homeId: home,
    vector: taken,
    notAfter: later,
  });
}

/** What is tested of a decision: the events, or the refusal. */
export function outcome(decision: Decision) {
  return decision.kind === 'accepted' ? decision.events : decision.refusal;
}
