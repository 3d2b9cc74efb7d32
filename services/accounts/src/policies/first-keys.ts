/** Whoever accepts an invitation was shown a key; it is made, from its hash, before it is used. */
import { InvitationAccepted } from '@bivouac/events/accounts';
import { policy, RuntimeError } from '@bivouac/infra/runtime';

import { CreateFirstKey } from '../api/index.ts';
import { apiKeyStream } from '../domain/api-key.ts';

export const firstKeys = policy({
  name: 'accounts.first-keys',
  on: [InvitationAccepted],
  target: (event) => apiKeyStream(event.data.keyId),
  react: async ({ data }, { execute }) => {
    const { keyId, tenantId, homeId, memberId, personId, keyHash: hash } = data;
    const reply = await execute(CreateFirstKey, {
      ...{ keyId, tenantId, homeId, memberId, personId, hash },
    });
    // Nothing speaks against it, so this is a defect: the home is parked.
    if (!reply.ok) {
      throw new RuntimeError('defect', `a first key was refused: ${reply.refusal.message}`);
    }
  },
});
