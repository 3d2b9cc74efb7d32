/** The rows of containers, and what follows from every change of one: what differs, and its timers. */
import type { AskName, AskRef } from '@bivouac/events/operations';
import { plusSeconds } from '@bivouac/events/values';
import { timers } from '@bivouac/infra/runtime';
import { table, type WritableView } from '@bivouac/infra/views';

import type { ContainerView, Lifecycle } from '../api/index.ts';
import { EndRestoreWindow, ReconcileContainer } from '../commands/later-life.ts';

/** How long a container may differ from what is wanted before its node is told again, in seconds. */
const DIFFERS_SECONDS = 300;

/** A container's row: what is answered, but for the node's name, which is the node's. */
export interface ContainerRow extends Omit<ContainerView, 'node' | 'possible'> {
  readonly nodeId: string | null;
  /** The operation that makes it, until it runs or is gone. */
  readonly maker: string | null;
  /** What it goes back to if its waiting change of power comes to nothing. */
  readonly former: Lifecycle | null;
  /** What it was before its soft deletion. */
  readonly beforeDeletion: Lifecycle | null;
  /** What is wanted of it and what its node sees instead, while no operation is at work on it. */
  readonly difference: {
    readonly wanted: Wanted;
    readonly since: string;
    /** Since when its node has done nothing about it. */
    readonly from: string;
  } | null;
}

type Wanted = 'running' | 'stopped' | 'frozen';

export const containers = table<ContainerRow>()({
  name: 'containers',
  key: (row) => row.id,
  indexes: {
    byPosition: (row) => [row.position],
    byHome: (row) => [row.homeId, row.position],
    byTenant: (row) => [row.tenantId, row.position],
    byLifecycle: (row) => [row.lifecycle, row.position],
    byTenantLifecycle: (row) => [row.tenantId, row.lifecycle, row.position],
    byNode: (row) => (row.nodeId === null ? undefined : [row.nodeId, row.position]),
    byDifference: (row) => (row.difference === null ? undefined : [row.position]),
    byNodeDifference: (row) =>
      row.difference === null ? undefined : [row.nodeId ?? '', row.position],
  },
});

/** An event of a container, as far as its row has to know. */
interface Change {
  readonly time: string;
  readonly homeid: string;
  readonly data: { readonly containerId: string };
}

/** Changes a row, where there is one. */
export function change(
  view: WritableView,
  { data: { containerId }, time, homeid }: Change,
  next: (row: ContainerRow) => ContainerRow,
): void {
  // A hold may come before the container is requested, a discard without it: neither has a row.
  const before = view.get(containers, containerId);
  if (before === undefined) return;
  const changed = next(before);
  const row = { ...changed, difference: differenceOf(changed, time) };
  view.put(containers, row);
  setTimer(view, before, row, `reconcile/${containerId}`, homeid, (of) =>
    actedUpon(of)
      ? {
          due: plusSeconds(of.difference?.from ?? time, DIFFERS_SECONDS),
          command: ReconcileContainer.name,
          input: { containerId },
        }
      : undefined,
  );
  setTimer(view, before, row, `restore/${containerId}`, homeid, ({ restoreUntil }) =>
    restoreUntil === null
      ? undefined
      : {
          due: restoreUntil,
          command: EndRestoreWindow.name,
          input: { containerId, restoreUntil },
        },
  );
}

/** An ask holds it now. */
export function held(row: ContainerRow, ref: AskRef | undefined, ask: AskName): ContainerRow {
  return ref === undefined ? row : { ...row, operation: { operationId: ref.operationId, ask } };
}

/** Its node has confirmed this. */
export function seen(
  row: ContainerRow,
  state: NonNullable<ContainerRow['observed']>['state'],
  at: string,
): ContainerRow {
  return { ...row, observed: { state, generation: row.generation, at } };
}

/** Something was tried just now: what differs all the same is left alone for a while. */
export function later(row: ContainerRow, now: string): ContainerRow {
  return row.difference === null ? row : { ...row, difference: { ...row.difference, from: now } };
}

/** What a node is to make of it; null before it was made and once it is to go. */
function wantedOf({ lifecycle, holds, runningSince }: ContainerRow): Wanted | null {
  if (runningSince === null) return null;
  if (lifecycle === 'soft-deleted') return 'stopped';
  if (lifecycle !== 'running' && lifecycle !== 'stopped' && lifecycle !== 'frozen') return null;
  return holds.length > 0 ? 'stopped' : lifecycle;
}

function differenceOf(row: ContainerRow, time: string): ContainerRow['difference'] {
  const wanted = wantedOf(row);
  const { observed, operation, generation, difference } = row;
  if (wanted === null || operation !== null || observed?.generation !== generation) return null;
  if (observed.state === wanted) return null;
  return difference?.wanted === wanted ? difference : { wanted, since: time, from: time };
}

/** By timer only what starts or stops it; what is missing or in error is for staff. */
function actedUpon({ difference, observed }: ContainerRow): boolean {
  if (difference === null) return false;
  if (difference.wanted === 'running') return observed?.state === 'stopped';
  return difference.wanted === 'stopped' && ['running', 'frozen'].includes(observed?.state ?? '');
}

interface Timer {
  readonly due: string;
  readonly command: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** Puts, moves or deletes a timer, where the change of the row makes a difference to it. */
function setTimer(
  view: WritableView,
  before: ContainerRow,
  row: ContainerRow,
  id: string,
  homeId: string,
  timerOf: (row: ContainerRow) => Timer | undefined,
): void {
  const was = timerOf(before);
  const is = timerOf(row);
  if (is !== undefined && is.due !== was?.due) view.put(timers, { id, homeId, ...is });
  if (is === undefined && was !== undefined) view.delete(timers, id);
}
