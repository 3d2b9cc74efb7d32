/**
 * The people of a month: who was brought in, by which name, in which role, with which keys; who has
 * gone since, and who is erased. What they must be able to see and do follows from that alone.
 */
import { type Role, rightsOf } from '@bivouac/events/accounts';
import type { Right } from '@bivouac/events/language';
import { RuntimeError } from '@bivouac/infra/runtime';
import { z } from 'zod';

import type { GraphqlClient, Result } from '../graphql.ts';

/** What somebody told of themselves. */
export interface Given {
  readonly name: string;
  readonly email: string;
}

/** Whom an account writes to. */
export interface Contact extends Given {
  readonly accountId: string;
  erased: boolean;
}

export interface Member extends Given {
  readonly accountId: string;
  readonly memberId: string;
  role: Role;
  /** Opens what the role may, while they are neither removed nor erased. */
  key: string;
  removed: boolean;
  erased: boolean;
}

interface Invited extends Given {
  readonly accountId: string;
  readonly invitationId: string;
  readonly role: Role;
  readonly token: string;
  /** From this instant on it counts no more. */
  readonly until: number;
}

/** The gateway by a key, or by an invitation's token. */
export type Gateway = (secret: string) => GraphqlClient;

type Send = (client: GraphqlClient, mutation: string, input: Input, key: string) => Promise<Result>;
type Input = Readonly<Record<string, unknown>>;

/** For so long an invitation counts. */
const DAYS = 8;

/** A name and an address that only this person has. */
export function personOf(name: string): Given {
  const local = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '.');
  return { name, email: `${local}@people.example` };
}

const PersonsSchema = z.object({
  account: z.object({ contact: z.object({ personId: z.string() }).nullable() }),
  members: z.object({
    edges: z.array(z.object({ node: z.object({ id: z.string(), personId: z.string() }) })),
  }),
});

