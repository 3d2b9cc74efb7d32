/** How accounts pay in April what March cost: at once, in parts, twice, late, or not at all. */
import { z } from 'zod';

import { Draws } from '../../draws.ts';
import type { GraphqlClient } from '../graphql.ts';
import type { Tally } from './tally.ts';
import type { Tenant } from './tenants.ts';
import { eur } from './world.ts';

/** What becomes of a debt, by the first day of April from which it may. */
const habits = {
  prompt: [[4, 'pay']],
  parts: [
    [5, 'pay half'],
    [13, 'pay'],
  ],
  returned: [
    [3, 'pay'],
    [9, 'reverse'],
    [18, 'pay'],
  ],
  generous: [[6, 'pay double']],
  // Its account is held by then.
  late: [[26, 'pay']],
  never: [],
  disputed: [[11, 'void']],
} as const satisfies Record<string, readonly (readonly [number, string])[]>;
type Habit = keyof typeof habits;
export const allHabits: readonly Habit[] = [
  ...(['late', 'returned', 'disputed', 'parts', 'never', 'generous', 'prompt'] as const),
];
type Deed = (typeof habits)[Habit][number][1];

const often: Readonly<Record<Habit, number>> = {
  ...{ prompt: 8, parts: 4, returned: 3, generous: 2, late: 5, never: 3, disputed: 2 },
};

const InvoicesSchema = z.object({
  account: z.object({
    invoices: z.object({
      edges: z.array(
        z.object({
          node: z.object({
            id: z.string(),
            state: z.string(),
            open: z.object({ amount: z.string() }),
          }),
        }),
      ),
    }),
  }),
});

/** What an account's habit has in store for a debt, deed by deed. */
export class Payer {
  readonly #tenant: Tenant;
  readonly #deeds: (readonly [number, Deed])[];
  #payments = 0;

  /** @param habit drawn where none is told. */
  constructor(seed: number, tenant: Tenant, habit?: Habit) {
    this.#tenant = tenant;
    this.#deeds = [...habits[habit ?? new Draws(seed, `payer ${tenant.name}`).weighted(often)]];
  }

  /** Does what is due by this day of April. */
  async turn(day: number, issuer: GraphqlClient, tally: Tally): Promise<void> {
    for (let next = this.#deeds[0]; next !== undefined && next[0] <= day; next = this.#deeds[0]) {
      this.#deeds.shift();
      await this.#do(next[1], issuer, tally);
    }
  }

  async #do(deed: Deed, issuer: GraphqlClient, tally: Tally): Promise<void> {
    const { id: accountId, name } = this.#tenant;
    const invoices = await invoicesOf(issuer, accountId);
    const open = invoices.reduce((sum, { open }) => sum + cents(open.amount), 0);
    const send = (mutation: string, input: Record<string, unknown>) =>
      tally.send(
        issuer,
        mutation,
        { accountId, ...input },
        `${name} ${mutation} ${this.#payments}`,
      );
    const pay = async (amount: number): Promise<void> => {
      if (amount <= 0) return;
      this.#payments += 1;
      await send('recordPayment', { reference: this.#reference(), amount: eur(amount) });
    };
    switch (deed) {
      case 'pay':
        return pay(open);
      case 'pay half':
        return pay(Math.ceil(open / 2));
      case 'pay double':
        return pay(open * 2);
      case 'reverse':
        if (this.#payments === 0) return;
        await send('reversePayment', { reference: this.#reference(), reason: 'returned' });
        return;
      case 'void': {
        const [invoice] = invoices;
        if (invoice === undefined) return;
        await send('voidInvoice', { invoiceId: invoice.id, reason: 'disputed' });
        const fee = { name: 'As agreed instead', amount: eur(1234), reason: 'disputed' };
        await send('chargeFee', fee);
      }
    }
  }

  #reference(): string {
    return `${this.#tenant.name}, ${this.#payments}`;
  }
}

async function invoicesOf(client: GraphqlClient, id: string) {
  const { account } = await client.send(
    InvoicesSchema,
    `query ($id: ID!) { account(id: $id) { invoices(first: 10) { edges { node { id state open { amount } } } } } }`,
    { id },
  );
  return account.invoices.edges.map(({ node }) => node);
}

function cents(amount: string): number {
  return Number(amount.replace('.', ''));
}
