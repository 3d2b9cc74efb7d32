/**
 * A resource vector: how much of each accounted resource something takes or may take. Quotas,
 * placement and plans all count in it.
 */
import { z } from 'zod';

import { UInt64Schema } from './int64.ts';

const count = z.number().int().min(0).max(1_000_000_000);

/** On the wire. CPU in thousandths of one CPU; memory and disk in bytes, as decimal strings. */
export const ResourceVectorSchema = z.strictObject({
  containers: count,
  cpuMillis: count,
  memoryBytes: UInt64Schema,
  diskBytes: UInt64Schema,
  addresses: count,
});
export type ResourceVector = z.output<typeof ResourceVectorSchema>;

/** The axes, in the order in which shortages are named. */
export const axes = ['containers', 'cpuMillis', 'memoryBytes', 'diskBytes', 'addresses'] as const;
export type Axis = (typeof axes)[number];

export const nothing: ResourceVector = {
  containers: 0,
  cpuMillis: 0,
  memoryBytes: '0',
  diskBytes: '0',
  addresses: 0,
};

/** One axis as a bigint. */
export function amountOf(vector: ResourceVector, axis: Axis): bigint {
  return BigInt(vector[axis]);
}

export function addVectors(a: ResourceVector, b: ResourceVector): ResourceVector {
  return combine(a, b, (x, y) => x + y);
}

/** `a - b`; throws a RangeError where an axis would fall below zero. */
export function subtractVectors(a: ResourceVector, b: ResourceVector): ResourceVector {
  return combine(a, b, (x, y) => {
    if (y > x) throw new RangeError(`cannot take ${y} from ${x}`);
    return x - y;
  });
}

/** What `a` has more than `b`, axis by axis; nothing where it has less. */
export function beyond(a: ResourceVector, b: ResourceVector): ResourceVector {
  return combine(a, b, (x, y) => (x > y ? x - y : 0n));
}

/** The first axis on which `used + asked` goes beyond `limit`, or undefined where all fits. */
export function firstShortage(
  limit: ResourceVector,
  used: ResourceVector,
  asked: ResourceVector,
):
  | { readonly axis: Axis; readonly limit: bigint; readonly used: bigint; readonly asked: bigint }
  | undefined {
  for (const axis of axes) {
    const [l, u, a] = [amountOf(limit, axis), amountOf(used, axis), amountOf(asked, axis)];
    if (a > 0n && u + a > l) return { axis, limit: l, used: u, asked: a };
  }
  return undefined;
}

function combine(
  a: ResourceVector,
  b: ResourceVector,
  f: (x: bigint, y: bigint) => bigint,
): ResourceVector {
  const on = (axis: Axis): bigint => f(amountOf(a, axis), amountOf(b, axis));
  return {
    containers: Number(on('containers')),
    cpuMillis: Number(on('cpuMillis')),
    memoryBytes: on('memoryBytes').toString(),
    diskBytes: on('diskBytes').toString(),
    addresses: Number(on('addresses')),
  };
}
