/**
 * Changes an instance's settings even when its disk is full. LXD writes a backup.yaml beside the
 * root file system, inside its quota, at every change and at every start; in a full container that
 * fails ("disk quota exceeded"), so nothing could be changed and it could not be started again.
 */
import { DriverError } from '../../driver.ts';
import { LxdRefusal, type LxdClient } from './client.ts';
import { execIn } from './exec.ts';
import { stateOf } from './instances.ts';
import { DISK_RESERVE, rootSizeOf, type LimitSettings } from './limits.ts';
import { keys } from './names.ts';
import { keepReserve, spendReserve } from './reserve.ts';
import { InstanceState, type Instance } from './wire.ts';

/** What is lent to a full container at a time. */
const STEP = 4n * 1024n * 1024n;

/** How much larger than its file an image is at most: xz makes a third to a fifth of a system. */
const UNPACKED = 8n;

/** Together longer than btrfs waits between commits. */
const COMMIT_WAIT_MS = 2000;
const COMMIT_TRIES = 20;

/** Sets some of the config; where the container is full, lends it a little room first. */
export async function configure(
  client: LxdClient,
  instance: Instance,
  config: Readonly<Record<string, string>>,
): Promise<void> {
  const set = (): Promise<unknown> =>
    client.change('PATCH', `/1.0/instances/${instance.name}`, { config });
  try {
    await set();
  } catch (error) {
    if (!isFull(error)) throw error;
    await lend(client, instance);
    await set();
    await keepReserve(client, instance.name);
  }
}

/**
 * Sets the quota, of a full container too, for which its reserve is spent. LXD wants the whole
 * device. What was deleted is free once the file system has committed: when somebody inside says
 * sync, else within the 30 s that btrfs waits at most.
 */
export async function setRootSize(
  client: LxdClient,
  instance: Instance,
  { size, config }: { readonly size: string; readonly config?: LimitSettings['config'] },
): Promise<void> {
  const root = { ...instance.devices['root'], size };
  for (let left = COMMIT_TRIES; ; left -= 1) {
    try {
      await client.change('PATCH', `/1.0/instances/${instance.name}`, {
        devices: { root },
        ...(config === undefined ? {} : { config }),
      });
      return;
    } catch (error) {
      if (!isFull(error) || left === 0) throw error;
      if (left === COMMIT_TRIES) {
        await spendReserve(client, instance.name);
        if (stateOf(instance) === 'running') await execIn(client, instance.name, ['sync']);
      } else await client.clock.sleep(COMMIT_WAIT_MS);
    }
  }
}

/**
 * May the quota be lowered so far? One below what is used is, on btrfs with LXD 5.0.2, a dead end: LXD
 * fails half way, the kernel keeps the lower quota, and from then on no quota, not even a higher
 * one, can be set. LXD tells only what the container has for itself, while the quota counts what it
 * shares with its image too; of that only the size of the imported file is known, so it is guessed
 * high.
 */
export async function fits(
  client: LxdClient,
  { name, config }: Instance,
  diskBytes: bigint,
): Promise<true | DriverError> {
  const { disk } = await client.get(`/1.0/instances/${name}/state`, InstanceState);
  const own = BigInt(disk?.['root']?.usage ?? 0);
  const shared = BigInt(/^\d+$/.exec(config[keys.imageBytes] ?? '')?.[0] ?? 0) * UNPACKED;
  if (own + shared < diskBytes) return true;
  return new DriverError(
    'not-possible',
    `applyLimits: ${name} uses ${own} bytes of disk and up to ${shared} of its image's; free some before limiting it to ${diskBytes}.`,
  );
}

/** The loan ends when the limits are next applied. Whoever fills it every time gets no more. */
async function lend(client: LxdClient, instance: Instance): Promise<void> {
  const { asked, size } = rootSizeOf(instance);
  if (asked === undefined || size === undefined || size + STEP > asked + DISK_RESERVE)
    throw new DriverError(
      'not-possible',
      `${instance.name} is full and its reserve is used up; raise its disk limit.`,
    );
  await setRootSize(client, instance, { size: `${size + STEP}B` });
}

function isFull(error: unknown): boolean {
  return error instanceof LxdRefusal && error.code === 'not-possible';
}
