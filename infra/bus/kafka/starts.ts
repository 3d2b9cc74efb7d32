/** Where a consumer begins on a partition: what its group committed, unless its mark says otherwise. */
import type { Admin } from 'kafkajs';

import { systemClock } from '../../runtime/clock.ts';
import type { Mark } from '../port.ts';
import { patiently } from './patience.ts';

/** As much of the client's admin as is asked here. */
export type AsksOffsets = Pick<Admin, 'fetchTopicOffsets' | 'fetchOffsets'>;

/** What the brokers know of one partition and group. */
export interface Start {
  /** The oldest message still there. */
  readonly oldest: string;
  /**
   * The committed offset, and the mark committed with it (undefined: another tool has committed it);
   * undefined: none.
   */
  readonly committed: { readonly offset: string; readonly mark: Mark | undefined } | undefined;
}

/** Asks the brokers, once for all partitions. */
export async function readStarts(
  admin: AsksOffsets,
  topic: string,
  groupId: string,
): Promise<ReadonlyMap<number, Start>> {
  const [bounds, groups] = await Promise.all([
    boundsOf(admin, topic),
    admin.fetchOffsets({ groupId, topics: [topic] }),
  ]);
  const committed = new Map(
    groups
      .filter((group) => group.topic === topic)
      .flatMap(({ partitions }) => partitions.map((each) => [each.partition, each] as const)),
  );
  return new Map(
    bounds.map(({ partition, low }) => {
      const found = committed.get(partition);
      // The protocol says -1 for none.
      const none = found === undefined || found.offset.startsWith('-');
      const start: Start = {
        oldest: low,
        committed: none ? undefined : { offset: found.offset, mark: markOf(found.metadata) },
      };
      return [partition, start];
    }),
  );
}

/** The oldest and the next offset of each partition. */
export function boundsOf(
  admin: Pick<Admin, 'fetchTopicOffsets'>,
  topic: string,
): Promise<readonly { readonly partition: number; readonly low: string; readonly high: string }[]> {
  return patiently(systemClock, () => admin.fetchTopicOffsets(topic));
}

/**
 * The offset to go to; undefined: where the client begins by itself, at the committed offset or else
 * the oldest message. The group's mark is what counts: a commit made behind a mark that was lost since
 * (a checkpoint restored from a backup) would leave out what lies between.
 */
export function seekOf(start: Start | undefined, mark: Mark): string | undefined {
  if (start?.committed === undefined) return undefined;
  const { mark: reached } = start.committed;
  const covered = reached === null || (reached !== undefined && mark !== null && reached <= mark);
  return covered ? undefined : start.oldest;
}

/** What goes with a committed offset. */
export function metadataOf(mark: Mark): string {
  return mark ?? 'none';
}

function markOf(metadata: string | null): Mark | undefined {
  if (metadata === 'none') return null;
  return metadata !== null && /^\d{20}$/.test(metadata) ? metadata : undefined;
}
