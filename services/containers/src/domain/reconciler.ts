/** The reconciler's own stream: when staff had differences acted upon, and where. */
import { ReconciliationOrdered } from '@bivouac/events/containers';
import { accept, type Decision } from '@bivouac/events/language';

/** How often it was ordered: nothing is decided on it. */
export interface ReconcilerState {
  readonly ordered: number;
}

export const noReconciliation: ReconcilerState = { ordered: 0 };

export function evolveReconciler({ ordered }: ReconcilerState): ReconcilerState {
  return { ordered: ordered + 1 };
}

export function orderReconciliation(
  _state: ReconcilerState,
  { nodeId }: { readonly nodeId?: string | undefined },
): Decision {
  return accept(ReconciliationOrdered({ nodeId: nodeId ?? null }));
}
