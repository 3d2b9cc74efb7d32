/**
 * A file of no use kept beside a container's root file system, inside its quota and out of its
 * guest's reach: deleting it makes room in a full container. Without it a guest that fills its disk
 * to the last block could not be changed, started or even given more disk: on btrfs a quota cannot
 * be raised without a few blocks left in it (seen on LXD 5.0.2).
 */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { DriverError } from '../../driver.ts';
import { LxdRefusal, type LxdClient } from './client.ts';

/** Enough for btrfs to change a quota and for LXD's backup.yaml; part of what the container uses. */
const BYTES = 1024 * 1024;

/** LXD keeps templates beside the root; one that metadata.yaml does not name is never applied. */
const pathOf = (name: string): string => `/1.0/instances/${name}/metadata/templates`;
const FILE = 'bivouac-reserve';

/** How often it is looked for, and how long in between, in milliseconds. */
const TRIES = 5;
const PAUSE = 200;

/**
 * Puts it there unless it is. In a container that is full already there is none. Where somebody else
 * puts it there at once LXD may answer before it has read all, and the reply is lost: then it is looked
 * for again.
 */
export async function keepReserve(client: LxdClient, name: string): Promise<void> {
  for (let left = TRIES; ; left--) {
    if (await hasReserve(client, name)) return;
    // Random, so that a file system that compresses keeps it at its size.
    const content = { stream: Readable.from([randomBytes(BYTES)]), bytes: BYTES };
    try {
      await client.change('POST', `${pathOf(name)}?path=${FILE}`, undefined, { content });
      return;
    } catch (error) {
      if (error instanceof LxdRefusal && error.code === 'not-possible') return;
      const lost = error instanceof DriverError && error.code === 'outcome-unknown';
      if (!lost || left === 1) throw error;
    }
    await client.clock.sleep(PAUSE);
  }
}

/** Whether it is there: the last thing that is done to a container that is made. */
export async function hasReserve(client: LxdClient, name: string): Promise<boolean> {
  const files = await client.get(pathOf(name), z.array(z.string()).nullable());
  return files?.includes(FILE) === true;
}

/** Its room is free with the file system's next commit. */
export async function spendReserve(client: LxdClient, name: string): Promise<void> {
  try {
    await client.change('DELETE', `${pathOf(name)}?path=${FILE}`);
  } catch (error) {
    // It was spent before.
    if (!(error instanceof LxdRefusal)) throw error;
  }
}
