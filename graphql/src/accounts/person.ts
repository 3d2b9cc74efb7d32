/** Persons: who is behind a member or a contact, by a lasting pseudonym, and what of them is erased. */
import { PersonById, PersonHistory, type PersonView, Retentions } from '@bivouac/accounts/api';

import { atLeast } from '../language/at-least.ts';
import { builder } from '../language/builder.ts';
import { enumeration } from '../language/enumeration.ts';
import { EventConnection, EventRef, historyConnection } from '../language/history.ts';
import { idArgument, NodeRef, registerNode } from '../language/node.ts';
import type { Services } from '../request/services.ts';
import { accountById, AccountRef } from './account.ts';

export const Purpose = enumeration('Purpose', 'Why something personal is kept.', {
  contact: 'To reach the person and let them act.',
  invoice: 'Invoices, as long as the law has them kept.',
  audit: 'To account for what was done, as long as that may be asked.',
});

/** One person, once per request; null where there is none or they are out of reach. */
export function personById(services: Services, personId: string): Promise<PersonView | null> {
  return services.once(`person:${personId}`, async () => {
    const person = await services.query(PersonById, { personId });
    return person !== null && services.sees(PersonById, person.tenantId) ? person : null;
  });
}

const ErasureRef = builder.objectRef<PersonView['erased'][number]>('Erasure').implement({
  description: 'What is erased for ever: the keys to it are destroyed.',
  fields: (t) => ({
    purpose: t.expose('purpose', { type: Purpose, description: 'Why it had been kept.' }),
    at: t.expose('at', { type: 'DateTime', description: 'Since when.' }),
  }),
});

const ScheduledErasureRef = builder
  .objectRef<PersonView['scheduled'][number]>('ScheduledErasure')
  .implement({
    description: 'What must be kept for now and is erased by itself when it need not be.',
    fields: (t) => ({
      purpose: t.expose('purpose', { type: Purpose, description: 'Why it is kept.' }),
      until: t.expose('until', { type: 'DateTime', description: 'When it is erased.' }),
    }),
  });

export const PersonRef = builder.objectRef<PersonView>('Person');

PersonRef.implement({
  description: 'A person behind a member or a contact: a lasting pseudonym. Their name is there.',
  interfaces: [NodeRef],
  fields: (t) => ({
    account: t.field({
      type: AccountRef,
      nullable: true,
      description: 'The account they act for, or are the contact of.',
      resolve: ({ tenantId }, _args, { services }) => accountById(services, tenantId),
    }),
    memberId: t.id({
      nullable: true,
      description: 'The member they are; null for a contact.',
      resolve: ({ as }) => (as.kind === 'member' ? as.memberId : null),
    }),
    erased: t.expose('erased', {
      type: [ErasureRef],
      description: 'What of them is erased.',
      extensions: { size: 3 },
    }),
    scheduled: t.expose('scheduled', {
      type: [ScheduledErasureRef],
      description: 'What of them is to be erased.',
      extensions: { size: 2 },
    }),
    history: t.connection(
      {
        type: EventRef,
        description: 'What was erased, and who asked for it.',
        resolve: ({ id }, args, { services }) =>
          historyConnection(args, (page) => services.query(PersonHistory, { personId: id, page })),
      },
      EventConnection,
    ),
  }),
});

registerNode('person', 'Person', (id, { services }) => personById(services, id));

builder.queryField('person', (t) =>
  t.field({
    type: PersonRef,
    nullable: true,
    description: 'One person; null where there is none or their account is out of your reach.',
    args: { id: t.arg.id({ description: 'Their id, `per_…`.' }), atLeast: atLeast(t.arg) },
    resolve: (_root, args, { services }) => {
      services.raiseTo(args.atLeast);
      return personById(services, idArgument('id', 'person', args.id));
    },
  }),
);

interface RetentionValue {
  readonly purpose: PersonView['erased'][number]['purpose'];
  readonly years: number;
}

const RetentionRef = builder.objectRef<RetentionValue>('Retention').implement({
  description: 'How long something is kept once its person asks for erasure.',
  fields: (t) => ({
    purpose: t.expose('purpose', { type: Purpose, description: 'Why it is kept.' }),
    years: t.exposeInt('years', {
      description: 'Whole years from the day of asking; 0: not at all.',
    }),
  }),
});

builder.queryField('retentions', (t) =>
  t.field({
    type: [RetentionRef],
    description: 'How long each purpose is kept once a person asks for erasure.',
    extensions: { size: 3 },
    args: { atLeast: atLeast(t.arg) },
    resolve: (_root, args, { services }) => {
      services.raiseTo(args.atLeast);
      return services.query(Retentions, {});
    },
  }),
);
