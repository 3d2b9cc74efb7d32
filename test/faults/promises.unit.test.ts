/**
 * The tables of docs/reliability.md stay true: every promise has a test, and every test that they name
 * is there under that name.
 */
import { existsSync, readFileSync } from 'node:fs';

import { expect, test } from '@jest/globals';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/reliability.md', root), 'utf8');

/** The rows of the table behind a heading, as their cells. */
function rowsBehind(heading: string): readonly (readonly string[])[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return section
    .split('\n')
    .filter((line) => /^\| +\d+ /.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

/** Of whatever calls it, `law` and `it` too: a name is what stands first in a call, as a literal. */
function namesIn(source: string): ReadonlySet<string> {
  const code = source.replace(/^ *(\/\/|\*|\/\*).*$/gm, '');
  const names = new Set<string>();
  for (const [, , name] of code.matchAll(/\(\s*(['"`])((?:\\.|(?!\1)[^\\\n])+)\1,/g)) {
    if (name !== undefined) names.add(name);
  }
  return names;
}

const promises = rowsBehind('The promises');
const tests = rowsBehind('The tests').map(([row = '', file = '', title = '']) => ({
  ...{ row, title },
  file: file.replaceAll('`', ''),
}));

test('every promise has its number once, in order, and a test', () => {
  const numbers = promises.map(([number]) => number);
  expect(numbers).toEqual([...Array.from({ length: 25 }, (_, n) => `${n + 1}`), '28']);
  expect(numbers.filter((number) => !tests.some(({ row }) => row === number))).toEqual([]);
  expect(tests.filter(({ row }) => !numbers.includes(row))).toEqual([]);
  expect(promises.filter((cells) => cells.length !== 4 || cells.includes(''))).toEqual([]);
});

test.each(tests)('row $row: $title', ({ file, title }) => {
  const place = new URL(file, root);
  expect([file, existsSync(place)]).toEqual([file, true]);
  expect(file).toMatch(/\.(unit|int|live)\.test\.ts$/);
  expect([...namesIn(readFileSync(place, 'utf8'))]).toContain(title);
});

test('a name is found where a test has it, and not where a comment or a part of another has', () => {
  const source =
    "  // test('one', f)\ntest(\n  'two’s', f);\ntest.each([1])('three %s', f); see('four five', f)";
  const names = namesIn(source);
  expect([...names]).toEqual(['two’s', 'three %s', 'four five']);
  expect(names.has('four')).toBe(false);
});
