/**
 * Whoever is erased has their keys destroyed: after the event, so that a key that is gone always has
 * a reason in the log. Destroying twice is destroying once, so a crash between the two, or the event
 * coming again, does no harm; at a start the keys are held against the log once more.
 */
import { PersonErased } from '@bivouac/events/accounts';
import { policy } from '@bivouac/infra/runtime';

export const destroyKeys = policy({
  name: 'accounts.destroy-keys',
  on: [PersonErased],
  react: async ({ data: { personId, purposes } }, { ports }) => {
    await ports.keys.destroy(personId, purposes);
  },
});
