/** Why no transaction can do what was asked for. */
import { refuse } from '@bivouac/events/language';

import { type Capability, capabilityText } from '../capability.ts';
import type { Evr } from '../evr.ts';
import type { Solvable } from './solvable.ts';

export type Failure =
  | { readonly kind: 'unresolved'; readonly asked: Capability; readonly by: Solvable }
  | {
      readonly kind: 'conflict';
      readonly one: Solvable;
      readonly other: Solvable;
      readonly why: 'conflicts' | 'obsoletes' | 'both versions needed' | 'older than installed';
    }
  | { readonly kind: 'too-hard' };

/** The failure as a refusal: which packages, and what to do. */
export function refusalOf(failure: Failure): ReturnType<typeof refuse> {
  const path = ['input', 'packages'];
  switch (failure.kind) {
    case 'unresolved': {
      const [asked, by] = [textOf(failure.asked), failure.by.key];
      return refuse(
        'DEPENDENCY_UNRESOLVED',
        `${by} requires ${asked}, which no enabled repository provides in a version that fits; have a repository with it enabled, or leave the package out.`,
        { path, details: { package: by, requires: asked } },
      );
    }
    case 'conflict': {
      const [one, other] = [failure.one.key, failure.other.key];
      return refuse(
        'PACKAGE_CONFLICT',
        `${one} and ${other} cannot be installed together (${failure.why}); leave one out, or remove the other first.`,
        { path, details: { package: one, with: other, why: failure.why } },
      );
    }
    case 'too-hard':
      return refuse(
        'DEPENDENCY_UNRESOLVED',
        'The dependencies are too tangled to be resolved at once; change fewer packages at a time.',
        { path },
      );
  }
}

function textOf({ name, range }: Capability): string {
  return range === undefined ? name : capabilityText(name, range.sense, textOfEvr(range.evr));
}

function textOfEvr({ epoch, version, release }: Evr): string {
  const before = epoch === undefined || epoch === '0' ? '' : `${epoch}:`;
  return `${before}${version}${release === undefined ? '' : `-${release}`}`;
}
