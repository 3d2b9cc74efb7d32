/**
 * Faults of whole orders: the embedded installation is killed under a load of orders, again and again
 * on the same data, and everything it left is checked: its log, its read models, its nodes' own files.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { acknowledgementViolations } from './checks/acknowledged.ts';
import { addressViolations } from '@bivouac/all/checks/addresses';
import { chargeViolations } from '@bivouac/all/checks/charges';
import { modelViolations, parkedViolations, quotaRowViolations } from '@bivouac/all/checks/models';
import { nodeViolations } from '@bivouac/all/checks/nodes';
import { operationViolations, ownersIn } from '@bivouac/all/checks/operations';
import { checkQuotas } from '@bivouac/all/checks/quotas';
import { remainViolations } from '@bivouac/all/checks/remains';
import { readInstances } from '@bivouac/all/checks/engines';
import { historyViolations } from '@bivouac/all/checks/history';
import { embeddedLeft, readHistory, readModels } from '@bivouac/all/checks/left';
import { runOrders, type RunTrace } from './run.ts';
import { Standing } from '@bivouac/all/checks/standing';

/** What the faults of one seed showed. */
export interface OrderFaultReport {
  /** In the log at the end. */
  readonly events: number;
  readonly crashes: number;
  readonly violations: readonly string[];
}

const RUNBOOK = new URL('../../../docs/operations-runbook.md', import.meta.url);

/** Runs the faults of one seed. `keep`: the data folder stays when something was violated. */
export async function runOrderFaults(seed: number, keep = false): Promise<OrderFaultReport> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bivouac-orders-'));
  let violated = true;
  try {
    const trace = await runOrders(seed, folder);
    const { events, violations } = await inspect(folder, trace);
    violated = violations.length > 0;
    if (violated && keep) console.error(`seed ${seed}: the data are in ${folder}`);
    return { events, crashes: trace.crashes, violations };
  } finally {
    if (!violated || !keep) await rm(folder, { recursive: true, force: true });
  }
}

/** Everything that must hold of what a run has left. */
async function inspect(
  folder: string,
  trace: RunTrace,
): Promise<{ readonly events: number; readonly violations: readonly string[] }> {
  const history = await readHistory(embeddedLeft(folder));
  const standing = new Standing(history);
  const quotas = checkQuotas(history);
  const models = await readModels(embeddedLeft(folder));
  const owned = ownersIn(await readFile(RUNBOOK, 'utf8'));
  const violations = [
    ...trace.violations,
    ...historyViolations(history),
    ...acknowledgementViolations(history, trace.sendings),
    ...quotas.violations,
    ...addressViolations(history),
    ...nodeViolations(history),
    ...operationViolations(history, owned),
    ...remainViolations(standing),
    ...chargeViolations(standing, await readInstances(folder)),
    ...parkedViolations(history),
    ...[...models].flatMap(([name, { live, rebuilt }]) => modelViolations(name, live, rebuilt)),
    ...quotaRowViolations(models.get('quotas')?.live ?? new Map(), quotas.levels),
  ];
  return { events: history.length, violations };
}
