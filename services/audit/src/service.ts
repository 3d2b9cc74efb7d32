/** Audit: the trail of all that happened, for whoever may see it, and of who looked at it. */
import { auditEvents } from '@bivouac/events/audit';
import { aggregate, handler, service } from '@bivouac/infra/runtime';

import { RecordAccess } from './api/index.ts';
import { everyEvent } from './definitions.ts';
import { digestOf } from './digest.ts';
import { type Access, evolveAccess, noAccess, recordAccess } from './domain/access.ts';
import { trailProjection } from './projections/trail.ts';
import { trailOf } from './queries/trail.ts';

const access = aggregate<Access, typeof auditEvents>({
  category: 'access',
  events: auditEvents,
  initial: noAccess,
  evolve: evolveAccess,
});

const accessStream = (commandKey: string): string => `access-${commandKey}`;

export const auditService = service({
  name: 'audit',
  events: everyEvent,
  commands: [
    handler(RecordAccess, access, {
      stream: (_input, { commandKey }) => accessStream(commandKey),
      // The provider's: who looks is an affair of those who may be asked about it.
      owner: () => 'platform',
      prepare: async ({ filter, page, reason }, _ports, { principal }) => ({
        input: {
          what: filter,
          digest: digestOf({ filter, page }),
          by: principal.memberId ?? principal.id,
          audience: principal.audience,
          reason,
        },
      }),
      decide: recordAccess,
      result: (_events, _input, stream) => ({ access: stream }),
    }),
  ],
  queries: [trailOf],
  projections: [trailProjection],
  policies: [],
  responders: [],
});
