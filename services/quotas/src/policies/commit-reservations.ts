/** What a container has come to use is committed: its own reservation, also a new size, and its addresses'. */
import { AddressesAttached, ContainerResized, ContainerRunning } from '@bivouac/events/containers';
import { is } from '@bivouac/events/language';
import { policy } from '@bivouac/infra/runtime';

import { Commit } from '../api/index.ts';
import { ledgerStream } from '../domain/ledger.ts';

export const commitReservations = policy({
  name: 'quotas.commit-reservations',
  on: [ContainerRunning, ContainerResized, AddressesAttached],
  target: (event) => ledgerStream(event.homeid),
  react: async (event, { execute }) => {
    const reservationIds = is(event, AddressesAttached)
      ? event.data.reservationIds
      : [event.data.reservationId];
    for (const reservationId of reservationIds) {
      const reply = await execute(Commit, { reservationId, homeId: event.homeid }, reservationId);
      // Released meanwhile: its operation has given up and has the container destroyed.
      if (reply.ok || reply.refusal.code === 'RESERVATION_ENDED') continue;
      // Nothing is built that was not reserved, so this is a defect: the home is parked.
      throw new Error(
        `${reservationId} cannot be committed: ${reply.refusal.code} ${reply.refusal.message}`,
      );
    }
  },
});
