/** What those do who charge others: extras, fees, credit, holds, prices; staff what only staff may. */
import { PROVIDER_ID } from '@bivouac/events/accounts';
import { z } from 'zod';

import { Draws } from '../../draws.ts';
import type { GraphqlClient } from '../graphql.ts';
import { containersOf } from './customers.ts';
import type { Tally } from './tally.ts';
import type { Tenant } from './tenants.ts';
import { eur, limitOf, PLANS, type World } from './world.ts';

/** How often what is drawn. */
const wishes = {
  'add-on': 6,
  'cancel add-on': 4,
  fee: 4,
  credit: 2,
  suspend: 5,
  resume: 6,
  limit: 3,
  price: 2,
  pause: 1,
  resumeDunning: 1,
} as const;

const AddOnsSchema = z.object({
  account: z.object({
    addOns: z.object({
      edges: z.array(
        z.object({ node: z.object({ id: z.string(), endsAt: z.string().nullable() }) }),
      ),
    }),
    subscriptions: z.object({
      edges: z.array(
        z.object({ node: z.object({ id: z.string(), endedAt: z.string().nullable() }) }),
      ),
    }),
  }),
});

/** One turn of those who charge a customer. */
export async function issuerTurn(
  at: { readonly seed: number; readonly turn: number },
  { id: accountId, name, issuerId }: Tenant,
  clients: { readonly issuer: GraphqlClient; readonly staff: GraphqlClient },
  tally: Tally,
): Promise<void> {
  const draws = new Draws(at.seed, `issuer of ${name} ${at.turn}`);
  const { issuer, staff } = clients;
  const send = (client: GraphqlClient, mutation: string, input: Record<string, unknown>) =>
    tally.send(client, mutation, input, `issuer of ${name} ${at.turn}`);
  const zone = draws.chance(0.3) ? { zone: 'Europe/Berlin' } : {};

  switch (draws.weighted(wishes)) {
    case 'add-on': {
      const { subscriptions } = (await extras(issuer, accountId)).account;
      const open = subscriptions.edges.filter(({ node }) => node.endedAt === null);
      const of = draws.chance(0.6) ? draws.pick(open) : undefined;
      const item = { name: 'Backup', monthly: eur(draws.between(50, 999)) };
      const units = { quantity: draws.between(1, 5), ...zone };
      const subject = of === undefined ? {} : { subscriptionId: of.node.id };
      await send(issuer, 'attachAddOn', { accountId, ...item, ...units, ...subject });
      return;
    }
    case 'cancel add-on': {
      const { addOns } = (await extras(issuer, accountId)).account;
      const some = draws.pick(addOns.edges.filter(({ node }) => node.endsAt === null));
      if (some === undefined) return;
      const when = draws.chance(0.5) ? 'NOW' : 'PERIOD_END';
      await send(issuer, 'cancelAddOn', { accountId, addOnId: some.node.id, at: when });
      return;
    }
    case 'fee': {
      const fee = {
        name: 'Recovery',
        amount: eur(draws.between(100, 9999)),
        reason: 'by telephone',
      };
      await send(issuer, 'chargeFee', { accountId, ...fee, ...zone });
      return;
    }
    case 'credit': {
      const credit = { amount: eur(draws.between(50, 1500)), reason: 'an outage' };
      await send(issuer, 'grantCredit', { accountId, ...credit });
      return;
    }
    case 'suspend': {
      const running = (await containersOf(staff, accountId)).filter(
        (one) => one.holds.length === 0,
      );
      const some = draws.pick(running);
      if (some === undefined) return;
      const hold = { containerId: some.id, kind: 'ABUSE', reason: 'port scan reported' };
      await send(staff, 'suspendContainer', hold);
      return;
    }
    case 'resume': {
      const some = draws.pick(
        (await containersOf(staff, accountId)).flatMap(({ id, holds }) =>
          holds.filter(({ kind }) => kind === 'ABUSE').map((hold) => ({ id, holdId: hold.id })),
        ),
      );
      if (some === undefined) return;
      await send(staff, 'resumeContainer', { containerId: some.id, holdId: some.holdId });
      return;
    }
    case 'limit': {
      const limit = limitOf(draws.between(1, 7));
      await send(staff, 'setLimit', { accountId, limit, reason: 'as agreed' });
      return;
    }
    case 'price':
      if (issuerId === PROVIDER_ID) return;
      if (draws.chance(0.3)) {
        await send(issuer, 'withdrawPrice', { issuerId, planCode: draws.pick(PLANS) });
      } else {
        const monthly = eur(draws.between(700, 4500));
        const others = { setup: eur(draws.between(0, 900)), extraAddressMonthly: eur(211) };
        const price = { issuerId, planCode: draws.pick(PLANS), monthly, ...others };
        await send(issuer, 'setPrice', price);
      }
      return;
    case 'pause':
      await send(issuer, 'pauseDunning', { accountId, reason: 'instalments' });
      return;
    case 'resumeDunning':
      await send(issuer, 'resumeDunning', { accountId });
  }
}

/** Whoever invoices a tenant: its reseller with its own key, else the staff. */
export function issuerClient(
  { issuerId }: Tenant,
  { resellers, staffKey }: World,
  as: (key: string) => GraphqlClient,
): GraphqlClient {
  return as(resellers.find(({ id }) => id === issuerId)?.key ?? staffKey);
}

function extras(client: GraphqlClient, id: string): Promise<z.output<typeof AddOnsSchema>> {
  return client.send(
    AddOnsSchema,
    `query ($id: ID!) { account(id: $id) { addOns(first: 50) { edges { node { id endsAt } } }
      subscriptions(first: 100) { edges { node { id endedAt } } } } }`,
    { id },
  );
}
