/** Lists by when their items began: from an instant on, and until just before another. */
import { InstantSchema } from '../values/index.ts';

/** For a query's input. */
export const createdRangeShape = {
  /** Only what began at this instant or later. */
  createdFrom: InstantSchema.optional(),
  /** Only what began before this instant. */
  createdUntil: InstantSchema.optional(),
};

export interface CreatedRange {
  readonly createdFrom?: string | undefined;
  readonly createdUntil?: string | undefined;
}

/** Whether something began in the range. Instants compare as text. */
export function beganWithin({ createdFrom, createdUntil }: CreatedRange, at: string): boolean {
  return (
    (createdFrom === undefined || at >= createdFrom) &&
    (createdUntil === undefined || at < createdUntil)
  );
}
