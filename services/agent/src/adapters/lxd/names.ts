/**
 * Our ids and LXD's names. An LXD name is 1 to 63 letters, digits and hyphens, so a TypeID's
 * underscore does not fit; the id itself stands in the instance's own keys, which are the mark.
 */
import type { Instance } from './wire.ts';

export const keys = {
  container: 'user.bivouac.container',
  generation: 'user.bivouac.generation',
  instruction: 'user.bivouac.instruction',
  image: 'user.bivouac.image',
  imageBytes: 'user.bivouac.image-bytes',
  cpuUnits: 'user.bivouac.cpu-units',
  diskBytes: 'user.bivouac.disk-bytes',
  hostname: 'user.bivouac.hostname',
} as const;

/** `ctr_01h455…` is `bv-01h455…`: the suffix is lower-case base32 already. */
export function nameOf(containerId: string): string {
  return `bv-${containerId.slice(containerId.indexOf('_') + 1)}`;
}

/** The name an image has on the node, whatever LXD's own fingerprint of it is. */
export function aliasOf(digest: string): string {
  return `bivouac-${digest}`;
}

/** Whose the instance is; undefined where it does not carry our mark under our name. */
export function ownerOf(
  instance: Instance,
): { readonly containerId: string; readonly generation: number } | undefined {
  const containerId = instance.config[keys.container];
  const generation = instance.config[keys.generation];
  if (containerId === undefined || nameOf(containerId) !== instance.name) return undefined;
  if (generation === undefined || !/^\d{1,15}$/.test(generation)) return undefined;
  return { containerId, generation: Number(generation) };
}
