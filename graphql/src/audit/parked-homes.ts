/** Homes whose events wait for the staff, and what the staff can have done about them. */
import {
  ParkedHomes,
  type ParkedHomeView,
  ReplayParkedHome,
  SkipParkedEvent,
} from '@bivouac/audit/api';

import { atLeast } from '../language/at-least.ts';
import { builder } from '../language/builder.ts';
import { enumeration } from '../language/enumeration.ts';
import { given } from '../language/given.ts';
import { mutation, type Payload, PayloadRef } from '../language/mutation.ts';
import { connection, pageRequest } from '../language/paging.ts';

const ParkingService = enumeration('ParkingService', 'A service that reacts to events.', {
  accounts: 'Accounts, members, keys.',
  billing: 'Subscriptions, charges, invoices.',
  containers: 'Containers, nodes, addresses.',
  packages: 'Repositories and package lists.',
  provisioning: 'Operations.',
  quotas: 'Limits and what is used of them.',
});

const ParkingReason = enumeration('ParkingReason', 'Why the events of a home wait.', {
  'unknown-version': 'The event has a version that this release does not know: upgrade.',
  'invalid-body': 'The event cannot be read.',
  'handler-failed': 'What the service does about it failed three times.',
});

const ParkedHomeRef = builder.objectRef<ParkedHomeView>('ParkedHome').implement({
  description:
    'A home whose events wait in a service, from one event on, because that one could not be handled. ' +
    'Nothing is lost; the other homes flow.',
  fields: (t) => ({
    service: t.expose('service', { type: ParkingService, description: 'Whose reactions wait.' }),
    home: t.exposeID('homeId', {
      description: 'The home: the account at the top of a tree, or a stream of the platform.',
    }),
    position: t.expose('position', {
      type: 'Position',
      description: 'Where the event stands in the log: what comes later in the home waits with it.',
    }),
    eventId: t.exposeID('eventId', { description: 'The event that could not be handled.' }),
    eventType: t.exposeString('eventType', {
      description: 'What happened, e.g. `containers.ContainerRunning`.',
    }),
    reaction: t.exposeString('reaction', {
      nullable: true,
      description: 'What failed; null where the event could not be read at all.',
    }),
    reason: t.expose('reason', { type: ParkingReason, description: 'Why it could not be.' }),
    since: t.expose('since', { type: 'DateTime', description: 'When it was tried last.' }),
  }),
});

const ParkedHomeConnection = builder.connectionObject(
  { type: ParkedHomeRef, name: 'ParkedHomeConnection', description: 'A page of parked homes.' },
  { name: 'ParkedHomeEdge', description: 'A parked home and where it stands.' },
);

builder.queryField('parkedHomes', (t) =>
  t.connection(
    {
      type: ParkedHomeRef,
      description:
        'For the staff: the homes whose events wait, by service and home, as it was a second ago.',
      args: {
        service: t.arg({
          type: ParkingService,
          required: false,
          description: 'Only those of this service.',
        }),
        atLeast: atLeast(t.arg),
      },
      resolve: async (_root, args, { services }) => {
        services.raiseTo(args.atLeast);
        const { service } = args;
        const page = { page: pageRequest(args), ...given({ service }) };
        return connection(await services.query(ParkedHomes, page));
      },
    },
    ParkedHomeConnection,
  ),
);

interface ParkedHomePayload extends Payload {
  readonly eventId: string;
}

const payload = (name: string, description: string) =>
  builder.objectRef<ParkedHomePayload>(name).implement({
    description,
    interfaces: [PayloadRef],
    fields: (t) => ({
      eventId: t.exposeID('eventId', { description: 'The event that the home was parked at.' }),
    }),
  });

mutation('replayParkedHome', {
  description:
    'For the staff: has a parked home’s events handled again, in order, once the cause is mended. It ' +
    'leaves `parkedHomes`, or is there with a newer `since` where it failed again.',
  input: builder.inputType('ReplayParkedHomeInput', {
    description: 'Which home.',
    fields: (t) => ({
      service: t.field({ type: ParkingService, description: 'Whose reactions wait.' }),
      homeId: t.id({ description: 'The `home`, as `parkedHomes` has it.' }),
    }),
  }),
  type: payload('ParkedHomeReplayOrdered', 'The service is told to handle it again.'),
  act: (input, key, { services }) => services.command(ReplayParkedHome, input, key),
  payload: ({ eventId }) => ({ eventId }),
});

mutation('skipParkedEvent', {
  description:
    'For the staff: has the event that a home is parked at left out by that service, for ever, and what ' +
    'comes after it handled. What the service should have done about it is yours to do.',
  input: builder.inputType('SkipParkedEventInput', {
    description: 'Which event, and why.',
    fields: (t) => ({
      service: t.field({ type: ParkingService, description: 'Whose reactions wait.' }),
      homeId: t.id({ description: 'The `home`, as `parkedHomes` has it.' }),
      eventId: t.id({ description: 'The event it is parked at, which you have looked at.' }),
      reason: t.string({ description: 'Why, in a sentence; for the staff and the auditor.' }),
    }),
  }),
  type: payload('ParkedEventSkipOrdered', 'The service is told to leave it out.'),
  act: (input, key, { services }) => services.command(SkipParkedEvent, input, key),
  payload: ({ eventId }) => ({ eventId }),
});
