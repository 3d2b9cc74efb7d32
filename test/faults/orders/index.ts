/**
 * Faults of whole orders: the embedded installation is killed under a load of orders, again and again
 * on the same data, and everything it left is checked: its log, its read models, its nodes' own files.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { acknowledgementViolations } from './checks/acknowledged.ts';
import { addressViolations } from './checks/addresses.ts';
import { chargeViolations } from './checks/charges.ts';
import { modelViolations, parkedViolations, quotaRowViolations } from './checks/models.ts';
import { nodeViolations } from './checks/nodes.ts';
import { operationViolations, ownersIn } from './checks/operations.ts';
import { checkQuotas } from './checks/quotas.ts';
import { remainViolations } from './checks/remains.ts';
import { readInstances } from './engines.ts';
import { historyViolations } from './history.ts';
import { readHistory, readModels } from './left.ts';
import { runOrders, type RunTrace } from './run.ts';
import { Standing } from './standing.ts';

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
  const history = await readHistory(folder);
  const standing = new Standing(history);
  const quotas = checkQuotas(history);
  const models = await readModels(folder);
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