export class People {
  readonly contacts: Contact[] = [];
  /** In the order they came, also those who have gone. */
  readonly members: Member[] = [];
  /** Keys and tokens that were somebody's and open nothing any more. */
  readonly spent: string[] = [];
  /** Tokens that were accepted: until they expire their holder may send the very same once more. */
  readonly accepted: {
    readonly token: string;
    readonly until: number;
    readonly by: Member;
  }[] = [];
  /** Not accepted yet, by account. */
  readonly #invited = new Map<string, Invited[]>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  contact(accountId: string, given: Given): void {
    this.contacts.push({ accountId, ...given, erased: false });
  }

  joined(facts: Omit<Member, 'removed' | 'erased'>): Member {
    const member = { ...facts, removed: false, erased: false };
    this.members.push(member);
    return member;
  }

  /** Those who act for an account, but for its first owner: nobody else has its key in their hands. */
  others(accountId: string): Member[] {
    return this.members.filter(
      (one) => one.accountId === accountId && !one.removed && !one.erased && !isFirst(one),
    );
  }

  /** Keys of those who may do all that is asked; the first owner's among them. */
  keysWith(accountId: string, ...rights: readonly Right[]): string[] {
    return this.members.flatMap(({ accountId: of, role, key, removed, erased }) => {
      const may = rightsOf(role, 'customer');
      const can = of === accountId && !removed && !erased;
      return can && rights.every((right) => may.includes(right)) ? [key] : [];
    });
  }

  waiting(accountId: string): number {
    return this.#invited.get(accountId)?.length ?? 0;
  }

  async invite(
    by: GraphqlClient,
    { accountId, role, name, email }: Given & { readonly accountId: string; readonly role: Role },
    key: string,
    send: Send = directly,
  ): Promise<void> {
    const input = { accountId, email, role: role.toUpperCase(), days: DAYS };
    const { invitationId, token } = await send(by, 'inviteMember', input, `invite ${key}`);
    if (invitationId === undefined || typeof token !== 'string') return;
    const list = this.#invited.get(accountId) ?? [];
    const until = this.#now() + DAYS * 86_400_000;
    const invited = { accountId, invitationId, role, name, email, token, until };
    this.#invited.set(accountId, [...list, invited]);
  }

  /** Whoever was invited first comes in, if that is not too long ago; answers their key. */
  async accept(
    as: Gateway,
    accountId: string,
    key: string,
    send: Send = directly,
  ): Promise<string | undefined> {
    const one = this.#invited.get(accountId)?.shift();
    if (one === undefined) return undefined;
    const { role, name, email, token, until } = one;
    if (this.#now() >= until) {
      this.spent.push(token);
      return undefined;
    }
    const by = as(token);
    const reply = await send(by, 'acceptInvitation', { name }, `accept ${key}`);
    if (reply.memberId === undefined || typeof reply.key !== 'string') {
      throw new RuntimeError('defect', `${name} is not let in: ${reply.message ?? 'no key'}`);
    }
    const { memberId } = reply;
    const member = this.joined({ accountId, memberId, role, name, email, key: reply.key });
    this.accepted.push({ token, until, by: member });
    return reply.key;
  }

  async withdraw(by: GraphqlClient, accountId: string, key: string, send: Send): Promise<void> {
    const one = this.#invited.get(accountId)?.pop();
    if (one === undefined) return;
    this.spent.push(one.token);
    const { invitationId } = one;
    await send(by, 'withdrawInvitation', { accountId, invitationId }, `withdraw ${key}`);
  }

  async changeRole(
    by: GraphqlClient,
    member: Member,
    role: Role,
    key: string,
    send: Send,
  ): Promise<void> {
    const { accountId, memberId } = member;
    const input = { accountId, memberId, role: role.toUpperCase() };
    const { code } = await send(by, 'changeMemberRole', input, `role ${key}`);
    if (code === undefined) member.role = role;
  }

  /** With their own key; the secret before it opens nothing any more. */
  async rotate(as: Gateway, member: Member, key: string, send: Send): Promise<void> {
    const by = as(member.key);
    const input = { keyId: await by.keyId(), overlapMinutes: 0 };
    const reply = await send(by, 'rotateApiKey', input, `rotate ${key}`);
    if (typeof reply.key !== 'string') return;
    this.spent.push(member.key);
    member.key = reply.key;
  }

  async remove(by: GraphqlClient, member: Member, key: string, send: Send): Promise<void> {
    const { accountId, memberId } = member;
    const { code } = await send(by, 'removeMember', { accountId, memberId }, `remove ${key}`);
    if (code === undefined) this.#gone(member, 'removed');
  }

  /** @param by they themselves, who manages the account, or the staff. */
  async erase(
    by: GraphqlClient,
    whom: Member | Contact,
    reason: string,
    key: string,
    send: Send,
  ): Promise<void> {
    const personId = await personIdOf(by, whom);
    const { code } = await send(by, 'erasePerson', { personId, reason }, `erase ${key}`);
    if (code !== undefined) return;
    if ('memberId' in whom) this.#gone(whom, 'erased');
    else whom.erased = true;
  }

  #gone(member: Member, how: 'removed' | 'erased'): void {
    member[how] = true;
    this.spent.push(member.key);
  }
}

function isFirst({ name }: Given): boolean {
  return name.startsWith('Owner of ');
}

async function personIdOf(by: GraphqlClient, whom: Member | Contact): Promise<string> {
  const { account, members } = await by.send(
    PersonsSchema,
    `query ($id: ID!) { account(id: $id) { contact { personId } }
      members(accountId: $id, first: 100) { edges { node { id personId } } } }`,
    { id: whom.accountId },
  );
  const personId =
    'memberId' in whom
      ? members.edges.find(({ node }) => node.id === whom.memberId)?.node.personId
      : account.contact?.personId;
  if (personId === undefined) throw new RuntimeError('defect', `${whom.name} is not there`);
  return personId;
}

const selections: Readonly<Record<string, string>> = {
  inviteMember: '... on MemberInvited { invitationId token }',
  acceptInvitation: '... on InvitationAccepted { memberId key }',
  rotateApiKey: '... on ApiKeyRotated { key }',
};

/** What is asked of a payload of these. */
export function selectionOf(mutation: string): string {
  return selections[mutation] ?? '';
}

function directly(
  client: GraphqlClient,
  mutation: string,
  input: Input,
  key: string,
): Promise<Result> {
  return client.mutate(mutation, input, key, selectionOf(mutation));
}
