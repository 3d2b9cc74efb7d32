/**
 * Every operation has ended, once; or it waits for somebody, at a step of which the runbook says who
 * acts and how.
 */
import { is } from '@bivouac/events/language';
import { OperationStarted } from '@bivouac/events/provisioning';

import { endOf } from '../ends.ts';
import type { History } from '../history.ts';

/** @param owned whether the runbook names an owner for a step that waits. */
export function operationViolations(history: History, owned: (step: string) => boolean): string[] {
  const violations: string[] = [];
  const open = new Map<string, string>();
  const ended = new Map<string, string>();
  for (const event of history) {
    if (is(event, OperationStarted)) {
      open.set(event.data.operationId, event.data.kind);
      continue;
    }
    const end = endOf(event);
    if (end === undefined) continue;
    const { operationId, outcome, step } = end;
    const before = ended.get(operationId);
    if (before !== undefined && before !== 'needs-attention') {
      violations.push(`${operationId} is ${outcome} and was ${before} (at ${event.position})`);
    }
    ended.set(operationId, outcome);
    open.delete(operationId);
    if (step !== null && !owned(step)) {
      violations.push(`${operationId} waits at ${step}, and nobody is named who acts`);
    }
  }
  for (const [operationId, kind] of open) violations.push(`${kind} ${operationId} has not ended`);
  return violations;
}

/**
 * The steps that the runbook's table names, each with somebody who acts. `*` stands for any ending.
 * @param runbook the text of docs/operations-runbook.md.
 */
export function ownersIn(runbook: string): (step: string) => boolean {
  const patterns: RegExp[] = [];
  for (const line of runbook.split('\n')) {
    const [steps = '', , who = ''] = line.split('|').slice(1);
    if (who.trim() === '') continue;
    for (const [, name = ''] of steps.matchAll(/`([a-z0-9*-]+)`/g)) {
      patterns.push(new RegExp(`^${name.replaceAll('*', '.*')}$`));
    }
  }
  return (step) => patterns.some((pattern) => pattern.test(step));
}
