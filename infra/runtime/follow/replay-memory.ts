/**
 * How far the heap may grow while a log is replayed. A replay makes rows by the hundred thousand that
 * live until they are written, just long enough to count as old; left to itself V8 lets such garbage
 * pile up to some four times of what lives before it looks for it.
 */
import { setFlagsFromString } from 'node:v8';

/**
 * Percent by which the heap may grow beyond what lives before old garbage is collected. Measured on
 * a million events: half the heap, for two collections in a hundred thousand events instead of one
 * in three hundred thousand, which cost 2 % of the time.
 */
const GROWTH = 80;

let replays = 0;

/**
 * Keeps the heap small until the answer is called, once; where several replays are under way, until
 * all have called theirs. Live processes are left to V8, which then knows their pace better.
 */
export function boundReplayMemory(): () => void {
  replays += 1;
  if (replays === 1) setFlagsFromString(`--heap-growing-percent=${GROWTH}`);
  let bound = true;
  return () => {
    if (!bound) return;
    bound = false;
    replays -= 1;
    // 0 is V8's own measure.
    if (replays === 0) setFlagsFromString('--heap-growing-percent=0');
  };
}
