/**
 * What packages provide and ask for, as rpm writes it: a name, and where there is one, a range of
 * versions, e.g. `webserver >= 2.4-1`. Kept as text, since there are millions of them.
 */
import { type EvrRange, parseEvr, rangesOverlap, type Sense } from './evr.ts';

export interface Capability {
  readonly name: string;
  readonly range: EvrRange | undefined;
}

const TEXT = /^(\S+)(?: (<=|<|=|>=|>) (\S+))?$/;

/** Reads what {@link capabilityText} wrote. A rich one, `(a or b)`, is all name. */
export function parseCapability(text: string): Capability {
  const [, name, sense, evr] = TEXT.exec(text) ?? [];
  if (name === undefined || sense === undefined || evr === undefined || isRich(text)) {
    return { name: text, range: undefined };
  }
  return { name, range: { sense: sense as Sense, evr: parseEvr(evr) } };
}

export function capabilityText(name: string, sense?: Sense, evr?: string): string {
  return sense === undefined || evr === undefined ? name : `${name} ${sense} ${evr}`;
}

/** A boolean of several, which rpm alone judges. */
export function isRich(text: string): boolean {
  return text.startsWith('(');
}

/** What rpm itself can do, e.g. `rpmlib(CompressedFileNames)`: no package provides it. */
export function isOfRpm(text: string): boolean {
  return text.startsWith('rpmlib(');
}

/**
 * Whether what is provided is what is asked for, as rpm compares them (lib/rpmds.cc): where either
 * names no version, the name is enough.
 */
export function meets(provided: Capability, asked: Capability): boolean {
  if (provided.name !== asked.name) return false;
  if (provided.range === undefined || asked.range === undefined) return true;
  return rangesOverlap(provided.range, asked.range);
}
