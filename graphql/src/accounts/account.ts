/** Accounts: the tenants, with their holds. Also `viewer`: who the key belongs to. */
import {
  AccountById,
  AccountHistory,
  Accounts,
  type AccountView,
  Actings,
  type ActingView,
} from '@bivouac/accounts/api';

import { atLeast } from '../language/at-least.ts';
import { builder } from '../language/builder.ts';
import { enumeration } from '../language/enumeration.ts';
import { given } from '../language/given.ts';
import { EventConnection, EventRef, historyConnection } from '../language/history.ts';
import { idArgument, NodeRef, optionalIdArgument, registerNode } from '../language/node.ts';
import { connection, pageRequest } from '../language/paging.ts';
import type { Services } from '../request/services.ts';
import type { Viewer } from '../request/viewer.ts';

export const HoldKind = enumeration('HoldKind', 'Why something is held.', {
  billing: 'It is not paid.',
  abuse: 'It harms others.',
  staff: 'The staff decided so.',
});

export const AccountKind = enumeration('AccountKind', 'Where an account stands.', {
  provider: 'The company that rents out containers.',
  reseller: 'Sells on to customers of its own.',
  customer: 'Under the provider or a reseller.',
  'sub-account': 'Below a customer.',
});

export const Role = enumeration('Role', 'What a member may do.', {
  owner: 'Everything within the account.',
  admin: 'Everything within the account.',
  member: 'Containers are read, ordered and operated.',
  technician: 'What containers need from day to day.',
  billing: 'Invoices, payments and prices; for programs that keep books.',
  auditor: 'Everything is read, nothing changed.',
  staff: 'For members of the provider.',
});

export const RightEnum = enumeration(
  'Right',
  'What may be done, apart from whose things it is about.',
  {
    'account.read': 'Accounts, members, keys, plans and images are read.',
    'account.manage': 'Members, invitations, keys and accounts below are managed.',
    'containers.read': 'Containers, their packages and operations are read.',
    'containers.order': 'What changes the bill: orders, other plans, addresses, notices.',
    'containers.operate': 'What does not: power, names, packages.',
    'billing.read': 'Invoices, payments and balances are read.',
    'billing.manage': 'Fees, payments, credit, prices and months of those invoiced.',
    'history.read': 'Who did what, and when.',
    'invitation.accept': 'Becoming a member: of an invitation’s token alone.',
    'customers.manage': 'For the staff: customers are created, held, limited, closed.',
    'platform.read': 'For the staff: nodes and address ranges are read.',
    'platform.manage': 'For the staff: nodes, images, address ranges, the catalog.',
    'operations.repair': 'For the staff: what needs a person.',
  },
);

/** One account, once per request; null where there is none or it is out of reach. */
export function accountById(services: Services, id: string): Promise<AccountView | null> {
  return services.once(`account:${id}`, async () => {
    if (!services.reaches(id)) return null;
    return services.query(AccountById, { tenantId: id });
  });
}

const AccountHoldRef = builder.objectRef<AccountView['holds'][number]>('AccountHold').implement({
  description: 'A hold in force on an account: neither it nor those below order or start anything.',
  fields: (t) => ({
    id: t.exposeID('holdId', { description: 'The id, to lift it by.' }),
    kind: t.expose('kind', { type: HoldKind, description: 'Why, in a word.' }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'Why, in a sentence; null where it stands on an account out of your reach.',
    }),
    accountId: t.exposeID('tenantId', {
      description: 'The account it stands on: this one or one above it.',
    }),
    placedAt: t.expose('placedAt', { type: 'DateTime', description: 'Since when.' }),
  }),
});

const ContactRef = builder.objectRef<NonNullable<AccountView['contact']>>('Contact').implement({
  description: 'Whom to write to.',
  fields: (t) => ({
    personId: t.exposeID('personId', { description: 'The person, `per_…`, to erase them by.' }),
    email: t.exposeString('email', {
      nullable: true,
      description: 'The address; null once the person was erased.',
    }),
    name: t.exposeString('name', {
      nullable: true,
      description: 'The name; null where none was given or the person was erased.',
    }),
  }),
});

