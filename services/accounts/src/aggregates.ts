/** The aggregates of accounts, as the host runs them. */
import {
  apiKeyEvents,
  memberEvents,
  personEvents,
  retentionEvents,
  treeEvents,
} from '@bivouac/events/accounts';
import { aggregate } from '@bivouac/infra/runtime';

import { evolveApiKey, noApiKey } from './domain/api-key.ts';
import { evolveMember, noMember } from './domain/member.ts';
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

export const member = aggregate({
  category: 'member',
  events: memberEvents,
  initial: noMember,
  evolve: evolveMember,
});

export const apiKey = aggregate({
  category: 'apikey',
  events: apiKeyEvents,
  initial: noApiKey,
  evolve: evolveApiKey,
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
