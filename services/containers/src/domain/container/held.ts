/** The refusal of what a hold forbids. */
import { refuse } from '@bivouac/events/language';

import type { ContainerState } from './state.ts';

export function held(state: ContainerState, containerId: string): ReturnType<typeof refuse> {
  const kinds = [...state.holds.values()].map(({ hold }) => `${hold.kind} (${hold.reason})`);
  return refuse(
    'CONTAINER_HELD',
    `A hold stands on the container ${containerId}: ${kinds.join(', ')}; it must be lifted first.`,
    { path: ['input', 'containerId'], details: { holdIds: [...state.holds.keys()] } },
  );
}
