/**
 * What the gateway shows of a month's people and lets them do when it is over, beside what must follow
 * from who came and went.
 */
import { rightsOf } from '@bivouac/events/accounts';
import { z } from 'zod';

import type { GraphqlClient } from '../graphql.ts';
import type { Contact, Gateway, Given, Member } from './people.ts';
import type { World } from './world.ts';

/** Of a person, whether they are erased, what they told, and what is shown. */
export interface AskedPerson {
  readonly who: string;
  readonly erased: boolean;
  readonly given: Given;
  readonly shown: Shown | undefined;
}

/** What somebody holds in their hands, and what it opens; undefined: nothing. */
export interface AskedSecret {
  readonly whose: string;
  readonly may: readonly string[] | undefined;
  readonly does: readonly string[] | undefined;
}

/** Accounts, by id: those that an owner must reach, and those that are listed for its key. */
export interface AskedReach {
  readonly whose: string;
  readonly below: readonly string[];
  readonly listed: readonly string[];
}

export interface AskedPeople {
  readonly persons: readonly AskedPerson[];
  readonly secrets: readonly AskedSecret[];
  readonly reaches: readonly AskedReach[];
}

const ShownSchema = z.object({ name: z.string().nullable(), email: z.string().nullable() });
type Shown = z.output<typeof ShownSchema>;
const AccountSchema = z.object({
  account: z.object({ contact: ShownSchema.nullable() }),
  members: z.object({
    edges: z.array(z.object({ node: ShownSchema.extend({ id: z.string() }) })),
  }),
});

export async function askPeople(
  { people, resellers, customers, staffKey }: World,
  as: Gateway,
  now: number,
): Promise<AskedPeople> {
  const staff = as(staffKey);
  const tenants = [...resellers, ...customers];
  const nameOf = new Map(tenants.map(({ id, name }) => [id, name]));
  const persons: AskedPerson[] = [];
  for (const { id, name } of tenants) persons.push(...(await shownOf(staff, id, name, people)));
  const secrets: AskedSecret[] = [];
  const isReseller = new Set(resellers.map(({ id }) => id));
  for (const { accountId, name, role, key, removed, erased } of people.members) {
    if (removed || erased) continue;
    const may = rightsOf(role, isReseller.has(accountId) ? 'reseller' : 'customer');
    secrets.push({ whose: `${name}, ${role}`, may, does: await as(key).rights() });
  }
  for (const [n, secret] of people.spent.entries()) {
    const does = await as(secret).rights();
    secrets.push({ whose: `nobody any more (the ${n + 1}. of them)`, may: undefined, does });
  }
  for (const { token, until, by } of people.accepted) {
    const may = now < until && !by.erased ? ['invitation.accept'] : undefined;
    secrets.push({ whose: `${by.name}, invited`, may, does: await as(token).rights() });
  }
  const reaches: AskedReach[] = [];
  for (const { id, name, key } of tenants) {
    const below = tenants
      .filter((one) => one.id === id || one.issuerId === id)
      .map((one) => one.id);
    reaches.push({ whose: nameOf.get(id) ?? name, below, listed: await listed(as(key)) });
  }
  return { persons, secrets, reaches };
}

async function shownOf(
  staff: GraphqlClient,
  id: string,
  account: string,
  people: { readonly contacts: readonly Contact[]; readonly members: readonly Member[] },
): Promise<AskedPerson[]> {
  const shown = await staff.send(
    AccountSchema,
    `query ($id: ID!) { account(id: $id) { contact { name email } }
      members(accountId: $id, first: 100) { edges { node { id name email } } } }`,
    { id },
  );
  const members = new Map(shown.members.edges.map(({ node }) => [node.id, node]));
  return [
    ...people.contacts
      .filter(({ accountId }) => accountId === id)
      .map(({ erased, name, email }) => ({
        ...{ who: `the contact of ${account}`, erased, given: { name, email } },
        shown: shown.account.contact ?? undefined,
      })),
    // Who was removed is no member any more.
    ...people.members
      .filter(({ accountId, removed }) => accountId === id && !removed)
      .map(({ memberId, erased, name, email }) => ({
        ...{ who: memberId, erased, given: { name, email } },
        shown: members.get(memberId),
      })),
  ];
}

async function listed(client: GraphqlClient): Promise<string[]> {
  const { accounts } = await client.send(
    z.object({
      accounts: z.object({ edges: z.array(z.object({ node: z.object({ id: z.string() }) })) }),
    }),
    '{ accounts(first: 100) { edges { node { id } } } }',
  );
  return accounts.edges.map(({ node }) => node.id);
}

/** What is shown, open or listed otherwise than it must be. */
export function peopleViolations(
  asked: AskedPeople | undefined,
): Readonly<Record<string, readonly string[]>> {
  const { persons, secrets, reaches } = asked ?? { persons: [], secrets: [], reaches: [] };
  return {
    'who is erased is shown nowhere, and everybody else is': [
      ...(persons.length === 0 ? ['nobody was asked for'] : []),
      ...persons.flatMap(({ who, erased, given, shown }) => {
        const wanted = erased ? { name: null, email: null } : given;
        if (shown?.name === wanted.name && shown.email === wanted.email) return [];
        const how = shown === undefined ? 'not at all' : shown.name === null ? 'erased' : 'by name';
        return [`${who} is shown ${how}, and is ${erased ? '' : 'not '}erased`];
      }),
    ],
    'keys open what their people may, and nothing of who is gone': secrets.flatMap(
      ({ whose, may, does }) => {
        const [right, real] = [may, does].map((rights) =>
          rights === undefined ? 'nothing' : [...rights].map(asWritten).sort().join(', '),
        );
        return right === real ? [] : [`a key of ${whose} opens ${real ?? ''}, not ${right ?? ''}`];
      },
    ),
    'accounts reach themselves and those below, and no others': reaches.flatMap(
      ({ whose, below, listed }) => {
        const [wanted, real] = [below, listed].map((ids) => [...ids].sort().join(', '));
        return wanted === real ? [] : [`${whose} reaches ${real ?? ''}, not ${wanted ?? ''}`];
      },
    ),
  };
}

/** Rights as contracts and as GraphQL write them, alike. */
function asWritten(right: string): string {
  return right.toLowerCase().replaceAll('.', '_');
}
