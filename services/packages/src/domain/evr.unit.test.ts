import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import {
  compareEvr,
  compareVersions,
  evrText,
  parseEvr,
  rangesOverlap,
  type Sense,
} from './evr.ts';

const version = fc.string({
  unit: fc.constantFrom('0', '1', '2', '10', '~', '^', '.', '_', '+', 'a', 'b', 'rc', 'Z', 'é'),
  maxLength: 8,
});
const text = fc
  .tuple(fc.constantFrom('', '0:', '1:', '01:'), version, fc.option(version, { nil: undefined }))
  .map(([epoch, v, release]) => `${epoch}${v}${release === undefined ? '' : `-${release}`}`);

const sorted = (a: string, b: string) => compareEvr(parseEvr(a), parseEvr(b));

describe('rpm versions', () => {
  // By the rules of rpmio/rpmvercmp.cc.
  it.each([
    ['1.0', '1.0', 0],
    ['1.0', '2.0', -1],
    ['2.0.1', '2.0.1a', -1],
    ['5.5p1', '5.5p10', -1],
    ['10xyz', '10.1xyz', -1],
    ['xyz10', 'xyz10.1', -1],
    ['xyz.4', '8', -1],
    ['5.5p2', '5.6p1', -1],
    ['6.5p1', '6.0.rc1', 1],
    ['10a2', '10b2', -1],
    ['1.0010', '1.9', 1],
    ['1.05', '1.5', 0],
    ['2_0', '2.0', 0],
    ['a+', 'a_', 0],
    ['1.', '1', 0],
    ['1.0~rc1', '1.0', -1],
    ['1.0~rc1', '1.0~rc1~git1', 1],
    ['1.0~~', '1.0~', -1],
    ['1.0^', '1.0', 1],
    ['1.0^git1', '1.0.1', -1],
    ['1.0^git1~pre', '1.0^git1', -1],
    ['1.0~rc1^git1', '1.0~rc1', 1],
    ['1.0^git1', '1.0^git2', -1],
    ['99999999999999999999', '99999999999999999998', 1],
  ] as const)('%s to %s is %d', (a, b, order) => {
    expect(compareVersions(a, b)).toBe(order);
    expect(compareVersions(b, a)).toBe(order === 0 ? 0 : -order);
  });

  it('splits epoch, version and release where rpm does', () => {
    expect(parseEvr('1:3.0.7-27.el9')).toEqual({ epoch: '1', version: '3.0.7', release: '27.el9' });
    expect(parseEvr('3.0.7')).toEqual({ epoch: undefined, version: '3.0.7', release: undefined });
    expect(parseEvr(':1-2-3')).toEqual({ epoch: '0', version: '1-2', release: '3' });
    expect(parseEvr('a:1')).toEqual({ epoch: undefined, version: 'a:1', release: undefined });
  });

  it('reads back what it writes', () => {
    const part = fc.stringMatching(/^[A-Za-z0-9._+~^]{1,12}$/);
    fc.assert(
      fc.property(fc.nat(5), part, part, (epoch, v, release) => {
        const parsed = parseEvr(evrText({ epoch, version: v, release }));
        expect(parsed).toEqual({
          epoch: epoch === 0 ? undefined : String(epoch),
          version: v,
          release,
        });
      }),
    );
  });

  it('sorts a missing epoch as 0 and a missing release below any', () => {
    expect(sorted('1.0-1', '0:1.0-1')).toBe(0);
    expect(sorted('1:0.1-1', '2.0-1')).toBe(1);
    expect(sorted('1.0', '1.0-0')).toBe(-1);
  });

  it('is a total order: antisymmetric and transitive', () => {
    fc.assert(
      fc.property(text, text, text, (a, b, c) => {
        expect(sorted(a, a)).toBe(0);
        expect(sorted(a, b) + sorted(b, a)).toBe(0);
        const [low, middle, high] = [a, b, c].sort(sorted) as [string, string, string];
        expect(sorted(low, middle)).toBeLessThanOrEqual(0);
        expect(sorted(middle, high)).toBeLessThanOrEqual(0);
        expect(sorted(low, high)).toBeLessThanOrEqual(0);
        if (sorted(a, b) === 0) expect(sorted(a, c)).toBe(sorted(b, c));
      }),
      { numRuns: 2000 },
    );
  });

  const range = (of: string) => {
    const [, sense, evr] = /^([<>=]+) (.*)$/.exec(of) ?? [];
    return { sense: sense as Sense, evr: parseEvr(evr ?? '') };
  };

  it.each([
    ['= 1.0-1', '>= 1.0', true],
    ['= 1.0-1', '> 1.0', false],
    ['= 1.0', '>= 1.0-2', true],
    ['= 1.0-1', '>= 1.0-2', false],
    ['= 1.0-3', '< 1.0', false],
    ['= 1.0-3', '<= 1.0', true],
    ['= 1:1.0-1', '>= 2.0', true],
    ['= 0:1.0-1', '= 1.0-1', true],
    ['< 1.0', '> 2.0', false],
    ['< 2.0', '> 1.0', true],
    ['< 1.0', '< 0.1', true],
    ['>= 1.0', '<= 1.0', true],
    ['> 1.0', '<= 1.0', false],
  ] as const)('ranges %s and %s meet: %s', (a, b, meets) => {
    expect(rangesOverlap(range(a), range(b))).toBe(meets);
    expect(rangesOverlap(range(b), range(a))).toBe(meets);
  });

  it('differs from sorting exactly where a release is missing', () => {
    const equal = (a: string, b: string) => rangesOverlap(range(`= ${a}`), range(`= ${b}`));
    expect([equal('1.0', '1.0-1'), sorted('1.0', '1.0-1')]).toEqual([true, -1]);
    const part = fc.stringMatching(/^[0-9a-c.~^]{1,4}$/);
    fc.assert(
      fc.property(part, part, part, part, (v, r, w, s) => {
        expect(equal(`${v}-${r}`, `${w}-${s}`)).toBe(sorted(`${v}-${r}`, `${w}-${s}`) === 0);
      }),
    );
  });
});
