/** What every call of the development server is served with, and the faults common to all. */
import type { Metadata } from '@grpc/grpc-js';
import type { EventStore } from '../../event-store/port.ts';
import type { Fault, Faults } from './faults.ts';
import { CallError, notLeader } from './messages.ts';
import type { Leadership } from './seat.ts';
import type { StreamStates } from './stream-states.ts';

export interface Served {
  readonly store: EventStore;
  /** What was deleted and truncated of it. */
  readonly states: StreamStates;
  readonly faults: Faults;
  /** Bytes of the log that one event is said to take. */
  readonly stride: bigint;
  /** The server's own events were committed behind where they stand, as by an explicit transaction. */
  readonly apart: boolean;
  /** Absent: it leads. */
  readonly leadership: Leadership | undefined;
  /** First ids of the appends that stand here alone, not replicated. */
  readonly unreplicated: Set<string>;
  /** Aborted when the server ends. */
  readonly ended: AbortSignal;
}

/** Whether the call is to hang here. */
export function isHung(fault: Fault | undefined, when: 'before' | 'after'): boolean {
  return fault?.fault === 'hang' && fault.when === when;
}

/**
 * Who is asked for the leader and is not it refuses, and names it.
 *
 * @throws CallError
 */
export function checkLeads({ leadership }: Served, call: { readonly metadata: Metadata }): void {
  if (leadership === undefined || call.metadata.get('requires-leader')[0] !== 'true') return;
  const leader = leadership();
  if (leader !== 'this') throw notLeader(leader);
}

/** Fails the call here, if it is to. */
export function failOn(fault: Fault | undefined, when: 'before' | 'after'): void {
  if (fault?.fault !== 'fail' || fault.when !== when) return;
  const error = new CallError(fault.code, fault.details);
  if (fault.metadata !== undefined) error.metadata.merge(fault.metadata);
  throw error;
}
