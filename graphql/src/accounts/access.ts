/** Who acts for an account: its members and their API keys. */
import {
  ApiKeys,
  type ApiKeyView,
  Invitations,
  type InvitationView,
  Members,
  type MemberView,
} from '@bivouac/accounts/api';

import { atLeast } from '../language/at-least.ts';
import { builder } from '../language/builder.ts';
import { enumeration } from '../language/enumeration.ts';
import { optionalIdArgument } from '../language/node.ts';
import { connection, pageRequest } from '../language/paging.ts';
import type { Context } from '../request/context.ts';
import { RightEnum, Role } from './account.ts';

const MemberRef = builder.objectRef<MemberView>('Member').implement({
  description: 'A person who acts for an account.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id, `mem_…`.' }),
    accountId: t.exposeID('tenantId', { description: 'The account.' }),
    personId: t.exposeID('personId', { description: 'The person, `per_…`, to erase them by.' }),
    role: t.expose('role', { type: Role, description: 'What the member may do.' }),
    email: t.exposeString('email', {
      nullable: true,
      description: 'The address; null once the person was erased.',
    }),
    name: t.exposeString('name', {
      nullable: true,
      description: 'The name; null once the person was erased.',
    }),
    addedAt: t.expose('addedAt', { type: 'DateTime', description: 'Since when.' }),
  }),
});

const ApiKeyRef = builder.objectRef<ApiKeyView>('ApiKey').implement({
  description: 'A key by which a member uses this API. The key itself is shown once, at creation.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id, `key_…`, to revoke it by.' }),
    accountId: t.exposeID('tenantId', { description: 'The account.' }),
    memberId: t.exposeID('memberId', { description: 'The member it acts for.' }),
    label: t.exposeString('label', { description: 'What it is for.' }),
    scopes: t.expose('scopes', {
      type: [RightEnum],
      nullable: true,
      description: 'What it is confined to; null: all that its member’s role may.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'Since when.' }),
    rotatedAt: t.expose('rotatedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it last got a new secret; null: it has its first.',
    }),
    usedOn: t.exposeString('usedOn', {
      nullable: true,
      description:
        'The last UTC day it was used on, e.g. `2026-04-10`; null: on none yet. Known to the day, ' +
        'a moment late.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it expires; null: never.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked; null: it was not.',
    }),
  }),
});

const InvitationStatus = enumeration('InvitationStatus', 'What became of an invitation.', {
  open: 'It can be accepted.',
  accepted: 'It made a member.',
  withdrawn: 'It was withdrawn.',
  expired: 'Its time is over.',
});

const InvitationRef = builder.objectRef<InvitationView>('Invitation').implement({
  description: 'A person who was invited to act for an account.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id, `ivt_…`, to withdraw it by.' }),
    personId: t.exposeID('personId', { description: 'Who: a lasting pseudonym, `per_…`.' }),
    accountId: t.exposeID('tenantId', { description: 'The account.' }),
    role: t.expose('role', { type: Role, description: 'What the member will be there for.' }),
    email: t.exposeString('email', {
      nullable: true,
      description: 'The address; null once the person was erased.',
    }),
    status: t.expose('status', { type: InvitationStatus, description: 'What became of it.' }),
    invitedAt: t.expose('invitedAt', { type: 'DateTime', description: 'Since when.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when it counts.' }),
  }),
});

const InvitationConnection = builder.connectionObject(
  { type: InvitationRef, name: 'InvitationConnection', description: 'A page of invitations.' },
  { name: 'InvitationEdge', description: 'An invitation and where it stands.' },
);

const MemberConnection = builder.connectionObject(
  { type: MemberRef, name: 'MemberConnection', description: 'A page of members.' },
  { name: 'MemberEdge', description: 'A member and where they stand.' },
);

const ApiKeyConnection = builder.connectionObject(
  { type: ApiKeyRef, name: 'ApiKeyConnection', description: 'A page of API keys.' },
  { name: 'ApiKeyEdge', description: 'An API key and where it stands.' },
);

const nobody = { items: [], hasNext: false, hasPrevious: false };

/** The account asked about: the viewer's own unless told. */
function accountOf(id: string | null | undefined, { viewer }: Context): string {
  return optionalIdArgument('accountId', 'tenant', id) ?? viewer.tenantId;
}

builder.queryFields((t) => ({
  members: t.connection(
    {
      type: MemberRef,
      description: 'An account’s members, oldest first.',
      args: {
        accountId: t.arg.id({ required: false, description: 'The account; yours unless told.' }),
        atLeast: atLeast(t.arg),
      },
      resolve: async (_root, args, context) => {
        const { services } = context;
        services.raiseTo(args.atLeast);
        const tenantId = accountOf(args.accountId, context);
        const page = await services.query(Members, { tenantId, page: pageRequest(args) });
        return connection(page ?? nobody, (m) => services.sees(Members, m.tenantId));
      },
    },
    MemberConnection,
  ),
  invitations: t.connection(
    {
      type: InvitationRef,
      description: 'Who was invited to an account, oldest first, also what was answered.',
      args: {
        accountId: t.arg.id({ required: false, description: 'The account; yours unless told.' }),
        atLeast: atLeast(t.arg),
      },
      resolve: async (_root, args, context) => {
        const { services } = context;
        services.raiseTo(args.atLeast);
        const tenantId = accountOf(args.accountId, context);
        const page = await services.query(Invitations, { tenantId, page: pageRequest(args) });
        return connection(page ?? nobody, (one) => services.sees(Invitations, one.tenantId));
      },
    },
    InvitationConnection,
  ),
  apiKeys: t.connection(
    {
      type: ApiKeyRef,
      description: 'An account’s API keys, oldest first, also revoked ones.',
      args: {
        accountId: t.arg.id({ required: false, description: 'The account; yours unless told.' }),
        atLeast: atLeast(t.arg),
      },
      resolve: async (_root, args, context) => {
        const { services } = context;
        services.raiseTo(args.atLeast);
        const tenantId = accountOf(args.accountId, context);
        const page = await services.query(ApiKeys, { tenantId, page: pageRequest(args) });
        return connection(page ?? nobody, (key) => services.sees(ApiKeys, key.tenantId));
      },
    },
    ApiKeyConnection,
  ),
}));
