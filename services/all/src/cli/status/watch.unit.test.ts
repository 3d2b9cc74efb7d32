// What is watched: every look is shown whole, in place on a terminal and as blocks elsewhere, until it is ended.
import { ManualClock } from '@bivouac/infra/runtime';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { Outcome } from '../outcome.ts';
import { watchStatus } from './watch.ts';

/** A terminal that knows what it is sent, and fails on what it does not know or has no line for. */
class Terminal {
  readonly #rows: number;
  lines: string[];
  cursor = true;
  otherScreen = false;

  constructor(rows: number) {
    this.#rows = rows;
    this.lines = new Array<string>(rows).fill('old'.repeat(20));
  }

  rows(): number {
    return this.#rows;
  }

  write(text: string): void {
    let [row, column] = [0, 0];
    for (const [one] of text.matchAll(/\u001b\[[?\d]*[A-Za-z]|\r\n|[^]/g)) {
      const left = (this.lines[row] ?? '').slice(0, column);
      if (/\?1049[hl]$/.test(one)) this.otherScreen = one.endsWith('h');
      else if (/\?25[hl]$/.test(one)) this.cursor = one.endsWith('h');
      else if (/\?7[hl]$/.test(one)) continue;
      else if (one.endsWith('[H')) [row, column] = [0, 0];
      else if (one.endsWith('[K')) this.lines[row] = left;
      else if (one.endsWith('[J'))
        this.lines = this.lines.map((line, i) => (i < row ? line : i === row ? left : ''));
      else if (one === '\r\n') [row, column] = [row + 1, 0];
      else {
        if (row >= this.#rows || one < ' ') throw new Error(`not shown: ${JSON.stringify(one)}`);
        this.lines[row] = left + one + (this.lines[row] ?? '').slice(column + 1);
        column++;
      }
    }
  }
}

/** Watches until all outcomes were seen. */
async function watched(
  outcomes: readonly Outcome[],
  screen: { write(text: string): void; rows(): number | undefined },
  { json = false, shown = () => undefined }: { json?: boolean; shown?: (i: number) => void } = {},
): Promise<Outcome> {
  const ending = new AbortController();
  const clock = new ManualClock(0);
  let looks = 0;
  return watchStatus({
    ...{ screen, json, signal: ending.signal },
    look: () => Promise.resolve(outcomes[looks++] ?? { exitCode: 2, text: 'nothing' }),
    time: () => `look ${looks}`,
    wait: async () => {
      shown(looks - 1);
      if (looks === outcomes.length) ending.abort();
      const waited = clock.sleep(3000, ending.signal);
      clock.advance(3000);
      await waited;
    },
  });
}

const outcome = fc.record({
  exitCode: fc.constantFrom<Outcome['exitCode']>(0, 1, 2),
  text: fc
    .array(fc.string({ unit: fc.constantFrom('a', 'b', ' '), maxLength: 30 }), { maxLength: 20 })
    .map((lines) => lines.join('\n')),
});

test('on a terminal each look is all that is there, in as many lines as it has; at the end it is as before', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(outcome, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 3, max: 30 }),
      async (outcomes, rows) => {
        const terminal = new Terminal(rows);
        const shown = (i: number): void => {
          const all = [`look ${i + 1}`, '', ...(outcomes[i]?.text ?? '').split('\n')];
          const fitting =
            all.length <= rows
              ? [...all, ...new Array<string>(rows - all.length).fill('')]
              : [...all.slice(0, rows - 1), `and ${all.length - rows + 1} more lines`];
          expect(terminal.lines).toEqual(fitting);
          expect(terminal).toMatchObject({ cursor: false, otherScreen: true });
        };
        const last = await watched(outcomes, terminal, { shown });
        expect(terminal).toMatchObject({ cursor: true, otherScreen: false });
        // What was drawn is gone with the other screen, so it is told once more.
        expect(last).toEqual(outcomes.at(-1));
      },
    ),
  );
});

test('elsewhere looks are blocks one below the other, or one object a line, without codes', async () => {
  const outcomes: Outcome[] = [
    { exitCode: 1, text: 'bad\nvery' },
    { exitCode: 0, text: 'well' },
  ];
  for (const [json, expected] of [
    [false, 'look 1\n\nbad\nvery\n\nlook 2\n\nwell\n\n'],
    [true, 'bad\nvery\nwell\n'],
  ] as const) {
    let text = '';
    const screen = { write: (more: string) => void (text += more), rows: () => undefined };
    expect(await watched(outcomes, screen, { json })).toEqual({ exitCode: 0, text: '' });
    expect(text).toBe(expected);
  }
  // A terminal changes nothing of what machines read.
  const terminal = {
    text: '',
    write: (more: string) => void (terminal.text += more),
    rows: () => 24,
  };
  await watched(outcomes, terminal, { json: true });
  expect(terminal.text).toBe('bad\nvery\nwell\n');
});

test('ended amid a look: what it saw is not shown, and the one before counts', async () => {
  const ending = new AbortController();
  let text = '';
  let looks = 0;
  const last = await watchStatus({
    ...{ json: false, signal: ending.signal, time: () => 'now', wait: () => Promise.resolve() },
    screen: { write: (more) => void (text += more), rows: () => undefined },
    look: () => {
      if (++looks === 2) ending.abort();
      return Promise.resolve({ exitCode: looks === 1 ? 1 : 2, text: `look ${looks}` });
    },
  });
  expect(last.exitCode).toBe(1);
  expect(text).toBe('now\n\nlook 1\n\n');
});
