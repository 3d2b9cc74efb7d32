/** The aggregates of accounts, as the host runs them. */
import {
  actingEvents,
  apiKeyEvents,
  invitationEvents,
  memberEvents,
  personEvents,
  retentionEvents,
  treeEvents,
} from '@bivouac/events/accounts';
import { aggregate } from '@bivouac/infra/runtime';

import { evolveActing, notActing } from './domain/acting.ts';
import { evolveApiKey, noApiKey } from './domain/api-key.ts';
import { evolveMembers, noMembers } from './domain/members.ts';
import { evolvePerson, nobodyErased } from './domain/person.ts';
import { evolveRetention, retentionUnset } from './domain/retention.ts';
import { emptyTree, evolveTree } from './domain/tree.ts';

/** One per home: tenants, names, holds. */
export const tree = aggregate({
  category: 'tree',
  events: treeEvents,
  initial: emptyTree,
  evolve: evolveTree,
});

/** One per tenant: its people, present and invited. */
export const members = aggregate({
  category: 'members',
  events: [...memberEvents, ...invitationEvents],
  initial: noMembers,
  evolve: evolveMembers,
});

export const apiKey = aggregate({
  category: 'apikey',
  events: apiKeyEvents,
  initial: noApiKey,
  evolve: evolveApiKey,
});

export const acting = aggregate({
  category: 'acting',
  events: actingEvents,
  initial: notActing,
  evolve: evolveActing,
});

export const person = aggregate({
  category: 'person',
  events: personEvents,
  initial: nobodyErased,
  evolve: evolvePerson,
});

/** One per installation. */
export const retention = aggregate({
  category: 'retention',
  events: retentionEvents,
  initial: retentionUnset,
  evolve: evolveRetention,
});
