// What is measured, what is documented, what is drawn, what fires and what is done about it agree.
import { readFileSync } from 'node:fs';

import {
  METRIC_PREFIX,
  metricList,
  type MetricName,
  metricRows,
  type ThresholdName,
  thresholds,
} from '@bivouac/infra/runtime';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';

const RuleSchema = z.object({
  alert: z.string(),
  expr: z.string(),
  for: z.string(),
  labels: z.object({ severity: z.string() }),
  annotations: z.object({ summary: z.string(), description: z.string(), runbook_url: z.string() }),
});
const RulesSchema = z.object({ groups: z.array(z.object({ rules: z.array(RuleSchema) })) });
const PanelSchema = z.object({
  title: z.string(),
  targets: z.array(z.object({ expr: z.string() })).default([]),
});
const DashboardSchema = z.object({ panels: z.array(PanelSchema) });

const text = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const rules = RulesSchema.parse(parse(text('infra/deploy/prometheus/alerts.yml'))).groups.flatMap(
  ({ rules }) => rules,
);
const dashboard = DashboardSchema.parse(JSON.parse(text('infra/deploy/grafana/bivouac.json')));
const runbook = text('docs/runbook.md');
const asked = [
  ...rules.map(({ expr }) => expr),
  ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
];

/** The metrics of ours that an expression names, as the list has them. */
function namedIn(expr: string): readonly string[] {
  return [...expr.matchAll(/\bbivouac_([a-z_]+)/g)].map(([, name = '']) => {
    const histogram = name.replace(/_(bucket|sum|count)$/, '');
    return histogram in metricList ? histogram : name;
  });
}

test('every metric is in the dashboard or in an alert, and these ask for nothing else', () => {
  const used = new Set(asked.flatMap(namedIn));
  expect([...used].sort()).toEqual(Object.keys(metricList).sort());
});

test('every metric is documented as it is declared', () => {
  const tight = (line: string): string => line.replaceAll(/ +/g, ' ').trim();
  const documented = text('docs/metrics.md')
    .split('\n')
    .filter((line) => line.startsWith(`| \`${METRIC_PREFIX}`))
    .map(tight);
  expect(documented).toEqual(metricRows().map(tight));
});

test('no label can be of a customer', () => {
  const labels = new Set(
    Object.keys(metricList).flatMap((name) => metricList[name as MetricName].labels),
  );
  for (const never of ['tenant', 'account', 'container', 'home', 'person', 'stream', 'key'])
    expect([...labels]).not.toContain(never);
});

test('every alert has its threshold, and every threshold its alert', () => {
  expect(rules.map(({ alert }) => alert).sort()).toEqual(Object.keys(thresholds).sort());
});

test.each(rules)('$alert says and waits as its threshold does', (rule) => {
  const { most, forSeconds, severity, says, section, within } =
    thresholds[rule.alert as ThresholdName];
  expect({
    for: secondsOf(rule.for),
    severity: rule.labels.severity,
    summary: rule.annotations.summary,
    runbook: rule.annotations.runbook_url,
  }).toEqual({
    for: forSeconds,
    severity,
    summary: says,
    runbook: `docs/runbook.md#${section}`,
  });
  const windows = new Set(
    [...rule.expr.matchAll(/\[(\w+)\]/g)].map(([, one = '']) => secondsOf(one)),
  );
  expect([...windows]).toEqual(within === 0 ? [] : [within]);
  // A process is there or not, and a node is not silent while somebody hears it: no number is exceeded.
  if (rule.alert === 'ProcessDown') return;
  const [, compared, limit] = /(>|<=) ([\d.]+)\)?$/.exec(rule.expr.trim()) ?? [];
  expect({ compared, limit: Number(limit) }).toEqual({
    compared: rule.alert === 'NodeSilent' ? '<=' : '>',
    limit: most,
  });
});

test('every alert has its section of the runbook, with the expression, and every section its alert', () => {
  const sections = [...runbook.matchAll(/^## (\w+)\n\n`(.+)`$/gm)].map(([, name, expr]) => [
    name,
    expr,
  ]);
  expect(sections).toEqual(rules.map(({ alert, expr }) => [alert, expr.trim()]));
  for (const part of runbook.split(/^## /m).slice(1)) {
    expect(part).toMatch(/\*\*Look at:\*\* \S/);
    expect(part).toMatch(/\*\*Do:\*\* \S/);
  }
});

function secondsOf(duration: string): number {
  const [, count, unit = ''] = /^(\d+)([smh])$/.exec(duration) ?? [];
  return Number(count) * ({ s: 1, m: 60, h: 3600 }[unit] ?? Number.NaN);
}
