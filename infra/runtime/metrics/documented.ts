/** The table of all metrics in docs/metrics.md. */
import { METRIC_PREFIX, type MetricDeclaration, metricList } from './list.ts';

/** The lines of the table, as Markdown that nobody has aligned. */
export function metricRows(): readonly string[] {
  return Object.entries<MetricDeclaration>(metricList).map(([name, { kind, labels, help }]) => {
    const cells = [`\`${METRIC_PREFIX}${name}\``, kind, labels.map((l) => `\`${l}\``).join(', ')];
    return `| ${[...cells, help].join(' | ')} |`;
  });
}
