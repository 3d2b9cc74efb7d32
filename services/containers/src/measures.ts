/** Which nodes should be connected, and how much they have not answered. */
import type { ViewMeasure } from '@bivouac/infra/runtime';

import { instructions } from './projections/instructions.ts';
import { nodes } from './projections/nodes.ts';

/** Rows looked at. */
const MOST = 10_000;
const PAGE = 500;

export const expectedNodes: ViewMeasure = (view, _now, metrics) => {
  const expected: string[] = [];
  let after: string | undefined;
  for (let read = 0; read < MOST;) {
    const page = view.range(nodes, 'byPosition', [], { after, limit: PAGE });
    for (const { row } of page) {
      if (row.identity !== null && row.drained === null) expected.push(row.id);
    }
    read += page.length;
    if (page.length < PAGE) break;
    after = page.at(-1)?.cursor;
  }
  metrics.replace(
    'node_expected',
    expected.map((node) => [{ node }, 1]),
  );
};

export const unansweredInstructions: ViewMeasure = (view, _now, metrics) => {
  const { length } = view.range(instructions, 'byPosition', [], { limit: MOST });
  metrics.gauge('instructions_unanswered', {}).set(length);
};
