/**
 * RPM versions: epoch, version and release, parsed and compared as rpm does (rpmio/rpmvercmp.cc,
 * rpmio/rpmver.cc). Sorting and range overlap are two comparisons; mixing them is the classic bug.
 */

export type Order = -1 | 0 | 1;

export interface Evr {
  /** Decimal text; undefined where none was written. */
  readonly epoch: string | undefined;
  readonly version: string;
  readonly release: string | undefined;
}

/** Splits `[epoch:]version[-release]`. Any text is a version to rpm; nothing is refused. */
export function parseEvr(text: string): Evr {
  const colon = /^\d*:/.exec(text)?.[0];
  const epoch = colon === undefined ? undefined : colon.slice(0, -1) || '0';
  const rest = text.slice(colon?.length ?? 0);
  const dash = rest.lastIndexOf('-');
  if (dash < 0) return { epoch, version: rest, release: undefined };
  return { epoch, version: rest.slice(0, dash), release: rest.slice(dash + 1) };
}

/** `epoch:version-release`, the epoch left out where it is 0. */
export function evrText(of: {
  readonly epoch: number;
  readonly version: string;
  readonly release: string;
}): string {
  return `${of.epoch === 0 ? '' : `${of.epoch}:`}${of.version}-${of.release}`;
}

/** Sorting: no epoch is epoch 0, no release sorts below any. */
export function compareEvr(a: Evr, b: Evr): Order {
  return (
    compareVersions(a.epoch ?? '0', b.epoch ?? '0') ||
    compareVersions(a.version, b.version) ||
    compareReleases(a.release, b.release)
  );
}

export type Sense = '<' | '<=' | '=' | '>=' | '>';

/** What a dependency asks for or a package provides, e.g. `>= 1.0-2`. */
export interface EvrRange {
  readonly sense: Sense;
  readonly evr: Evr;
}

/**
 * Whether two ranges have a version in common: does `a` satisfy `b`? Where one side has no release,
 * releases are not compared, and the sides match if the one without says `=`, `<=` or `>=`.
 */
export function rangesOverlap(a: EvrRange, b: EvrRange): boolean {
  const order =
    compareVersions(a.evr.epoch ?? '0', b.evr.epoch ?? '0') ||
    compareVersions(a.evr.version, b.evr.version);
  if (order === 0) {
    const [one, two] = [a.evr.release ?? '', b.evr.release ?? ''];
    if (one !== '' && two !== '') return overlap(compareVersions(one, two), a.sense, b.sense);
    if (one !== '' && admits(b.sense, '=')) return true;
    if (two !== '' && admits(a.sense, '=')) return true;
  }
  return overlap(order, a.sense, b.sense);
}

/**
 * rpmvercmp: segments of digits and of letters, compared one by one; all else only separates. `~`
 * sorts below everything, even the end; `^` above the end and below anything else.
 */
export function compareVersions(a: string, b: string): Order {
  const [left, right] = [segmentsOf(a), segmentsOf(b)];
  for (let i = 0; i < left.length || i < right.length; i++) {
    const order = compareSegments(left[i], right[i]);
    if (order !== 0) return order;
  }
  return 0;
}

function segmentsOf(version: string): readonly string[] {
  return version.match(/[0-9]+|[A-Za-z]+|[~^]/g) ?? [];
}

function compareSegments(a: string | undefined, b: string | undefined): Order {
  const kinds = orderOf(kindOf(a), kindOf(b));
  if (kinds !== 0 || a === undefined || b === undefined) return kinds;
  if (kindOf(a) !== NUMBER) return orderOf(a, b);
  const [one, two] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return orderOf(one.length, two.length) || orderOf(one, two);
}

const NUMBER = 4;

/** In rpm's order: `~`, the end, `^`, letters, digits. */
function kindOf(segment: string | undefined): number {
  if (segment === undefined) return 1;
  if (segment === '~') return 0;
  if (segment === '^') return 2;
  return /^[0-9]/.test(segment) ? NUMBER : 3;
}

function compareReleases(a: string | undefined, b: string | undefined): Order {
  if (a === undefined || b === undefined)
    return orderOf(a === undefined ? 0 : 1, b === undefined ? 0 : 1);
  return compareVersions(a, b);
}

/** Given how the bounds compare: do `a`'s and `b`'s ranges meet? */
function overlap(order: Order, a: Sense, b: Sense): boolean {
  if (order < 0) return admits(a, '>') || admits(b, '<');
  if (order > 0) return admits(a, '<') || admits(b, '>');
  return (['=', '<', '>'] as const).some((part) => admits(a, part) && admits(b, part));
}

function admits(sense: Sense, part: '<' | '=' | '>'): boolean {
  return sense.includes(part);
}

function orderOf<T extends string | number>(a: T, b: T): Order {
  return a < b ? -1 : a > b ? 1 : 0;
}
