/**
 * When staff order a reconciliation, then every container that differs is told again what is wanted
 * of it. Which differ comes from the view; each container's own stream decides.
 */
import { ReconciliationOrdered } from '@bivouac/events/containers';
import { policy } from '@bivouac/infra/runtime';

import { ReconcileContainer } from '../commands/later-life.ts';
import { containers } from '../projections/container-rows.ts';

/** How many are told at once. */
const AT_ONCE = 32;

export const reconcileAll = policy({
  name: 'containers.reconcile',
  on: [ReconciliationOrdered],
  react: async ({ data: { nodeId } }, context) => {
    const { value: differing } = await context.candidates((view) => {
      const ids: string[] = [];
      let after: string | undefined;
      for (;;) {
        const page =
          nodeId === null
            ? view.range(containers, 'byDifference', [], { after, limit: 500 })
            : view.range(containers, 'byNodeDifference', [nodeId], { after, limit: 500 });
        ids.push(...page.map(({ row }) => row.id));
        after = page.at(-1)?.cursor;
        if (page.length < 500) return ids;
      }
    });
    for (let i = 0; i < differing.length; i += AT_ONCE) {
      const some = differing.slice(i, i + AT_ONCE);
      await Promise.all(
        some.map((containerId) =>
          context.execute(ReconcileContainer, { containerId }, containerId),
        ),
      );
    }
  },
});
