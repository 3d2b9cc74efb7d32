/** Reads what a month has left in its folder, and holds it to everything that must be so. */
import { readFile } from 'node:fs/promises';

import { addressViolations } from '../../checks/addresses.ts';
import { bookViolations } from '../../checks/books.ts';
import { chargeViolations } from '../../checks/charges.ts';
import { dunningViolations } from '../../checks/dunning.ts';
import { type Instance, readInstances } from '../../checks/engines.ts';
import { erasureViolations, readKeys } from '../../checks/erased.ts';
import { type History, historyViolations } from '../../checks/history.ts';
import { compareInvoices, type SecondOpinion } from '../../checks/invoices.ts';
import { issueViolations } from '../../checks/issued.ts';
import { type LeftBehind, readHistory, readJson, readModels } from '../../checks/left.ts';
import { modelViolations, parkedViolations, quotaRowViolations } from '../../checks/models.ts';
import { nodeViolations } from '../../checks/nodes.ts';
import { leftViolations } from '../../checks/nothing-left.ts';
import { operationViolations, ownersIn } from '../../checks/operations.ts';
import { placementViolations } from '../../checks/placed.ts';
import { checkQuotas } from '../../checks/quotas.ts';
import { reachViolations } from '../../checks/reach.ts';
import { remainViolations } from '../../checks/remains.ts';
import { Standing } from '../../checks/standing.ts';

const RUNBOOK = new URL('../../../../../docs/operations-runbook.md', import.meta.url);

export interface Inspection {
  readonly history: History;
  readonly standing: Standing;
  readonly instances: readonly Instance[];
  readonly invoices: SecondOpinion;
  /** What is violated, by what must be so; all of them are named. */
  readonly violations: Readonly<Record<string, readonly string[]>>;
}

/**
 * Inspects the folder of an installation that is stopped.
 *
 * @param left how its kind has left the log and the read models.
 * @param movedOut everything was terminated: nothing may be held any more.
 */
export async function inspect(
  folder: string,
  left: LeftBehind,
  movedOut: boolean,
): Promise<Inspection> {
  const history = await readHistory(left);
  const standing = new Standing(history);
  const quotas = checkQuotas(history);
  const models = await readModels(left);
  const instances = await readInstances(folder);
  const keys = await readKeys(folder, history);
  const owned = ownersIn(await readFile(RUNBOOK, 'utf8'));
  const invoices = compareInvoices(await readJson(left));
  return {
    ...{ history, standing, instances, invoices },
    violations: {
      'the log is whole and in order': historyViolations(history, left.gapless),
      'no ledger was ever beyond a limit': quotas.violations,
      'quotas are shown as they are': quotaRowViolations(
        models.get('quotas')?.live ?? new Map(),
        quotas.levels,
      ),
      'no address ever had two holders': addressViolations(history),
      'no node ever held more than it has': nodeViolations(history),
      'every node is one that its container’s order had asked for': placementViolations(history),
      'every operation has ended or has an owner': operationViolations(history, owned),
      'nothing is held for what is gone': remainViolations(standing),
      'what runs is paid for, and what is paid for runs': chargeViolations(
        standing,
        instances,
        true,
      ),
      'nobody has acted out of their reach': reachViolations(history),
      'who is erased has no key, and everybody else’s opens': erasureViolations(history, keys),
      'no home is parked': parkedViolations(history),
      'a rebuild equals the live read models': [...models].flatMap(([name, { live, rebuilt }]) =>
        modelViolations(name, live, rebuilt),
      ),
      'the books balance': bookViolations(history),
      'what is closed is invoiced and booked once, without a gap': issueViolations(history),
      'who is overdue is held, and nobody else': dunningViolations(history),
      'invoices are what the second opinion comes to': invoices.mismatches,
      ...(movedOut && { 'nothing is left over': leftViolations(standing, instances) }),
    },
  };
}
