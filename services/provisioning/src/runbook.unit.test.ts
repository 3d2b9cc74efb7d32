/** Whoever meets an operation in trouble finds its state, step and code in the docs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { OperationStatusSchema } from './api/index.ts';
import { orders, results as sampleResults, Run } from './domain/operation/sample-run.ts';
import { planOf, type StepResult, undoName } from './domain/plans/index.ts';

const doc = (name: string): string => readFileSync(join(process.cwd(), 'docs', name), 'utf8');
const runbook = doc('operations-runbook.md');
const outcomes = doc('operations-outcomes.md');
const quoted = (text: string): string[] =>
  [...text.matchAll(/`([A-Za-z0-9_-]+)`/g)].map(([, w]) => w ?? '');
/** The text from one second-level heading to the next. */
const part = (text: string, heading: string): string =>
  (text.split(/^## /m).find((one) => one.startsWith(heading)) ?? '').replace(heading, '');
const sections = (text: string) => text.split(/^### /m).slice(1);
const headed = (text: string): string[] =>
  sections(text).flatMap((section) => quoted(section.slice(0, section.indexOf('\n'))));

/** The plans of every kind when all its results are known. */
const plans = orders.map((order) => {
  const run = new Run(order);
  run.finish();
  const { target, operationId, tenantId, startedAt, results } = run.state;
  if (target === undefined) throw new Error('an operation has a target');
  const facts = { operationId, tenantId, startedAt, results, order, target };
  const { steps } = planOf(facts);
  // As far as an undo finds more to be given back.
  const found: Record<string, StepResult> = { ...results };
  for (const { name, undo } of steps) {
    const result = undo === undefined ? undefined : sampleResults[undo.ask];
    if (result !== undefined) found[undoName(name, 1)] = { attempt: 1, result };
  }
  const undone = planOf({ ...facts, results: found }).steps;
  const leaves = undone.flatMap(({ undo }) => undo?.leaves?.(1) ?? []);
  return { order, steps, leaves };
});
const numbered = (step: string): string => step.replace(/-\d+$/, '-n');

describe('the runbook', () => {
  test('has a section for every state of an operation', () => {
    expect(headed(part(runbook, 'States of an operation')).sort()).toEqual(
      [...OperationStatusSchema.options].sort(),
    );
  });

  test('has a section for every step that can need attention, and for no other', () => {
    const needing = plans.flatMap(({ steps, leaves }) => [
      ...leaves.map(({ name }) => numbered(name)),
      ...steps.flatMap(({ name, undo, onFailed, onTimedOut }) => [
        ...(onFailed === 'attention' || onTimedOut === 'attention' ? [numbered(name)] : []),
        ...(undo === undefined ? [] : [`undo-${name}-n`]),
      ]),
    ]);
    // The sample has addresses of one family.
    const all = new Set([...needing, 'unlease-ipv6', 'undo-build-unlease-ipv6', 'let-go']);
    expect(headed(part(runbook, 'Steps that need attention')).sort()).toEqual([...all].sort());
  });

  test('has a section, or a reason for none, for every code that a mutation or an operation has', () => {
    const errors = doc('errors.md');
    const table = errors.slice(errors.indexOf('## Of a mutation or an operation'));
    const codes = [...table.matchAll(/^\| `([A-Z0-9_]+)`/gm)].map(([, code]) => code ?? '');
    expect(codes.length).toBeGreaterThan(100);
    const last = '## Codes no operation ends with';
    const [explained = '', excluded = ''] = outcomes.split(last);
    const known = [...headed(explained), ...quoted(excluded)];
    // Whoever adds a code says here what an operation that ends with it needs, or that none does.
    expect(codes.filter((code) => !known.includes(code))).toEqual([]);
    expect(known.filter((code, i) => known.indexOf(code) !== i)).toEqual([]);
  });

  test('says in every section what it means and who acts', () => {
    const all = [
      ...sections(outcomes),
      ...sections(part(runbook, 'States of an operation')),
      ...sections(part(runbook, 'Steps that need attention')),
    ];
    for (const section of all) {
      expect(section).toMatch(/\*\*Means\*\*/);
      expect(section.replaceAll('\n', ' ')).toMatch(/\*\*Who\s+acts:\*\*/);
    }
  });
});

test('docs/provisioning.md names the steps of every kind, with what undoes them and the pivot', () => {
  const page = doc('provisioning.md');
  for (const { order, steps } of plans) {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${order.kind}\``)) ?? '';
    for (const { name, undo, pivot } of steps) {
      const as = order.kind === 'cancel' && !row.includes(`\`${name}\``) ? 'terminate' : name;
      expect(quoted(row)).toContain(numbered(as));
      if (undo !== undefined) expect(row).toContain(`(${undo.ask})`);
      if (pivot === true && as === name) expect(row).toContain(`\`${name}\`\\*`);
    }
  }
});