const ActingRef = builder.objectRef<ActingView>('Acting').implement({
  description: 'A time in which a member of the provider acted for an account.',
  fields: (t) => ({
    id: t.exposeID('id', {
      description: 'The id, `act_…`; correlation ids of what was done then begin with it.',
    }),
    memberId: t.exposeID('memberId', { description: 'Who: a lasting pseudonym.' }),
    reason: t.exposeString('reason', { description: 'Why.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'From when on.' }),
    endsAt: t.expose('endsAt', {
      type: 'DateTime',
      description: 'Until when: when it ended, or is going to.',
    }),
  }),
});

const ActingConnection = builder.connectionObject(
  { type: ActingRef, name: 'ActingConnection', description: 'A page of such times.' },
  { name: 'ActingEdge', description: 'Such a time and where it stands.' },
);

const nothing = { items: [], hasNext: false, hasPrevious: false };

export const AccountRef = builder.objectRef<AccountView>('Account');

AccountRef.implement({
  description: 'A tenant: who orders, owns and pays.',
  interfaces: [NodeRef],
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What it is called on lists and invoices.' }),
    kind: t.expose('kind', { type: AccountKind, description: 'Where it stands.' }),
    parent: t.field({
      type: AccountRef,
      nullable: true,
      description: 'The account directly above; null at the top or out of your reach.',
      resolve: ({ parentId }, _args, { services }) =>
        parentId === null ? null : accountById(services, parentId),
    }),
    contact: t.expose('contact', {
      type: ContactRef,
      nullable: true,
      description: 'Whom to write to.',
    }),
    holds: t.expose('holds', {
      type: [AccountHoldRef],
      description: 'Every hold in force on it, also from above.',
      extensions: { size: 2 },
    }),
    closed: t.exposeBoolean('closed', { description: 'It orders nothing any more, for ever.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'Since when it exists.' }),
    actings: t.connection(
      {
        type: ActingRef,
        description: 'When the provider’s staff acted for it, and why, oldest first.',
        resolve: async ({ id }, args, { services }) => {
          const page = await services.query(Actings, { tenantId: id, page: pageRequest(args) });
          return connection(page ?? nothing, (acting) => services.sees(Actings, acting.tenantId));
        },
      },
      ActingConnection,
    ),
    history: t.connection(
      {
        type: EventRef,
        description: 'What happened to it.',
        resolve: ({ id }, args, { services }) =>
          historyConnection(args, (page) => services.query(AccountHistory, { tenantId: id, page })),
      },
      EventConnection,
    ),
  }),
});

registerNode('tenant', 'Account', (id, { services }) => accountById(services, id));

const AccountConnection = builder.connectionObject(
  { type: AccountRef, name: 'AccountConnection', description: 'A page of accounts.' },
  { name: 'AccountEdge', description: 'An account and where it stands.' },
);

const AccountFilterInput = builder.inputType('AccountFilter', {
  description: 'What accounts are wanted to be; all that is given must be so.',
  fields: (t) => ({
    kind: t.field({ type: AccountKind, required: false, description: 'Where they stand.' }),
    parentId: t.id({ required: false, description: 'The account directly above them.' }),
    closed: t.boolean({ required: false, description: 'Whether they are closed.' }),
    held: t.boolean({
      required: false,
      description: 'Whether a hold is in force on them, also from above.',
    }),
  }),
});

function accountFilter(wish: typeof AccountFilterInput.$inferInput | null | undefined) {
  const { kind, parentId, closed, held } = wish ?? {};
  return {
    ...given({ kind, closed, held }),
    ...given({ parentId: optionalIdArgument('filter.parentId', 'tenant', parentId) }),
  };
}

builder.queryFields((t) => ({
  account: t.field({
    type: AccountRef,
    nullable: true,
    description: 'One account; null where there is none or it is out of your reach.',
    args: { id: t.arg.id({ description: 'Its id, `ten_…`.' }), atLeast: atLeast(t.arg) },
    resolve: (_root, args, { services }) => {
      services.raiseTo(args.atLeast);
      return accountById(services, idArgument('id', 'tenant', args.id));
    },
  }),
  accounts: t.connection(
    {
      type: AccountRef,
      description: 'The accounts you reach, oldest first.',
      args: {
        filter: t.arg({ type: AccountFilterInput, required: false, description: 'Which of them.' }),
        atLeast: atLeast(t.arg),
      },
      resolve: async (_root, args, { services }) => {
        services.raiseTo(args.atLeast);
        const filter = accountFilter(args.filter);
        const page = await services.query(Accounts, { page: pageRequest(args), filter });
        return connection(page, (account) => services.sees(Accounts, account.id));
      },
    },
    AccountConnection,
  ),
}));

const ViewerRef = builder.objectRef<Viewer>('Viewer').implement({
  description: 'Who asks: the key, its member and their account.',
  fields: (t) => ({
    keyId: t.exposeID('keyId', { description: 'The API key, or the invitation, in use.' }),
    memberId: t.exposeID('memberId', {
      description: 'The member it belongs to; of an invitation: who will be.',
    }),
    role: t.expose('role', { type: Role, description: 'What the member may do.' }),
    rights: t.field({
      type: [RightEnum],
      description: 'What the key may do: the rights of the role, as far as the key has them.',
      resolve: ({ rights }) => [...rights],
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the key expires; null: never.',
    }),
    acting: t.exposeID('acting', {
      nullable: true,
      description: 'The session, `act_…`, in which the staff act for the account; null: none.',
    }),
    account: t.field({
      type: AccountRef,
      description: 'The member’s account; where staff act for another, that one.',
      nullable: true,
      resolve: ({ tenantId }, _args, { services }) => accountById(services, tenantId),
    }),
  }),
});

builder.queryField('viewer', (t) =>
  t.field({
    type: ViewerRef,
    description: 'Who asks.',
    args: { atLeast: atLeast(t.arg) },
    resolve: (_root, args, { services, viewer }) => {
      services.raiseTo(args.atLeast);
      return viewer;
    },
  }),
);
