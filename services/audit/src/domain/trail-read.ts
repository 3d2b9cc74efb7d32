/** Reading the trail, as a fact: one stream for each time somebody asks, decided once. */
import { TrailRead } from '@bivouac/events/audit';
import { accept, type Decision, type EventOf, type Refusal } from '@bivouac/events/language';

type Body = EventOf<typeof TrailRead>['data'];

export interface Reading {
  readonly recorded: boolean;
}

/** What is about to be read, and by whom; `misfit` where it has no answer. */
export type Reader = Body & { readonly misfit?: Refusal | undefined };

export const noReading = (): Reading => ({ recorded: false });

export const evolveReading = (_state: Reading, _event: EventOf<typeof TrailRead>): Reading => ({
  recorded: true,
});

/** What will be refused anyway leaves no trace; what was recorded is not recorded again. */
export function recordReading(state: Reading, { misfit, ...body }: Reader): Decision {
  if (misfit !== undefined) return { kind: 'refused', refusal: misfit };
  return state.recorded ? accept() : accept(TrailRead(body));
}
