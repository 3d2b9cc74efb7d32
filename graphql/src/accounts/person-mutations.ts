/** Erasing a person, for ever; and how long the law has things kept. */
import { ErasePerson, SetRetention } from '@bivouac/accounts/api';

import { notFound, validationFailed } from '../errors/user-error.ts';
import { builder } from '../language/builder.ts';
import { enumeration } from '../language/enumeration.ts';
import { given } from '../language/given.ts';
import { mutation, type Payload, PayloadRef } from '../language/mutation.ts';
import { idProblem } from '../language/node.ts';
import { personById, PersonRef, Purpose } from './person.ts';

const ErasureGround = enumeration(
  'ErasureGround',
  'On what ground a person is erased: those of GDPR art. 17(1). Auditors may see it later.',
  {
    'no-longer-needed': 'It is not needed any more for what it was kept for.',
    'consent-withdrawn': 'The person has withdrawn their consent.',
    objection: 'The person objects.',
    unlawful: 'It should not have been kept.',
    'legal-obligation': 'A law or a court says so.',
    'child-consent': 'The consent was a child’s.',
  },
);

const PersonErased = builder
  .objectRef<Payload & { readonly personId: string }>('PersonErased')
  .implement({
    description:
      'The person is erased as far as may be; `person` says what is to follow, and when.',
    interfaces: [PayloadRef],
    fields: (t) => ({
      personId: t.exposeID('personId', { description: 'The person.' }),
      person: t.field({
        type: PersonRef,
        nullable: true,
        description: 'The person as they are now.',
        resolve: ({ personId }, _args, { services }) => personById(services, personId),
      }),
    }),
  });

mutation('erasePerson', {
  description:
    'Erases a person for ever: their name and address open nowhere any more, and the keys of a ' +
    'member let nobody in. There is no way back. By the person, who manages their account, or the staff.',
  input: builder.inputType('ErasePersonInput', {
    description: 'Who, for what, and why.',
    fields: (t) => ({
      personId: t.id({ description: 'The person, `per_…`, of a member or a contact.' }),
      purposes: t.field({
        type: [Purpose],
        required: false,
        description:
          'What is to be erased now, or nothing is. All unless told: then what must be kept is erased ' +
          'by itself when it need not be.',
      }),
      reason: t.field({ type: ErasureGround, description: 'On what ground.' }),
    }),
  }),
  type: PersonErased,
  act: async ({ personId, purposes, reason }, key, { services }) => {
    const path = ['input', 'personId'];
    const problem = idProblem('person', personId);
    if (problem !== undefined) return validationFailed(path, `The personId: ${problem}.`);
    const person = await personById(services, personId);
    if (person === null) return notFound(path, 'person');
    const { tenantId, homeId, as } = person;
    return services.command(
      ErasePerson,
      { personId, tenantId, homeId, as, reason, ...given({ purposes }) },
      key,
    );
  },
  payload: ({ personId }) => ({ personId }),
});

const RetainedPurpose = enumeration('RetainedPurpose', 'What may have to be kept.', {
  invoice: 'Invoices.',
  audit: 'The trail of what was done.',
});

const RetentionSet = builder
  .objectRef<Payload & { readonly years: number }>('RetentionSet')
  .implement({
    description: 'It counts for whoever asks from now on; what is scheduled keeps its date.',
    interfaces: [PayloadRef],
    fields: (t) => ({ years: t.exposeInt('years', { description: 'The years.' }) }),
  });

mutation('setRetention', {
  description: 'For the staff: how long the law has something kept once erasure is asked for.',
  input: builder.inputType('SetRetentionInput', {
    description: 'What, and how long.',
    fields: (t) => ({
      purpose: t.field({ type: RetainedPurpose, description: 'What is kept.' }),
      years: t.int({ description: 'Whole years from the day of asking, 0 to 50.' }),
    }),
  }),
  type: RetentionSet,
  act: ({ purpose, years }, key, { services }) =>
    services.command(SetRetention, { purpose, years }, key),
  payload: ({ years }) => ({ years }),
});
