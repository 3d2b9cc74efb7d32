/** Who acts for an account: its members and their API keys. */
import { ApiKeys, type ApiKeyView, Members, type MemberView } from '@bivouac/accounts/api';

import { atLeast } from '../language/at-least.ts';
import { builder } from '../language/builder.ts';
import { optionalIdArgument } from '../language/node.ts';
import { connection, pageRequest } from '../language/paging.ts';
import type { Context } from '../request/context.ts';
import { Role } from './account.ts';

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
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'Since when.' }),
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
