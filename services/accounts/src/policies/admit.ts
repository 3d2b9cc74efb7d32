/** Answers `accounts.admit`: may this tenant order now? Decided on its tree at its present end. */
import { responder, type Responder } from '@bivouac/infra/runtime';

import { tree } from '../aggregates.ts';
import { orderRefusal } from '../domain/holds.ts';
import { treeStream } from '../domain/tree.ts';

export const admit: Responder = responder('accounts.admit', {
  act: async ({ tenantId }, { load }, { homeId }) => {
    const { state } = await load(tree, treeStream(homeId));
    const refusal = orderRefusal(state, tenantId);
    return refusal === undefined
      ? { outcome: 'done', result: {} }
      : { outcome: 'refused', refusal };
  },
});
