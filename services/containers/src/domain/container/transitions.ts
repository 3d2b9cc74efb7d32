/**
 * The one table of what may be done to a container in which lifecycle, and where it leads. Every
 * decision asks it; nothing else knows lifecycles.
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
  readonly from: readonly Lifecycle[];
  /** Absent: the lifecycle stays. */
  readonly to?: Lifecycle;
}

const unbuilt = ['requested', 'reserved', 'building'] as const;
const built = ['stopped', 'running', 'frozen'] as const;

/** A hold, an address or a name changes no lifecycle; a hold keeps what is `running` stopped. */
const transitions = {
  request: { from: ['none'], to: 'requested' },
  reserve: { from: ['requested'], to: 'reserved' },
  build: { from: ['reserved', 'building'], to: 'building' },
  run: { from: ['building'], to: 'running' },
  hold: { from: [...unbuilt, ...built] },
  /** A tenant's hold may overtake the request. */
  tenantHold: { from: ['none', ...unbuilt, ...built] },
  unhold: { from: [...unbuilt, ...built] },
  attach: { from: built },
  detach: { from: built },
  rename: { from: [...unbuilt, ...built] },
  delete: { from: ['reserved', 'building', ...built, 'soft-deleted', 'deleting'], to: 'deleting' },
  /** Of what was never placed, at once. */
  vanish: { from: ['requested', 'deleting'], to: 'deleted' },
  /** The same of what never ran: it has failed. */
  vanishUnrun: { from: ['requested', 'deleting'], to: 'failed' },
  fail: { from: ['none', 'requested'], to: 'failed' },
} as const satisfies Record<string, Rule>;

export type Transition = keyof typeof transitions;

export function allows(transition: Transition, lifecycle: Lifecycle): boolean {
  const from: readonly Lifecycle[] = transitions[transition].from;
  return from.includes(lifecycle);
}

/** The lifecycle after a transition. */
export function after(transition: Transition, lifecycle: Lifecycle): Lifecycle {
  const rule: Rule = transitions[transition];
  return rule.to ?? lifecycle;
}

/** Why a transition is not allowed: unknown, gone, or not that far yet. */
export function forbidden(containerId: string, lifecycle: Lifecycle): ReturnType<typeof refuse> {
  const path = { path: ['input', 'containerId'] };
  switch (lifecycle) {
    case 'none':
      return refuse(
        'CONTAINER_UNKNOWN',
        `There is no container ${containerId}; check the id.`,
        path,
      );
    case 'deleting':
    case 'soft-deleted':
    case 'deleted':
    case 'failed':
      return refuse(
        'CONTAINER_GONE',
        `The container ${containerId} is ${lifecycle === 'deleting' ? 'being deleted' : lifecycle}; nothing can be done with it any more.`,
        path,
      );
    default:
      return refuse(
        'CONTAINER_NOT_READY',
        `The container ${containerId} is ${lifecycle}; wait until it has been built.`,
        { ...path, retryable: true },
      );
  }
}
