/** One person: whose they are and what of them is erased, and who had it erased. */
import { personEvents } from '@bivouac/events/accounts';
import { PurposeSchema } from '@bivouac/events/language';
import { historyOf, type QueryHandler, queryHandler } from '@bivouac/infra/runtime';

import { PersonById, PersonHistory, Retentions } from '../api/persons.ts';
import { personStream } from '../domain/person.ts';
import { usualRetention } from '../domain/retention.ts';
import { erasureOf, persons, retentions } from '../projections/persons.ts';

export const personQueries: readonly QueryHandler[] = [
  queryHandler(PersonById, (view, { personId }, { reaches }) => {
    const row = view.get(persons, personId);
    if (row === undefined || !reaches(row.tenantId)) return null;
    const { erased, scheduled } = erasureOf(view, personId);
    return { ...row, erased: [...erased], scheduled: [...scheduled] };
  }),

  queryHandler(PersonHistory, async (view, { personId, page }, context) => {
    const row = view.get(persons, personId);
    if (row === undefined || !context.reaches(row.tenantId)) return null;
    return historyOf(context, personStream(personId), personEvents, page);
  }),

  queryHandler(Retentions, (view) =>
    PurposeSchema.options.map((purpose) => ({
      purpose,
      years: view.get(retentions, purpose)?.years ?? usualRetention[purpose],
    })),
  ),
];
