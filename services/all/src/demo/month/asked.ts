/** What the gateway itself says of the books when a month is over: asked as an issuer would ask. */
import { z } from 'zod';

import type { GraphqlClient } from '../graphql.ts';

const BooksSchema = z.object({
  trialBalance: z.object({
    entries: z.number(),
    sums: z.array(z.object({ amount: z.string(), currency: z.string() })),
  }),
  unclosedAccounts: z.object({ accounts: z.array(z.object({ id: z.string() })) }),
});

/** An issuer's books for a month. */
export interface AskedBooks {
  readonly issuer: string;
  readonly month: string;
  /** Journal entries, over all months. */
  readonly entries: number;
  readonly sums: readonly { readonly amount: string; readonly currency: string }[];
  /** Accounts with charges in the month that are not closed for it. */
  readonly unclosed: readonly string[];
}

export async function askBooks(
  client: GraphqlClient,
  { id, name }: { readonly id: string; readonly name: string },
  month: string,
): Promise<AskedBooks> {
  const { trialBalance, unclosedAccounts } = await client.send(
    BooksSchema,
    `query ($id: ID!, $month: Month!) {
      trialBalance(issuerId: $id) { entries sums { amount currency } }
      unclosedAccounts(issuerId: $id, month: $month) { accounts { id } } }`,
    { id, month },
  );
  const unclosed = unclosedAccounts.accounts.map((account) => account.id);
  return { issuer: name, month, ...trialBalance, unclosed };
}

/** What is not balanced or not closed. */
export function askedViolations(books: readonly AskedBooks[]): Readonly<Record<string, string[]>> {
  return {
    'every trial balance is zero': books.flatMap(({ issuer, entries, sums }) => [
      ...(entries === 0 ? [`${issuer} has booked nothing`] : []),
      ...sums
        .filter(({ amount }) => Number(amount) !== 0)
        .map(({ amount, currency }) => `the books of ${issuer} sum to ${amount} ${currency}`),
    ]),
    'every account is closed for its months': books.flatMap(({ issuer, month, unclosed }) =>
      unclosed.map((id) => `${issuer} has not closed ${month} of ${id}`),
    ),
  };
}
