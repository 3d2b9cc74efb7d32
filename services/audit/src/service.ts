/** Audit: the trail of all that happened, for whoever may see it, and of who has read it. */
import { auditEvents } from '@bivouac/events/audit';
import { aggregate, handler, service } from '@bivouac/infra/runtime';

import { RecordTrailRead } from './api/index.ts';
import { definitionOf, everyEvent } from './definitions.ts';
import { digestOf } from './digest.ts';
import { misfitOf } from './domain/misfit.ts';
import { evolveReading, noReading, type Reading, recordReading } from './domain/trail-read.ts';
import { blocksProjection } from './projections/blocks.ts';
import { trail } from './queries/trail.ts';

export { streamKinds } from './queries/objects.ts';

const reading = aggregate<Reading, typeof auditEvents>({
  category: 'trailread',
  events: auditEvents,
  initial: noReading,
  evolve: evolveReading,
});

export const auditService = service({
  name: 'audit',
  events: everyEvent,
  commands: [
    handler(RecordTrailRead, reading, {
      // A stream for each: no reader's stream grows, and no two readers wait for each other.
      stream: (_input, { commandKey }) => `trailread-${commandKey}`,
      // The reader's own affair, whoever's things it reads.
      owner: (_input, { tenantId, homeId }) => ({ tenantId, homeId }),
      prepare: async ({ filter, page }, _ports, { principal }) => {
        const { account, ...question } = filter;
        return {
          input: {
            question: { ...question, ...(account !== undefined && { accountId: account.id }) },
            page,
            by: principal.memberId ?? principal.id,
            audience: principal.audience,
            digest: digestOf({ filter, page }),
            misfit: misfitOf({ filter, page }, (type) => definitionOf.has(type)),
          },
        };
      },
      decide: recordReading,
      result: (_events, _input, stream) => ({ read: stream }),
    }),
  ],
  queries: [trail()],
  projections: [blocksProjection],
  policies: [],
  responders: [],
});
