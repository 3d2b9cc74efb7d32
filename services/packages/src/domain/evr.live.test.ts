import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';

import { compareEvr, parseEvr } from './evr.ts';

const unit = fc.constantFrom(...'0123459abzAZ.~^_+', '10', 'rc', 'el9');
const part = fc.string({ unit, minLength: 1, maxLength: 10 });
const evr = fc
  .tuple(fc.constantFrom('', '0:', '1:', '02:'), part, fc.option(part, { nil: undefined }))
  .map(
    ([epoch, version, release]) => epoch + version + (release === undefined ? '' : `-${release}`),
  );

/** Pairs that are often close: independent texts are told apart by their first segment. */
const pair = fc.oneof(
  fc.tuple(evr, evr),
  fc.tuple(part, part, part).map(([same, a, b]) => [same + a, same + b] as [string, string]),
);

describe('versions compared by rpm itself', () => {
  it('sort as ours do', () => {
    if (!hasRpm()) {
      process.stderr.write('rpm is not installed (infra/dev/up rpm installs it): not compared\n');
      expect(process.env['CI']).not.toBe('true');
      return;
    }
    const seed = Number(process.env['FC_SEED'] ?? 20260410);
    const pairs = fc.sample(pair, { seed, numRuns: 20_000 });
    const orders = byRpm(pairs);
    expect(orders).toHaveLength(pairs.length);
    expect(new Set(orders)).toEqual(new Set([-1, 0, 1]));
    const different = pairs.flatMap(([a, b], i) =>
      ours(a, b) === orders[i] ? [] : [{ a, b, ours: ours(a, b), rpm: orders[i], seed }],
    );
    expect(different).toEqual([]);
  });
});

function ours(a: string, b: string): number {
  return compareEvr(parseEvr(a), parseEvr(b));
}

/** Asks rpm for all pairs at once: one program, one line for each. No text needs quoting in Lua. */
function byRpm(pairs: readonly (readonly [string, string])[]): number[] {
  const chunks = Array.from({ length: Math.ceil(pairs.length / 500) }, (_, i) =>
    pairs.slice(i * 500, (i + 1) * 500),
  );
  return chunks.flatMap((chunk) => {
    const lines = chunk.map(([a, b]) => `print(rpm.vercmp("${a}","${b}") .. "\\n")`).join('\n');
    const answer = execFileSync('rpm', ['--eval', `%{lua: ${lines}}`], { encoding: 'utf8' });
    return answer.trim().split('\n').map(Number);
  });
}

function hasRpm(): boolean {
  try {
    execFileSync('rpm', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
