/**
 * Which partition a home belongs to, and which streams travel at all. Producers, consumers and gap
 * repair must agree for ever: changing either rule breaks order within a home.
 */
import { createHash } from 'node:crypto';

import { PARTITIONS, type Partitioner } from './port.ts';

/** Homes remembered before the cache starts again: a few megabytes. */
const REMEMBERED = 65_536;

/** A partitioner with a cache of its own: hashing costs more than everything else done per event. */
export function createPartitioner(): Partitioner {
  const known = new Map<string, number>();
  return (homeId) => {
    const remembered = known.get(homeId);
    if (remembered !== undefined) return remembered;
    const digest = createHash('sha256').update(homeId, 'utf8').digest();
    const partition = digest.readUInt32BE(0) % PARTITIONS;
    if (known.size >= REMEMBERED) known.clear();
    known.set(homeId, partition);
    return partition;
  };
}

/** The partition of a home: the first 4 bytes of its SHA-256, big-endian, modulo 64. */
export const partitionOf: Partitioner = createPartitioner();

/**
 * Whether a stream's events go onto the bus. Checkpoints and the relay's own stream never do: each
 * would cause the next, for ever.
 */
export function isPublished(stream: string): boolean {
  return !stream.startsWith('checkpoint-') && !stream.startsWith('relay-');
}
