/** What a container has come to use is committed: its own reservation, also a new size, and its addresses'. */
import { AddressesAttached, ContainerResized, ContainerRunning } from '@bivouac/events/containers';
import { is } from '@bivouac/events/language';
import { policy } from '@bivouac/infra/runtime';

import { Commit, Release } from '../api/index.ts';
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
      if (reply.ok) continue;
      // Released meanwhile: its operation has given up and has the container destroyed.
      if (reply.refusal.code === 'RESERVATION_ENDED') {
        // Given back as the container's own before it took the place here of the one before it: then
        // nobody else knows that one any more.
        if (is(event, ContainerResized)) {
          const { previousReservationId } = event.data;
          const input = { reservationId: previousReservationId, homeId: event.homeid };
          await execute(Release, input, previousReservationId);
        }
        continue;
      }
      // Nothing is built that was not reserved, so this is a defect: the home is parked.
      throw new Error(
        `${reservationId} cannot be committed: ${reply.refusal.code} ${reply.refusal.message}`,
      );
    }
  },
});
