/**
 * The one table of what may be done to a container in which lifecycle, and where it leads. Every
 * decision asks it; nothing else knows lifecycles. `docs/container-lifecycle.md` is written from it.
 */
import { refuse } from '@bivouac/events/language';

/** The first axis. `none`: nothing is known of such a container. */
export type Lifecycle =
  | 'none'
  | 'requested'
  | 'reserved'
  | 'building'
  | 'stopped'
  | 'running'
  | 'frozen'
  | 'deleting'
  | 'soft-deleted'
  | 'deleted'
  | 'failed';

interface Rule {
  /** Who may bring it about, for the document. */
  readonly by: 'owner' | 'staff' | 'order' | 'node';
  /** What it is, for the document. */
  readonly says: string;
  readonly from: readonly Lifecycle[];
  /** Absent: the lifecycle stays. `former`: what it was before its soft deletion. */
  readonly to?: Lifecycle | 'former';
}

const unbuilt = ['requested', 'reserved', 'building'] as const;
const built = ['stopped', 'running', 'frozen'] as const;
/** It has an instance on its node, whoever may use it. */
const kept = [...built, 'soft-deleted'] as const;

/** A hold, an address or a name changes no lifecycle; a hold keeps what is `running` stopped. */
export const transitions = {
  request: { by: 'order', says: 'It is ordered.', from: ['none'], to: 'requested' },
  reserve: {
    by: 'order',
    says: 'It has a place, addresses, and a reservation of quota.',
    from: ['requested'],
    to: 'reserved',
  },
  build: {
    by: 'order',
    says: 'Its node is to make and start it.',
    from: ['reserved', 'building'],
    to: 'building',
  },
  run: { by: 'node', says: 'It runs for the first time.', from: ['building'], to: 'running' },
  start: { by: 'owner', says: 'It is to run.', from: ['stopped', 'running'], to: 'running' },
  stop: { by: 'owner', says: 'It is not to run.', from: built, to: 'stopped' },
  restart: { by: 'owner', says: 'It is to stop and run again.', from: ['running'] },
  freeze: {
    by: 'owner',
    says: 'It is to stay in memory without CPU.',
    from: ['running', 'frozen'],
    to: 'frozen',
  },
  thaw: { by: 'owner', says: 'It is to go on.', from: ['frozen', 'running'], to: 'running' },
  hold: { by: 'staff', says: 'A hold is placed on it.', from: [...unbuilt, ...kept] },
  tenantHold: {
    by: 'staff',
    says: 'A hold of its account reaches it, or leaves it; it may overtake the order.',
    from: ['none', ...unbuilt, ...kept],
  },
  unhold: { by: 'staff', says: 'A hold of its own is lifted.', from: [...unbuilt, ...kept] },
  resize: { by: 'owner', says: 'It gets another plan.', from: built },
  attach: { by: 'owner', says: 'It gets more addresses.', from: ['stopped', 'running'] },
  detach: { by: 'order', says: 'More addresses are undone.', from: kept },
  removeAddresses: {
    by: 'owner',
    says: 'Addresses are taken from it.',
    from: ['stopped', 'running'],
  },
  giveBackRemoved: {
    by: 'order',
    says: 'Addresses that were taken from it before are named again, to be given back.',
    from: [...kept, 'deleting', 'deleted', 'failed'],
  },
  packages: { by: 'owner', says: 'rpm changes its packages.', from: ['running'] },
  rename: { by: 'owner', says: 'It gets another host name.', from: [...unbuilt, ...built] },
  softDelete: {
    by: 'owner',
    says: 'It is stopped and deleted for its owner; place, addresses and data stay.',
    from: kept,
    to: 'soft-deleted',
  },
  restore: {
    by: 'owner',
    says: 'Its soft deletion is taken back within the window; of what is not deleted: nothing.',
    from: kept,
    to: 'former',
  },
  delete: {
    by: 'owner',
    says: 'Its node is to destroy it.',
    from: ['reserved', 'building', ...kept, 'deleting'],
    to: 'deleting',
  },
  vanish: {
    by: 'node',
    says: 'It is gone.',
    from: ['deleting'],
    to: 'deleted',
  },
  vanishUnrun: {
    by: 'node',
    says: 'It is gone and has never run; of what was never placed, at once.',
    from: ['requested', 'deleting'],
    to: 'failed',
  },
  fail: {
    by: 'order',
    says: 'The order is undone before it had a place.',
    from: ['none', 'requested'],
    to: 'failed',
  },
} as const satisfies Record<string, Rule>;

export type Transition = keyof typeof transitions;

export function allows(transition: Transition, lifecycle: Lifecycle): boolean {
  const from: readonly Lifecycle[] = transitions[transition].from;
  return from.includes(lifecycle);
}

/** The lifecycle after a transition. `former`: what it was before a soft deletion, if it was. */
export function after(
  transition: Transition,
  lifecycle: Lifecycle,
  former: Lifecycle | undefined = undefined,
): Lifecycle {
  const { to }: Rule = transitions[transition];
  return to === 'former' ? (former ?? lifecycle) : (to ?? lifecycle);
}

/** Why a transition is not allowed: unknown, gone, not that far yet, or not in this lifecycle. */
export function forbidden(
  containerId: string,
  lifecycle: Lifecycle,
  transition?: Transition,
): ReturnType<typeof refuse> {
  const path = { path: ['input', 'containerId'] };
  switch (lifecycle) {
    case 'none':
      return refuse(
        'CONTAINER_UNKNOWN',
        `There is no container ${containerId}; check the id.`,
        path,
      );
    case 'deleting':
    case 'deleted':
    case 'failed':
      return refuse(
        'CONTAINER_GONE',
        `The container ${containerId} is ${lifecycle === 'deleting' ? 'being deleted' : lifecycle}; nothing can be done with it any more.`,
        path,
      );
    case 'soft-deleted':
      return refuse(
        'CONTAINER_SOFT_DELETED',
        `The container ${containerId} was deleted; restore it first.`,
        path,
      );
    case 'stopped':
    case 'running':
    case 'frozen': {
      const allowed: readonly Lifecycle[] =
        transition === undefined ? [] : transitions[transition].from;
      return refuse(
        'CONTAINER_WRONG_LIFECYCLE',
        `The container ${containerId} is to be ${lifecycle}; that can only be done while it is ${allowed.join(' or ')}.`,
        { ...path, details: { lifecycle, allowed } },
      );
    }
    default:
      return refuse(
        'CONTAINER_NOT_READY',
        `The container ${containerId} is ${lifecycle}; wait until it has been built.`,
        { ...path, retryable: true },
      );
  }
}
