/** Starting, stopping, restarting, freezing and thawing: what its owner wants of it. */
import { type PowerAction, PowerRequested } from '@bivouac/events/containers';
import { accept, type Decision, type DecideContext } from '@bivouac/events/language';

import { accepted, admit, type Asking } from './asking.ts';
import { follow } from './follow.ts';
import { held } from './held.ts';
import type { ContainerState } from './state.ts';

/**
 * Done when the node has, or it was so already; what comes to nothing leaves the lifecycle as it was.
 * Refused besides {@link admit}: CONTAINER_HELD (all but `stop`).
 */
export function powerContainer(
  state: ContainerState,
  input: Asking & { readonly action: PowerAction },
  context: Pick<DecideContext, 'now'>,
): Decision {
  const { containerId, action, ref, notAfter } = input;
  const beginning = admit(state, input, action, context);
  if ('answer' in beginning) return beginning.answer;
  if (action !== 'stop' && state.holds.size > 0) return held(state, containerId);
  const events = [...beginning.begin, PowerRequested({ containerId, action, ask: ref })];
  // Where the node is busy, the deadline has to be known when it is this ask's turn.
  if (state.instruction !== undefined) events.push(accepted(input, 'containers.power'));
  return accept(...follow(state, events, context, { notAfter }));
}
