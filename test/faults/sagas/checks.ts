/** Everything that must hold of what a run has left. */
import { readFileSync } from 'node:fs';

import { addressViolations } from '@bivouac/all/checks/addresses';
import { bookViolations } from '@bivouac/all/checks/books';
import { chargeViolations } from '@bivouac/all/checks/charges';
import { dunningViolations } from '@bivouac/all/checks/dunning';
import { asShown, type Instance } from '@bivouac/all/checks/engines';
import { historyViolations } from '@bivouac/all/checks/history';
import { compareInvoices } from '@bivouac/all/checks/invoices';
import { issueViolations } from '@bivouac/all/checks/issued';
import { modelViolations, parkedViolations, quotaRowViolations } from '@bivouac/all/checks/models';
import { nodeViolations } from '@bivouac/all/checks/nodes';
import { leftViolations } from '@bivouac/all/checks/nothing-left';
import { operationViolations, ownersIn } from '@bivouac/all/checks/operations';
import { placementViolations } from '@bivouac/all/checks/placed';
import { checkQuotas } from '@bivouac/all/checks/quotas';
import { reachViolations } from '@bivouac/all/checks/reach';
import { remainViolations } from '@bivouac/all/checks/remains';
import { Standing } from '@bivouac/all/checks/standing';
import type { ViewStore } from '@bivouac/infra/views';

import type { Disk } from './disk.ts';
import type { Running } from './process.ts';

const RUNBOOK = new URL('../../../docs/operations-runbook.md', import.meta.url);
const owned = ownersIn(readFileSync(RUNBOOK, 'utf8'));

/**
 * @param movedOut everything was terminated: nothing may be held any more, and as the run ends with it,
 * read models are compared with what they are when they are built anew.
 */
export async function violationsOf(
  disk: Disk,
  running: Running,
  movedOut: boolean,
): Promise<string[]> {
  const history = await disk.history();
  const standing = new Standing(history);
  const quotas = checkQuotas(history);
  const instances = await instancesOf(disk);
  const json = history.map(({ stream, type, time, revision, data }) => ({
    ...{ stream, type, time, data, revision: revision.toString() },
  }));
  return [
    ...running.failures.map((error) => `something that must run has stopped: ${String(error)}`),
    ...historyViolations(history),
    ...quotas.violations,
    ...addressViolations(history),
    ...nodeViolations(history),
    ...placementViolations(history),
    ...operationViolations(history, owned),
    ...remainViolations(standing),
    ...chargeViolations(standing, instances),
    ...reachViolations(history),
    ...parkedViolations(history),
    ...[...running.host.reactions].flatMap(([name, reactions]) =>
      reactions.parked().map(({ homeId, reason }) => `${name} has parked ${homeId}: ${reason}`),
    ),
    ...bookViolations(history),
    ...issueViolations(history),
    ...dunningViolations(history),
    ...compareInvoices(json).mismatches,
    ...quotaRowViolations(rowsOf(running.views.get('quotas')), quotas.levels),
    ...(movedOut ? leftViolations(standing, instances) : []),
    ...(movedOut ? await rebuiltViolations(running) : []),
  ];
}

/** What the node's engine has, whatever anybody else believes. */
async function instancesOf({ engine }: Disk): Promise<Instance[]> {
  const instances: Instance[] = [];
  for (const { containerId, state, addresses } of await engine.list()) {
    if (state === 'absent' || state === 'error') continue;
    const packages = (await engine.packages(containerId)).map(asShown);
    instances.push({ node: 'fake-1', containerId, state, addresses, packages });
  }
  return instances;
}

async function rebuiltViolations({ host, views }: Running): Promise<string[]> {
  const violations: string[] = [];
  for (const [name, view] of views) {
    const live = rowsOf(view);
    await host.follower.rebuild(name);
    violations.push(...modelViolations(name, live, rowsOf(view)));
  }
  return violations;
}

function rowsOf(view: ViewStore | undefined): Map<string, string> {
  const found = new Map<string, string>();
  for (const { table, key, json } of view?.rows() ?? []) found.set(`${table}/${key}`, json);
  return found;
}
