/**
 * Every operation has ended, once; or it waits for somebody, at a step of which the runbook says who
 * acts and how, or for a child that does.
 */
import { is } from '@bivouac/events/language';
import { OperationStarted } from '@bivouac/events/provisioning';

import { endOf, type Outcome } from './ends.ts';
import type { History } from './history.ts';

/** @param owned whether the runbook names an owner for a step that waits. */
export function operationViolations(history: History, owned: (step: string) => boolean): string[] {
  const violations: string[] = [];
  const kinds = new Map<string, string>();
  const outcomes = new Map<string, Outcome>();
  const parents = new Map<string, string>();
  for (const event of history) {
    if (is(event, OperationStarted)) {
      const { operationId, kind, parentId } = event.data;
      kinds.set(operationId, kind);
      outcomes.set(operationId, 'running');
      if (parentId !== undefined) parents.set(operationId, parentId);
      continue;
    }
    const end = endOf(event);
    if (end === undefined) continue;
    const { operationId, outcome, step } = end;
    const before = outcomes.get(operationId);
    if (before !== 'running' && before !== 'needs-attention') {
      violations.push(
        `${operationId} is ${outcome} and was ${before ?? 'never started'} (at ${event.position})`,
      );
    }
    outcomes.set(operationId, outcome);
    if (step !== null && !owned(step)) {
      violations.push(`${operationId} waits at ${step}, and nobody is named who acts`);
    }
  }
  const waited = new Set<string>();
  for (const [child, parent] of parents) {
    if (outcomes.get(child) === 'needs-attention') waited.add(parent);
  }
  for (const [operationId, outcome] of outcomes) {
    if (outcome !== 'running' || waited.has(operationId)) continue;
    violations.push(`${kinds.get(operationId) ?? ''} ${operationId} has not ended`);
  }
  return violations;
}

/**
 * The steps that have a section of their own in the runbook, with somebody who acts. `-n` at the end
 * of a name stands for a number.
 * @param runbook the text of docs/operations-runbook.md.
 */
export function ownersIn(runbook: string): (step: string) => boolean {
  const patterns: RegExp[] = [];
  for (const section of runbook.split(/^### /m).slice(1)) {
    const [title = '', ...lines] = section.split('\n');
    const [, who = ''] = /\*\*Who acts:\*\*([^.]*)/.exec(lines.join(' ')) ?? [];
    if (who.trim() === '' || who.includes('nobody')) continue;
    for (const [, name = ''] of title.matchAll(/`([a-z0-9-]+)`/g)) {
      patterns.push(new RegExp(`^${name.replace(/-n$/, '-\\d+')}$`));
    }
  }
  return (step) => patterns.some((pattern) => pattern.test(step));
}
