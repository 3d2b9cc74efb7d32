/** Holds what a run has left to everything that must be so, whatever has happened. */
import { readFile } from 'node:fs/promises';

import { readJournal } from '@bivouac/agent';
import type { Recorded } from '@bivouac/events/language';
import { addressViolations } from '@bivouac/all/checks/addresses';
import { bookViolations } from '@bivouac/all/checks/books';
import { chargeViolations } from '@bivouac/all/checks/charges';
import { FAKE_NODE, type Instance, instancesOf } from '@bivouac/all/checks/engines';
import { historyViolations } from '@bivouac/all/checks/history';
import { issueViolations } from '@bivouac/all/checks/issued';
import { builtAnew, rowsOf } from '@bivouac/all/checks/left';
import {
  modelViolations,
  parkedViolations,
  quotaRowViolations,
  type Rows,
} from '@bivouac/all/checks/models';
import { nodeViolations } from '@bivouac/all/checks/nodes';
import { operationViolations, ownersIn } from '@bivouac/all/checks/operations';
import { checkQuotas } from '@bivouac/all/checks/quotas';
import { remainViolations } from '@bivouac/all/checks/remains';
import { Standing } from '@bivouac/all/checks/standing';
import type { EventStore } from '@bivouac/infra/event-store';

import { lateViolations } from './late.ts';
import { acknowledgementViolations } from '../orders/checks/acknowledged.ts';
import type { Sending } from '../orders/load.ts';
import type { Law } from './laws.ts';
import type { System } from './system.ts';
import type { Watch } from './watch.ts';
import type { WorldNode } from './world.ts';

/** What is violated, by law; laws that hold are left out. */
export type Violations = Partial<Record<Law, string[]>>;

export interface Left {
  readonly store: EventStore;
  readonly history: readonly Recorded[];
  /** Events of the world, before anything happened. */
  readonly before: number;
  readonly sendings: readonly Sending[];
  readonly system: System;
  readonly nodes: readonly WorldNode[];
  readonly watch: Watch;
}

/** What a host shows, and what it would show after a rebuild. */
interface Shown {
  readonly name: string;
  readonly models: ReadonlyMap<string, Rows>;
  readonly anew: ReadonlyMap<string, Rows>;
}

let owners: Promise<(step: string) => boolean> | undefined;
const RUNBOOK = new URL('../../../docs/operations-runbook.md', import.meta.url);

/** Everything that must hold. */
export async function inspect(left: Left): Promise<Violations> {
  const { store, history, before, sendings, system, watch } = left;
  const standing = new Standing(history);
  const quotas = checkQuotas(history);
  owners ??= readFile(RUNBOOK, 'utf8').then(ownersIn);
  const owned = await owners;
  const shown: Shown[] = [];
  for (const { views, process, services } of system.hosts) {
    shown.push({
      name: process.name,
      models: new Map([...views].map(([service, view]) => [service, rowsOf(view.rows())])),
      // By the release that it runs.
      anew: await builtAnew(store, services),
    });
  }
  const found: Record<Law, string[]> = {
    'the log is whole and in order': historyViolations(history),
    'no acknowledged command is lost, none is applied twice': acknowledgementViolations(
      history,
      sendings,
    ),
    'no ledger was ever beyond a limit': quotas.violations,
    'quotas are shown as they are': shown.flatMap(({ models }) =>
      quotaRowViolations(models.get('quotas') ?? new Map(), quotas.levels),
    ),
    'no address ever had two holders': addressViolations(history),
    'no node ever held more than it has': nodeViolations(history),
    'every operation has ended or has an owner': operationViolations(history, owned),
    'nothing is held for what is gone': remainViolations(standing),
    'nothing is taken for what was given up': lateViolations(history),
    'what runs is paid for, and what is paid for runs': chargeViolations(
      standing,
      await instancesLeft(left),
    ),
    'the books balance': [...bookViolations(history), ...issueViolations(history)],
    'no home is parked': parkedViolations(history),
    'no reaction is skipped': watch.skipped(history.slice(before)),
    'no reaction runs again on what was done': watch.violations,
    'a rebuild equals the live read models': shown.flatMap(({ name, models, anew }) =>
      [...models].flatMap(([service, rows]) =>
        modelViolations(`${name}: ${service}`, rows, anew.get(service) ?? new Map()),
      ),
    ),
  };
  return onlyViolated(found);
}

/** What must hold of what is held, whenever everything has come to rest. */
export async function heldViolations(left: Left): Promise<Violations> {
  const standing = new Standing(left.history);
  return onlyViolated({
    'nothing is held for what is gone': remainViolations(standing),
    'what runs is paid for, and what is paid for runs': chargeViolations(
      standing,
      await instancesLeft(left),
    ),
  });
}

function onlyViolated(found: Violations): Violations {
  return Object.fromEntries(Object.entries(found).filter(([, what]) => what.length > 0));
}

/** What the nodes' engines have, by their disks. */
async function instancesLeft({ nodes, system }: Left): Promise<readonly Instance[]> {
  const instances: Instance[] = [];
  for (const { name } of nodes) {
    const disk = system.disk(name);
    const read = (file: string): Promise<Uint8Array | undefined> =>
      Promise.resolve(disk.content(file));
    const { records } = await readJournal('/engine/node.journal', FAKE_NODE, { read });
    instances.push(...instancesOf(name, records));
  }
  return instances;
}
