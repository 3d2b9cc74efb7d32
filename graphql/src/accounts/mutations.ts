/** Changing accounts: tenants, members, keys, holds. A tenant is named to its service with its home. */
import {
  AddMember,
  CreateApiKey,
  CreateCustomer,
  LiftTenantHold,
  PlaceTenantHold,
  RenameTenant,
  RevokeApiKey,
} from '@bivouac/accounts/api';

import { given } from '../language/given.ts';
import { idProblem } from '../language/node.ts';
import { builder } from '../language/builder.ts';
import { mutation, type Payload, PayloadRef } from '../language/mutation.ts';
import { notFound, type UserErrorValue, validationFailed } from '../errors/user-error.ts';
import type { Services } from '../request/services.ts';
import { accountById, AccountRef, HoldKind, Role } from './account.ts';

/** A tenant with its home, or the error that says why it cannot be named. */
export async function tenantOf(
  services: Services,
  accountId: string,
): Promise<{ readonly tenantId: string; readonly homeId: string } | UserErrorValue> {
  const path = ['input', 'accountId'];
  const problem = idProblem('tenant', accountId);
  if (problem !== undefined) return validationFailed(path, `The accountId: ${problem}.`);
  const account = await accountById(services, accountId);
  return account === null
    ? notFound(path, 'account')
    : { tenantId: account.id, homeId: account.homeId };
}

interface AccountPayload extends Payload {
  readonly accountId: string;
}

const AccountPayloadRef = builder.interfaceRef<AccountPayload>('AccountPayload').implement({
  description: 'What a mutation of an account answers.',
  interfaces: [PayloadRef],
  resolveType: (value) => value.__typename,
  fields: (t) => ({
    accountId: t.exposeID('accountId', { description: 'The account.' }),
    account: t.field({
      type: AccountRef,
      nullable: true,
      description: 'The account as it is after the change.',
      resolve: ({ accountId }, _args, { services }) => accountById(services, accountId),
    }),
  }),
});

const CustomerCreated = builder.objectRef<AccountPayload>('CustomerCreated').implement({
  description: 'The customer exists.',
  interfaces: [PayloadRef, AccountPayloadRef],
});

mutation('createCustomer', {
  description: 'For the staff: a customer directly under the provider.',
  input: builder.inputType('CreateCustomerInput', {
    description: 'A new customer.',
    fields: (t) => ({
      name: t.string({ description: 'What it is called on lists and invoices; no person’s name.' }),
      email: t.string({ description: 'Where to write to. Kept sealed.' }),
      contactName: t.string({ required: false, description: 'Whom to write to. Kept sealed.' }),
    }),
  }),
  type: CustomerCreated,
  names: { 'contact.email': 'email', 'contact.name': 'contactName' },
  act: ({ name, email, contactName }, key, { services }) =>
    services.command(
      CreateCustomer,
      { name, contact: { email, ...given({ name: contactName }) } },
      key,
    ),
  payload: ({ tenantId }) => ({ accountId: tenantId }),
});

const TenantRenamed = builder.objectRef<AccountPayload>('TenantRenamed').implement({
  description: 'The account has the name.',
  interfaces: [PayloadRef, AccountPayloadRef],
});

mutation('renameTenant', {
  description: 'Gives an account another name.',
  input: builder.inputType('RenameTenantInput', {
    description: 'A new name.',
    fields: (t) => ({
      accountId: t.id({ description: 'The account.' }),
      name: t.string({ description: 'The name.' }),
    }),
  }),
  type: TenantRenamed,
  act: async ({ accountId, name }, key, { services }) => {
    const tenant = await tenantOf(services, accountId);
    return '__typename' in tenant
      ? tenant
      : services.command(RenameTenant, { ...tenant, name }, key);
  },
  payload: ({ tenantId }) => ({ accountId: tenantId }),
});

interface MemberPayload extends AccountPayload {
  readonly memberId: string;
}

const MemberAdded = builder.objectRef<MemberPayload>('MemberAdded').implement({
  description: 'The member may be given API keys.',
  interfaces: [PayloadRef, AccountPayloadRef],
  fields: (t) => ({ memberId: t.exposeID('memberId', { description: 'The member, `mem_…`.' }) }),
});

mutation('addMember', {
  description: 'Lets a person act for an account.',
  input: builder.inputType('AddMemberInput', {
    description: 'A person and what they may do.',
    fields: (t) => ({
      accountId: t.id({ description: 'The account.' }),
      email: t.string({ description: 'The address. Kept sealed.' }),
      name: t.string({ description: 'The name. Kept sealed.' }),
      role: t.field({ type: Role, description: 'What they may do.' }),
    }),
  }),
  type: MemberAdded,
  act: async ({ accountId, email, name, role }, key, { services }) => {
    const tenant = await tenantOf(services, accountId);
    return '__typename' in tenant
      ? tenant
      : services.command(AddMember, { ...tenant, email, name, role }, key);
  },
  payload: ({ memberId }, { accountId }) => ({ memberId, accountId }),
});

