/**
 * A person, as far as they are erased. Each purpose has its retention: what need not be kept is erased
 * at once, the rest when its time has come, by itself.
 */
import {
  type ErasureGround,
  ErasureScheduled,
  PersonErased,
  type personEvents,
} from '@bivouac/events/accounts';
import {
  accept,
  type Decided,
  type Decision,
  type DecideContext,
  type EventOf,
  is,
  type Purpose,
  PurposeSchema,
  refuse,
} from '@bivouac/events/language';
import { plusYears } from '@bivouac/events/values';

import type { Retention } from './retention.ts';

export function personStream(personId: string): string {
  return `person-${personId}`;
}

/** Whose person somebody is. */
export interface PersonFacts {
  readonly personId: string;
  readonly tenantId: string;
  readonly homeId: string;
}

export interface PersonState {
  readonly erased: Set<Purpose>;
  /** What is to be erased, and from when on it may. */
  readonly due: Map<Purpose, string>;
  /** Of the last erasure: what is erased later is erased for that too. */
  last: (PersonFacts & { readonly reason: ErasureGround }) | undefined;
}

export function nobodyErased(): PersonState {
  return { erased: new Set(), due: new Map(), last: undefined };
}

export function evolvePerson(
  state: PersonState,
  event: EventOf<(typeof personEvents)[number]>,
): PersonState {
  const { personId, tenantId, homeId, reason } = event.data;
  state.last = { personId, tenantId, homeId, reason };
  if (is(event, PersonErased)) {
    for (const purpose of event.data.purposes) {
      state.erased.add(purpose);
      state.due.delete(purpose);
    }
  } else if (is(event, ErasureScheduled)) {
    for (const { purpose, until } of event.data.retained) state.due.set(purpose, until);
  }
  return state;
}

/**
 * Erases a person. Purposes that are named are erased now or the whole is refused; where none is
 * named, all are: now, or as soon as they may.
 */
export function erasePerson(
  state: PersonState,
  input: PersonFacts & {
    readonly purposes: readonly Purpose[] | undefined;
    readonly reason: ErasureGround;
    readonly retention: Retention;
    /** Whether the tenant has or had this person. */
    readonly known: boolean;
    readonly mayErase: boolean;
  },
  context: DecideContext,
): Decision {
  const { personId, tenantId, homeId, purposes, reason, retention } = input;
  if (!input.known) {
    return refuse('PERSON_UNKNOWN', 'This account has no such person; check both ids.', {
      path: ['personId'],
    });
  }
  if (!input.mayErase) {
    return refuse(
      'NOT_ALLOWED',
      'A person is erased by themselves, by who manages their account, or by the staff who manage customers; ask one of these.',
      { path: ['personId'] },
    );
  }
  const open = (purposes ?? PurposeSchema.options).filter((one) => !state.erased.has(one));
  const until = (purpose: Purpose): string =>
    state.due.get(purpose) ?? plusYears(context.now, retention[purpose]);
  const kept = open.filter((purpose) => until(purpose) > context.now);
  if (purposes !== undefined && kept.length > 0) return retentionRuns(kept, until);
  const facts = { personId, tenantId, homeId, reason };
  const now = open.filter((purpose) => !kept.includes(purpose));
  const retained = kept
    .filter((purpose) => !state.due.has(purpose))
    .map((purpose) => ({ purpose, until: until(purpose) }));
  const events: Decided[] = [];
  if (now.length > 0) events.push(PersonErased({ ...facts, purposes: now }));
  if (retained.length > 0) events.push(ErasureScheduled({ ...facts, retained }));
  return accept(...events);
}

/** Erases what had to be kept until now. */
export function eraseRetained(
  state: PersonState,
  { purpose }: { readonly purpose: Purpose },
  context: DecideContext,
): Decision {
  const due = state.due.get(purpose);
  if (state.last === undefined || due === undefined) return accept();
  if (due > context.now) return retentionRuns([purpose], () => due);
  return accept(PersonErased({ ...state.last, purposes: [purpose] }));
}

function retentionRuns(kept: readonly Purpose[], until: (purpose: Purpose) => string) {
  const ends = kept.map((purpose) => ({ purpose, until: until(purpose) }));
  const said = ends.map((end) => `${end.purpose} until ${end.until}`).join(', ');
  return refuse(
    'RETENTION_RUNS',
    `The law has this kept: ${said}. Name no purposes: what must be kept is then erased by itself when it may be.`,
    {
      path: ['purposes'],
      details: { until: Object.fromEntries(ends.map((e) => [e.purpose, e.until])) },
    },
  );
}
