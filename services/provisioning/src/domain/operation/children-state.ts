/** The children of an operation over many, as its state holds them: those under way, and counts. */
import type { EventOf } from '@bivouac/events/language';
import {
  type ChildEnded,
  type ChildrenCount,
  ChildStarted,
  ChildWaiting,
  NAMED_FAILURES,
} from '@bivouac/events/provisioning';

/** They are started in the order of the plan. */
export interface Children {
  /** Whether it is recorded how many there are. */
  readonly counted: boolean;
  readonly started: number;
  /** Under way: the subject by the child's id. */
  readonly open: ReadonlyMap<string, string>;
  /** Not ended, but waiting for staff. */
  readonly waiting: ReadonlyMap<string, string>;
  readonly ended: ChildrenCount;
}

export const noChildren: Children = {
  counted: false,
  started: 0,
  open: new Map(),
  waiting: new Map(),
  ended: { succeeded: 0, failed: 0, failures: [] },
};

export function childrenAfter(
  children: Children,
  event: EventOf<typeof ChildStarted | typeof ChildWaiting | typeof ChildEnded>,
): Children {
  const { childId, subject } = event.data;
  const open = new Map(children.open);
  const waiting = new Map(children.waiting);
  open.delete(childId);
  waiting.delete(childId);
  if (event.type === ChildStarted.type) {
    open.set(childId, subject);
    return { ...children, started: children.started + 1, open, waiting };
  }
  if (event.type === ChildWaiting.type) {
    waiting.set(childId, subject);
    return { ...children, open, waiting };
  }
  const { outcome, refusal } = event.data;
  const { succeeded, failed, failures } = children.ended;
  if (outcome === 'succeeded' || outcome === 'resolved') {
    return { ...children, open, waiting, ended: { succeeded: succeeded + 1, failed, failures } };
  }
  const code = refusal?.code ?? outcome.toUpperCase();
  const named =
    failures.length < NAMED_FAILURES ? [...failures, { childId, subject, code }] : failures;
  return { ...children, open, waiting, ended: { succeeded, failed: failed + 1, failures: named } };
}
