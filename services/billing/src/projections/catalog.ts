/** The catalog's plans as everyone reads them. */
import { PlanDefined, PlanRetired, PlanTermsReplaced } from '@bivouac/events/billing';
import { on, projection } from '@bivouac/infra/runtime';
import { table } from '@bivouac/infra/views';

import type { PlanView } from '../api/plans.ts';

export const plans = table<PlanView>()({
  name: 'plans',
  key: (row) => row.id,
  indexes: {
    byPosition: (row) => [row.position],
    byOffer: (row) => (row.retired ? undefined : [row.position]),
  },
});

export const catalogProjection = projection({
  name: 'billing.catalog',
  tables: [plans],
  on: [
    on(PlanDefined, (event, view) => {
      const { planId: id, ...terms } = event.data;
      view.put(plans, {
        id,
        ...terms,
        retired: false,
        revision: event.revision.toString(),
        definedAt: event.time,
        position: event.position,
      });
    }),
    on(PlanTermsReplaced, (event, view) => {
      const { planId, ...terms } = event.data;
      const row = view.get(plans, planId);
      if (row !== undefined) {
        view.put(plans, { ...row, ...terms, revision: event.revision.toString() });
      }
    }),
    on(PlanRetired, (event, view) => {
      const row = view.get(plans, event.data.planId);
      if (row !== undefined) view.put(plans, { ...row, retired: true });
    }),
  ],
});