interface KeyPayload extends AccountPayload {
  readonly keyId: string;
  readonly key: string | null;
}

const ApiKeyCreated = builder.objectRef<KeyPayload>('ApiKeyCreated').implement({
  description: 'The key can be used from now on.',
  interfaces: [PayloadRef, AccountPayloadRef],
  fields: (t) => ({
    keyId: t.exposeID('keyId', { description: 'The id, to revoke it by.' }),
    key: t.exposeString('key', {
      nullable: true,
      description:
        'The key: shown here and never again. Null in a repeat; where the first answer was lost, ' +
        'revoke this key and create another.',
    }),
  }),
});

mutation('createApiKey', {
  description: 'A key by which a member uses this API. It is shown once.',
  input: builder.inputType('CreateApiKeyInput', {
    description: 'For whom and for what.',
    fields: (t) => ({
      accountId: t.id({ description: 'The account.' }),
      memberId: t.id({ description: 'The member it acts for.' }),
      label: t.string({ description: 'What it is for, e.g. `deploy job`.' }),
      expiresAt: t.field({
        type: 'DateTime',
        required: false,
        description: 'When it expires; never unless told.',
      }),
    }),
  }),
  type: ApiKeyCreated,
  act: async ({ accountId, memberId, label, expiresAt }, key, { services }) => {
    const tenant = await tenantOf(services, accountId);
    if ('__typename' in tenant) return tenant;
    return services.command(
      CreateApiKey,
      { ...tenant, memberId, label, ...given({ expiresAt }) },
      key,
    );
  },
  payload: ({ keyId, key }, { accountId }) => ({ keyId, key, accountId }),
});

const ApiKeyRevoked = builder
  .objectRef<Payload & { readonly keyId: string }>('ApiKeyRevoked')
  .implement({
    description: 'The key is refused everywhere within five seconds.',
    interfaces: [PayloadRef],
    fields: (t) => ({ keyId: t.exposeID('keyId', { description: 'The key.' }) }),
  });

mutation('revokeApiKey', {
  description: 'Ends a key for ever. One revoked before stays so.',
  input: builder.inputType('RevokeApiKeyInput', {
    description: 'Which key.',
    fields: (t) => ({ keyId: t.id({ description: 'The key’s id, `key_…`.' }) }),
  }),
  type: ApiKeyRevoked,
  act: ({ keyId }, key, { services }) => services.command(RevokeApiKey, { keyId }, key),
  payload: ({ keyId }) => ({ keyId }),
});

interface HoldPayload extends AccountPayload {
  readonly holdId: string | null;
}

const HoldPlaced = builder.objectRef<HoldPayload>('HoldPlaced').implement({
  description: 'The hold stands; it reaches everything below the account.',
  interfaces: [PayloadRef, AccountPayloadRef],
  fields: (t) => ({
    holdId: t.exposeID('holdId', {
      nullable: true,
      description: 'The hold, `hld_…`, to lift it by; null where the account’s holds tell it.',
    }),
  }),
});

mutation('placeHold', {
  description: 'For the staff: holds an account and all below it. At most one of a kind stands.',
  input: builder.inputType('PlaceHoldInput', {
    description: 'Whom and why.',
    fields: (t) => ({
      accountId: t.id({ description: 'The account.' }),
      kind: t.field({ type: HoldKind, description: 'Why, in a word.' }),
      reason: t.string({ description: 'Why, in a sentence.' }),
    }),
  }),
  type: HoldPlaced,
  act: async ({ accountId, kind, reason }, key, { services }) => {
    const tenant = await tenantOf(services, accountId);
    return '__typename' in tenant
      ? tenant
      : services.command(PlaceTenantHold, { ...tenant, kind, reason }, key);
  },
  payload: ({ tenantId, holdId }) => ({ accountId: tenantId, holdId }),
});

const HoldLifted = builder.objectRef<HoldPayload>('HoldLifted').implement({
  description: 'The hold stands no more.',
  interfaces: [PayloadRef, AccountPayloadRef],
  fields: (t) => ({
    holdId: t.exposeID('holdId', { nullable: true, description: 'The hold.' }),
  }),
});

mutation('liftHold', {
  description: 'For the staff: lifts a hold of an account. One lifted before stays so.',
  input: builder.inputType('LiftHoldInput', {
    description: 'Which hold.',
    fields: (t) => ({
      accountId: t.id({ description: 'The account it stands on.' }),
      holdId: t.id({ description: 'The hold, `hld_…`.' }),
    }),
  }),
  type: HoldLifted,
  act: async ({ accountId, holdId }, key, { services }) => {
    const tenant = await tenantOf(services, accountId);
    return '__typename' in tenant
      ? tenant
      : services.command(LiftTenantHold, { ...tenant, holdId }, key);
  },
  payload: ({ tenantId, holdId }) => ({ accountId: tenantId, holdId }),
});
