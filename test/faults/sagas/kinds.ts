/**
 * Every kind of operation, with a world that is ready for it. A kind without an entry does not compile,
 * and fails the suite.
 */
import type { Seeded } from '@bivouac/all';
import { CreateCustomer } from '@bivouac/accounts/api';
import type { OperationKind } from '@bivouac/events/provisioning';
import type { OperationOrder } from '@bivouac/provisioning/api';

import type { Disk } from './disk.ts';
import type { World } from './world.ts';

/** An order, ready to be given. */
export interface Order {
  readonly order: OperationOrder;
  readonly tenantId: string;
  readonly homeId: string;
}

export interface Scenario {
  readonly name: string;
  /** Brings about what the order needs, and says what it is. */
  readonly ready: (world: World) => Promise<Order>;
  /** When what it waits for comes. */
  readonly until?: string;
}

/** After the first period of what was ordered when the world began. */
const NEXT_MONTH = '2026-05-01T00:30:00.000Z';

export const scenarios: { readonly [K in OperationKind]: readonly Scenario[] } = {
  provision: [
    {
      name: 'provision',
      ready: (world) => Promise.resolve(world.provision('web2.example.com', 1)),
    },
  ],
  suspend: [
    {
      name: 'suspend',
      ready: onContainer((containerId) => ({
        ...{ kind: 'suspend', containerId, hold: { kind: 'abuse', reason: 'port scan' } },
      })),
    },
  ],
  resume: [
    {
      name: 'resume',
      ready: async (world) => {
        const { containerId } = await world.container();
        const hold = { kind: 'abuse' as const, reason: 'port scan' };
        await world.does({ kind: 'suspend', containerId, hold });
        const holdId = await world.holdOf(containerId);
        return world.customers({ kind: 'resume', containerId, holdId });
      },
    },
  ],
  power: [
    { name: 'power: stop', ready: powered('stop') },
    { name: 'power: start', ready: powered('start', 'stop') },
    { name: 'power: restart', ready: powered('restart') },
    { name: 'power: freeze', ready: powered('freeze') },
    { name: 'power: thaw', ready: powered('thaw', 'freeze') },
  ],
  resize: [
    {
      name: 'resize: up',
      ready: onContainer((containerId) => ({
        ...{ kind: 'resize', containerId, planCode: '2000', at: 'now' },
      })),
    },
    {
      name: 'resize: down',
      ready: onContainer((containerId) => ({
        ...{ kind: 'resize', containerId, planCode: 'basic', at: 'now' },
      })),
    },
    {
      name: 'resize: at the end of the period',
      until: NEXT_MONTH,
      ready: onContainer((containerId) => ({
        ...{ kind: 'resize', containerId, planCode: '2000', at: 'period-end' },
      })),
    },
  ],
  'add-address': [
    {
      name: 'add-address',
      ready: onContainer((containerId) => ({
        ...{ kind: 'add-address', containerId, count: 2, family: 'ipv4' },
      })),
    },
  ],
  'remove-address': [
    {
      name: 'remove-address',
      ready: async (world) => {
        const { containerId } = await world.container();
        await world.does({ kind: 'add-address', containerId, count: 2, family: 'ipv4' });
        const leaseIds = (await world.leasesOf(containerId)).slice(1);
        return world.customers({ kind: 'remove-address', containerId, leaseIds });
      },
    },
  ],
  packages: [
    { name: 'packages: install', ready: fromRepository('install', 'vim') },
    { name: 'packages: upgrade', ready: fromRepository('upgrade', 'vsftpd') },
    {
      name: 'packages: remove',
      ready: onContainer((containerId) => ({
        ...{ kind: 'packages', containerId, action: 'remove', packages: ['vsftpd'] },
      })),
    },
    {
      name: 'packages: refresh',
      ready: onContainer((containerId) => ({
        ...{ kind: 'packages', containerId, action: 'refresh', packages: [] },
      })),
    },
  ],
  delete: [
    {
      name: 'delete',
      ready: onContainer((containerId) => ({
        ...{ kind: 'delete', containerId, reason: 'not needed', restoreDays: 7 },
      })),
    },
  ],
  restore: [
    {
      name: 'restore',
      ready: async (world) => {
        const { containerId } = await world.container();
        await world.does({ kind: 'delete', containerId, reason: 'by mistake', restoreDays: 7 });
        return world.customers({ kind: 'restore', containerId });
      },
    },
  ],
  cancel: [
    {
      name: 'cancel: now',
      ready: onContainer((containerId) => ({
        ...{ kind: 'cancel', containerId, at: 'now', reason: 'moved away' },
      })),
    },
    {
      name: 'cancel: at the end of the period',
      until: NEXT_MONTH,
      ready: onContainer((containerId) => ({
        ...{ kind: 'cancel', containerId, at: 'period-end', reason: 'moved away' },
      })),
    },
  ],
  terminate: [
    {
      name: 'terminate',
      ready: async (world) => {
        const { containerId } = await world.container();
        await world.does({ kind: 'add-address', containerId, count: 1, family: 'ipv4' });
        return world.customers({ kind: 'terminate', containerId, reason: 'moved away' });
      },
    },
  ],
  'close-month': [
    {
      name: 'close-month',
      ready: async (world) => {
        await world.container();
        await world.moveTo(NEXT_MONTH);
        const { tenantId } = world.seeded.customer;
        return world.customers({ kind: 'close-month', accountId: tenantId, month: '2026-04' });
      },
    },
  ],
  'run-month': [
    {
      name: 'run-month',
      ready: async (world) => {
        await world.container();
        const contact = { email: 'other@example.com' };
        await world.command(CreateCustomer, { name: 'Other Customer', contact }, 'other customer');
        await world.moveTo(NEXT_MONTH);
        const { provider } = world.seeded;
        const order = { kind: 'run-month' as const, issuerId: provider.tenantId, month: '2026-04' };
        return { order, ...provider };
      },
    },
  ],
};

function onContainer(
  orderOf: (containerId: string) => OperationOrder,
): (world: World) => Promise<Order> {
  return async (world) => world.customers(orderOf((await world.container()).containerId));
}

type PowerAction = Extract<OperationOrder, { kind: 'power' }>['action'];

function powered(action: PowerAction, before?: PowerAction): (world: World) => Promise<Order> {
  return async (world) => {
    const { containerId } = await world.container();
    if (before !== undefined) await world.does({ kind: 'power', containerId, action: before });
    return world.customers({ kind: 'power', containerId, action });
  };
}

function fromRepository(
  action: 'install' | 'upgrade',
  name: string,
): (world: World) => Promise<Order> {
  return async (world) => {
    await world.repository();
    const { containerId } = await world.container();
    return world.customers({ kind: 'packages', containerId, action, packages: [name] });
  };
}

/** An order in its world. */
export interface GivenOrder extends Order {
  readonly seeded: Seeded;
  /** What it waits for comes then. */
  readonly until?: string | undefined;
  /** How many events there were before it. */
  readonly recorded: number;
}

/** A world with what a kind needs, and its order. */
export interface Ready extends GivenOrder {
  readonly scenario: Scenario;
  readonly disk: Disk;
}
