/** What an account holds of its quota, one by one, and what happened in its tree's ledger. */
import { LedgerHistory, ReservationsOf, type ReservationView } from '@bivouac/quotas/api';

import { AccountRef } from '../accounts/account.ts';
import { builder } from '../language/builder.ts';
import { enumeration } from '../language/enumeration.ts';
import { EventConnection, EventRef, historyConnection } from '../language/history.ts';
import { connection, pageRequest } from '../language/paging.ts';
import { ResourcesRef } from '../language/resources.ts';

const ReservationStatus = enumeration('ReservationStatus', 'How far a reservation has come.', {
  reserved: 'Taken for an order under way.',
  overdue: 'Its order said neither that it came through nor that it did not; it stays taken.',
  committed: 'In use.',
});

const ReservationRef = builder.objectRef<ReservationView>('Reservation').implement({
  description: 'A part of the quota that something holds.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id, `res_…`.' }),
    resources: t.expose('vector', { type: ResourcesRef, description: 'How much.' }),
    status: t.expose('status', { type: ReservationStatus, description: 'How far it has come.' }),
    replaces: t.exposeID('replaces', {
      nullable: true,
      description:
        'The reservation whose place it is to take; the larger of both counts until then.',
    }),
    reservedAt: t.expose('reservedAt', { type: 'DateTime', description: 'Since when.' }),
    committedAt: t.expose('committedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when it is in use.',
    }),
  }),
});

const ReservationConnection = builder.connectionObject(
  { type: ReservationRef, name: 'ReservationConnection', description: 'A page of reservations.' },
  { name: 'ReservationEdge', description: 'A reservation and where it stands.' },
);

builder.objectField(AccountRef, 'reservations', (t) =>
  t.connection(
    {
      type: ReservationRef,
      description: 'What the account itself holds of its quota now, oldest first.',
      resolve: async ({ id }, args, { services }) => {
        const page = await services.query(ReservationsOf, {
          tenantId: id,
          page: pageRequest(args),
        });
        return connection(page ?? { items: [], hasNext: false, hasPrevious: false });
      },
    },
    ReservationConnection,
  ),
);

builder.objectField(AccountRef, 'quotaHistory', (t) =>
  t.connection(
    {
      type: EventRef,
      description:
        'What happened in the quota ledger of its tree: limits, reservations. Only for the account at the head of the tree; empty for others.',
      resolve: ({ id }, args, { services }) =>
        historyConnection(args, (page) => services.query(LedgerHistory, { homeId: id, page })),
    },
    EventConnection,
  ),
);
