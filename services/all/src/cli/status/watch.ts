/**
 * The status screen again and again, until somebody ends it: drawn in place where a terminal shows it, as
 * blocks one below the other where it goes into a file or a pipe.
 */
import type { Outcome } from '../outcome.ts';

/** Where the screens go. */
export interface WatchScreen {
  write(text: string): void;
  /** The lines that a terminal has now; undefined where it is none. */
  rows(): number | undefined;
}

export interface WatchOptions {
  /** One look at everything, over at once where it is ended. */
  readonly look: () => Promise<Outcome>;
  readonly screen: WatchScreen;
  /** One object a line: no times between, and nothing is drawn in place. */
  readonly json: boolean;
  /** Waits between two looks, until it is ended at most. */
  readonly wait: () => Promise<void>;
  /** The time of a look, as it is shown. */
  readonly time: () => string;
  readonly signal: AbortSignal;
}

const ESC = '\u001b[';
/** Another screen, so that what was there comes back at the end; no cursor, no lines broken by the terminal. */
const ENTER = `${ESC}?1049h${ESC}?25l${ESC}?7l`;
const LEAVE = `${ESC}?7h${ESC}?25h${ESC}?1049l`;
const HOME = `${ESC}H`;
const CLEAR_LINE = `${ESC}K`;
const CLEAR_BELOW = `${ESC}J`;

/** @returns what the last look that came back has told; where it was drawn in place, its text once more */
export async function watchStatus(options: WatchOptions): Promise<Outcome> {
  const { look, screen, json, wait, time, signal } = options;
  const inPlace = !json && screen.rows() !== undefined;
  let last: Outcome = { exitCode: 2, text: '' };
  if (inPlace) screen.write(ENTER);
  try {
    while (!signal.aborted) {
      const seen = await look();
      // A look that was cut short has not heard everybody.
      if (ended(signal)) break;
      last = inPlace ? seen : { ...seen, text: '' };
      if (json) screen.write(`${seen.text}\n`);
      else {
        const text = `${time()}\n\n${seen.text}`;
        const rows = screen.rows();
        // One write for all of it: whatever stood there is replaced line by line and never blank.
        screen.write(inPlace && rows !== undefined ? drawn(text, rows) : `${text}\n\n`);
      }
      await wait();
    }
    return last;
  } finally {
    if (inPlace) screen.write(LEAVE);
  }
}

function ended(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** The text over the old one, from the upper left; what a terminal has no lines for is counted. */
function drawn(text: string, rows: number): string {
  const lines = text.split('\n');
  const shown =
    lines.length <= rows
      ? lines
      : [...lines.slice(0, rows - 1), `and ${lines.length - rows + 1} more lines`];
  return HOME + shown.map((line) => line + CLEAR_LINE).join('\r\n') + CLEAR_BELOW;
}
