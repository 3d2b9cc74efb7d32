/** Whose each person is, and for what they are erased; the ends of retention as timers. */
import {
  ErasureScheduled,
  MemberAdded,
  MemberInvited,
  PersonErased,
  RetentionSet,
  TenantCreated,
} from '@bivouac/events/accounts';
import type { Purpose } from '@bivouac/events/language';
import { on, projection, timers } from '@bivouac/infra/runtime';
import { table, type View } from '@bivouac/infra/views';

import { EraseRetained, type PersonAs } from '../api/persons.ts';
import { invited } from '../domain/members.ts';

export interface PersonRow {
  readonly id: string;
  readonly tenantId: string;
  readonly homeId: string;
  readonly as: PersonAs;
}

export const persons = table<PersonRow>()({
  name: 'persons',
  key: (row) => row.id,
  indexes: {},
});

/** Only of those of whom something is erased, or is to be. */
export interface ErasureRow {
  readonly personId: string;
  readonly erased: readonly { readonly purpose: Purpose; readonly at: string }[];
  readonly scheduled: readonly { readonly purpose: Purpose; readonly until: string }[];
}

export const erasures = table<ErasureRow>()({
  name: 'erasures',
  key: (row) => row.personId,
  indexes: { byPerson: (row) => [row.personId] },
});

/** What is erased of a person and is to be. */
export function erasureOf(view: View, personId: string): ErasureRow {
  return view.get(erasures, personId) ?? { personId, erased: [], scheduled: [] };
}

/** Whether the log says that the person is erased for a purpose; their key may exist a moment more. */
export function isErased(view: View, personId: string, purpose: Purpose): boolean {
  return erasureOf(view, personId).erased.some((one) => one.purpose === purpose);
}

/** Everyone whom the log calls erased, with the purposes. */
export function* erasedPersons(
  view: View,
): Generator<{ readonly person: string; readonly purposes: readonly Purpose[] }> {
  const limit = 500;
  let after: string | undefined;
  for (;;) {
    const chunk = view.range(erasures, 'byPerson', [], { after, limit });
    for (const { row } of chunk) {
      const purposes = row.erased.map(({ purpose }) => purpose);
      if (purposes.length > 0) yield { person: row.personId, purposes };
    }
    after = chunk.at(-1)?.cursor;
    if (chunk.length < limit) return;
  }
}

/** Only where the staff have said otherwise than usual. */
export const retentions = table<{ readonly purpose: Purpose; readonly years: number }>()({
  name: 'retentions',
  key: (row) => row.purpose,
  indexes: {},
});

function timerOf(personId: string, purpose: Purpose): string {
  return `erasure/${personId}/${purpose}`;
}

export const personsProjection = projection({
  name: 'persons',
  tables: [persons, erasures, retentions, timers],
  on: [
    on(MemberAdded, ({ data: { personId, tenantId, homeId, memberId } }, view) => {
      view.put(persons, { id: personId, tenantId, homeId, as: { kind: 'member', memberId } });
    }),
    on(MemberInvited, ({ data: { personId, tenantId, homeId, invitationId } }, view) => {
      const { memberId } = invited(invitationId);
      view.put(persons, { id: personId, tenantId, homeId, as: { kind: 'member', memberId } });
    }),
    on(TenantCreated, ({ data: { contact, tenantId, homeId } }, view) => {
      if (contact === null) return;
      view.put(persons, { id: contact.personId, tenantId, homeId, as: { kind: 'contact' } });
    }),
    on(RetentionSet, ({ data: { purpose, years } }, view) => {
      view.put(retentions, { purpose, years });
    }),
    on(PersonErased, ({ data: { personId, purposes }, time }, view) => {
      const { erased, scheduled } = erasureOf(view, personId);
      view.put(erasures, {
        personId,
        erased: [...erased, ...purposes.map((purpose) => ({ purpose, at: time }))],
        scheduled: scheduled.filter(({ purpose }) => !purposes.includes(purpose)),
      });
      for (const purpose of purposes) view.delete(timers, timerOf(personId, purpose));
    }),
    on(ErasureScheduled, ({ data: { personId, homeId, retained } }, view) => {
      const { erased, scheduled } = erasureOf(view, personId);
      view.put(erasures, { personId, erased, scheduled: [...scheduled, ...retained] });
      for (const { purpose, until } of retained) {
        view.put(timers, {
          id: timerOf(personId, purpose),
          due: until,
          homeId,
          command: EraseRetained.name,
          input: { personId, purpose },
        });
      }
    }),
  ],
});
