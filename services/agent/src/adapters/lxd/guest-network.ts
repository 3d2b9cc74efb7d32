/** Brings a running guest's own view of its NIC in line after LXD has replaced it. */
import { z } from 'zod';
import { DriverError, type NetworkConfig } from '../../driver.ts';
import type { LxdClient } from './client.ts';
import { execIn } from './exec.ts';
import { guestCommands, NIC } from './network.ts';

const State = z.object({
  network: z
    .record(
      z.string(),
      z.object({
        state: z.string(),
        addresses: z.array(z.object({ address: z.string() })).nullish(),
      }),
    )
    .nullish(),
});

/** @throws {DriverError} `not-possible` where the guest has no tools for it: it holds from the next start. */
export async function syncGuest(
  client: LxdClient,
  name: string,
  network: NetworkConfig,
): Promise<void> {
  // Each may find its work done already; what counts is how it looks afterwards.
  for (const command of guestCommands(network)) await execIn(client, name, command);
  if (await holds(client, name, network)) return;
  throw new DriverError(
    'not-possible',
    `configureNetwork: ${name} did not take its addresses while running; they are set, restart it to use them.`,
  );
}

/** Does the guest hold all its addresses on a NIC that is up? */
export async function holds(
  client: LxdClient,
  name: string,
  { addresses }: NetworkConfig,
): Promise<boolean> {
  if (addresses.length === 0) return true;
  const { network } = await client.get(`/1.0/instances/${name}/state`, State);
  const nic = network?.[NIC];
  const held = new Set((nic?.addresses ?? []).map((one) => one.address));
  return nic?.state === 'up' && addresses.every((one) => held.has(one.address));
}
