/**
 * Ids. A thing's id is a TypeID: a prefix that says what it is and 128 bits in Crockford base32
 * (https://github.com/jetify-com/typeid, spec 0.3). Ours are derived, so that a retry makes the
 * same thing: the bits are a UUIDv5 of the command that made it.
 */
import { hash } from 'node:crypto';
import { TypeID } from 'typeid-js';
import { z } from 'zod';

/** What exists, by prefix. */
export const prefixes = {
  tenant: 'ten',
  person: 'per',
  member: 'mem',
  apiKey: 'key',
  invitation: 'ivt',
  acting: 'act',
  hold: 'hld',
  container: 'ctr',
  node: 'nod',
  image: 'img',
  range: 'rng',
  lease: 'lse',
  placement: 'plc',
  reservation: 'res',
  operation: 'op',
  instruction: 'ins',
  plan: 'pln',
  subscription: 'sub',
  item: 'itm',
  invoice: 'inv',
  payment: 'pay',
  creditNote: 'crn',
  repository: 'rep',
} as const;

export type IdKind = keyof typeof prefixes;

/** A schema for ids of one kind. */
export function idOf(kind: IdKind): z.ZodString {
  return z.string().regex(new RegExp(`^${prefixes[kind]}_[0-7][0-9a-hjkmnp-tv-z]{25}$`), {
    error: `expected an id like ${prefixes[kind]}_01h455vb4pex5vsknk084sn02q`,
  });
}

/** The namespace of every UUIDv5 of ours. */
const NAMESPACE = Buffer.from('6a1f2f0e9a0c5b0c8a5e3d2b7c4e1f90', 'hex');

/** Where names are laid behind the namespace: ids are made by the dozen for each command. */
const scratch = Buffer.alloc(2048);
scratch.set(NAMESPACE);

/** UUIDv5 (RFC 9562) of the parts, which are joined unambiguously. */
export function uuidOf(...parts: readonly string[]): string {
  const hex = digestOf(parts);
  const variant = VARIANTS.charAt(parseInt(hex.charAt(16), 16));
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The id of a kind derived from the parts: the same parts, the same id. */
export function deriveId(kind: IdKind, ...parts: readonly string[]): string {
  return idFromUuid(kind, uuidOf(...parts));
}

/** The id of a kind whose bits are this UUID. */
export function idFromUuid(kind: IdKind, uuid: string): string {
  return TypeID.fromUUID(prefixes[kind], uuid).toString();
}

/** A digit with its upper two bits as the variant wants them. */
const VARIANTS = '89ab89ab89ab89ab';

/** The SHA-1 of namespace and parts, in hexadecimal. */
function digestOf(parts: readonly string[]): string {
  // Lengths before contents: ['ab', 'c'] and ['a', 'bc'] must differ.
  let name = '';
  for (const part of parts) name += `${part.length}:${part}`;
  // UTF-8 takes at most three bytes for a UTF-16 unit.
  const fits = NAMESPACE.length + 3 * name.length <= scratch.length;
  const bytes = fits
    ? scratch.subarray(0, NAMESPACE.length + scratch.write(name, NAMESPACE.length, 'utf8'))
    : Buffer.concat([NAMESPACE, Buffer.from(name, 'utf8')]);
  return hash('sha1', bytes, 'hex');
}
