/** What a customer does when it is its turn: it looks at what it has, and orders with its own key. */
import { z } from 'zod';

import { Draws } from '../../draws.ts';
import type { GraphqlClient } from '../graphql.ts';
import type { Tally } from './tally.ts';
import type { Tenant } from './tenants.ts';
import { OFFERED } from './packages.ts';
import { LABEL, PLANS } from './world.ts';

const ContainerSchema = z.object({
  id: z.string(),
  lifecycle: z.string(),
  plan: z.object({ code: z.string() }),
  addresses: z.array(z.object({ leaseId: z.string() })),
  holds: z.array(z.object({ id: z.string(), kind: z.string() })),
});
export type Container = z.output<typeof ContainerSchema>;

/** Everything of an account that is not gone. */
export async function containersOf(client: GraphqlClient, accountId: string): Promise<Container[]> {
  const { containers } = await client.send(
    z.object({ containers: z.object({ edges: z.array(z.object({ node: ContainerSchema })) }) }),
    `query ($id: ID!) { containers(accountId: $id, first: 100) { edges { node {
      id lifecycle plan { code } addresses { leaseId } holds { id kind } } } } }`,
    { id: accountId },
  );
  return containers.edges
    .map(({ node }) => node)
    .filter(({ lifecycle }) => !['DELETED', 'FAILED', 'DELETING'].includes(lifecycle));
}

/** How often what is drawn; what cannot be done is an order for something else. */
const wishes = {
  provision: 20,
  resize: 12,
  'resize twice': 6,
  'resize later': 3,
  'add addresses': 12,
  'remove address': 9,
  power: 14,
  delete: 6,
  restore: 12,
  cancel: 4,
  terminate: 5,
  rename: 3,
  packages: 9,
} as const;

const packageActs = {
  ...{ installPackages: 5, upgradePackages: 3, removePackages: 2, refreshPackages: 1 },
} as const;

const POWER = {
  RUNNING: ['stopContainer', 'restartContainer', 'freezeContainer'],
  STOPPED: ['startContainer'],
  FROZEN: ['thawContainer', 'stopContainer'],
} as const;

/** Sends a mutation as whoever's turn it is. */
type Send = (
  mutation: string,
  input: Readonly<Record<string, unknown>>,
  key: string,
) => Promise<unknown>;

/** What somebody does the same day, once all that was ordered has ended. */
export type Next = (send: Send) => Promise<unknown>;

/** One turn of a customer: one wish, and sometimes another when that has come true. */
export async function customerTurn(
  at: { readonly seed: number; readonly turn: number; readonly imageId: string },
  { id, name }: Tenant,
  client: GraphqlClient,
  tally: Tally,
): Promise<Next | undefined> {
  const draws = new Draws(at.seed, `${name} ${at.turn}`);
  const containers = await containersOf(client, id);
  const there = containers.filter(({ lifecycle }) => lifecycle in POWER);
  const some = draws.pick(there);
  const wish = there.length < 2 ? 'provision' : draws.weighted(wishes);
  let sent = 0;
  const send = (mutation: string, input: Record<string, unknown>, waits = false) =>
    tally.send(client, mutation, input, `${name} ${at.turn} ${sent++}`, waits);
  const again =
    (mutation: string, input: Record<string, unknown>): Next =>
    (later) =>
      later(mutation, input, `${name} ${at.turn} again`);
  const otherPlan = (): string =>
    draws.pick(PLANS.filter((code) => code !== some?.plan.code)) ?? PLANS[0];

  if (wish === 'restore') {
    const deleted = draws.pick(containers.filter((one) => one.lifecycle === 'SOFT_DELETED'));
    if (deleted !== undefined) await send('restoreContainer', { containerId: deleted.id });
    return undefined;
  }
  if (wish === 'provision' || some === undefined) {
    await send('provisionContainer', {
      ...{ accountId: id, imageId: at.imageId },
      hostname: `c${at.turn}.${name.toLowerCase().replace(' ', '')}.example.com`,
      plan: draws.chance(0.03) ? 'none' : draws.pick(PLANS),
      extraAddresses: draws.chance(0.3) ? draws.between(1, 2) : 0,
      ...(draws.chance(0.25) ? { labels: [LABEL] } : {}),
    });
    return undefined;
  }
  const containerId = some.id;
  const reason = 'not needed any more';
  switch (wish) {
    case 'resize':
      await send('resizeContainer', { containerId, plan: otherPlan() });
      return undefined;
    case 'resize twice':
      await send('resizeContainer', { containerId, plan: otherPlan() });
      return again('resizeContainer', { containerId, plan: draws.pick(PLANS) });
    case 'resize later':
      await send('resizeContainer', { containerId, plan: otherPlan(), at: 'PERIOD_END' }, true);
      return undefined;
    case 'add addresses':
      await send('addAddresses', { containerId, count: draws.between(1, 2) });
      return undefined;
    case 'remove address': {
      const leaseId = some.addresses.at(-1)?.leaseId;
      await send('removeAddress', { containerId, leaseIds: [leaseId] });
      return undefined;
    }
    case 'power':
      await send(powerOf(some, draws), { containerId });
      return undefined;
    case 'delete':
      await send('deleteContainer', { containerId, reason, restoreDays: draws.between(2, 14) });
      // Now and then it was a mistake.
      return draws.chance(0.4) ? again('restoreContainer', { containerId }) : undefined;
    case 'cancel':
      await send('cancelContainer', { containerId, reason, at: 'PERIOD_END' }, true);
      return undefined;
    case 'terminate':
      await send('terminateContainer', { containerId, reason });
      return undefined;
    case 'packages': {
      const act = draws.weighted(packageActs);
      const packages = draws.pick(OFFERED) ?? 'vim';
      const named = act === 'installPackages' || act === 'removePackages';
      await send(act, { containerId, ...(named ? { packages: [packages] } : {}) });
      return undefined;
    }
    case 'rename':
      await send('renameContainer', {
        containerId,
        hostname: `r${at.turn}-${id.slice(-8)}.example.com`,
      });
      return undefined;
  }
}

function powerOf({ lifecycle }: Container, draws: Draws): string {
  const entry = Object.entries(POWER).find(([name]) => name === lifecycle);
  return draws.pick(entry?.[1] ?? []) ?? 'restartContainer';
}
