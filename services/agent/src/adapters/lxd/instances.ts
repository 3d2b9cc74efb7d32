/** Our containers as LXD has them: found by name and mark, awaited while they are made, observed. */
import { z } from 'zod';
import { DriverError, type ObservedInstance } from '../../driver.ts';
import { LxdRefusal, type LxdClient } from './client.ts';
import { fromSettings } from './limits.ts';
import { keys, nameOf, ownerOf } from './names.ts';
import { addressesOf, NIC } from './network.ts';
import { hasReserve } from './reserve.ts';
import { Instance, Operations } from './wire.ts';

/** Undefined where there is none. @throws {DriverError} where the name is taken by a stranger. */
export async function findOurs(
  client: LxdClient,
  containerId: string,
): Promise<Instance | undefined> {
  const name = nameOf(containerId);
  const instance = await client.find(`/1.0/instances/${name}`, Instance);
  if (instance === undefined || ownerOf(instance)?.containerId === containerId) return instance;
  throw new DriverError(
    'engine-failed',
    `The node has an instance ${name} that is not ours: its ${keys.container} is not ${containerId}.`,
  );
}

/** Waits until LXD does nothing more to the instance: another request may be making it just now. */
export async function settle(client: LxdClient, name: string): Promise<void> {
  const { running } = await client.get('/1.0/operations?recursion=1', Operations);
  for (const operation of running ?? []) {
    const touched = operation.resources?.['instances'] ?? operation.resources?.['containers'] ?? [];
    if (touched.some((url) => url.split('/').at(-1) === name)) await client.wait(operation.id);
  }
}

/**
 * Whether a container that is there was made to its end. A daemon that died while it made one leaves its
 * record, perhaps without a root file system. What was ever started was whole; of what was not, its reserve
 * says so, which is put there last.
 */
export async function isWhole(client: LxdClient, containerId: string): Promise<boolean> {
  const instance = await findOurs(client, containerId);
  if (instance === undefined) return false;
  const { config, name } = instance;
  const neverStarted =
    config['volatile.apply_template'] === 'create' ||
    config['volatile.last_state.power'] === undefined;
  if (!neverStarted || stateOf(instance) !== 'stopped') return true;
  try {
    return await hasReserve(client, name);
  } catch (error) {
    // There is nothing to look into.
    if (error instanceof LxdRefusal) return false;
    throw error;
  }
}

export async function listOurs(client: LxdClient): Promise<readonly ObservedInstance[]> {
  const all = await client.get('/1.0/instances?recursion=1', z.array(Instance));
  return all.filter((one) => ownerOf(one) !== undefined).map(observed);
}

export function observed(instance: Instance): ObservedInstance {
  const owner = ownerOf(instance);
  return {
    containerId: owner?.containerId ?? '',
    generation: owner?.generation ?? 0,
    state: stateOf(instance),
    addresses: addressesOf(instance.devices[NIC]),
    limits: fromSettings(instance),
  };
}

export function absent(containerId: string): ObservedInstance {
  return { containerId, generation: 0, state: 'absent', addresses: [], limits: null };
}

/** LXD's status codes, https://documentation.ubuntu.com/lxd/en/latest/rest-api/#status-codes. */
export function stateOf(instance: Instance): ObservedInstance['state'] {
  switch (instance.status_code) {
    case 102:
      return 'stopped';
    // Starting, stopping, freezing and thawed have processes inside.
    case 103:
    case 106:
    case 107:
    case 109:
    case 111:
    case 113:
      return 'running';
    case 110:
      return 'frozen';
    default:
      return 'error';
  }
}
