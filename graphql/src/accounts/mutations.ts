/** Changing accounts: tenants and their holds. A tenant is named to its service with its home. */
import {
  CloseTenant,
  CreateCustomer,
  CreateTenant,
  LiftTenantHold,
  PlaceTenantHold,
  RenameTenant,
} from '@bivouac/accounts/api';

import { enumeration } from '../language/enumeration.ts';
import { given } from '../language/given.ts';
import { idProblem } from '../language/node.ts';
import { builder } from '../language/builder.ts';
import { mutation, type Payload, PayloadRef } from '../language/mutation.ts';
import { notFound, type UserErrorValue, validationFailed } from '../errors/user-error.ts';
import type { Services } from '../request/services.ts';
import { accountById, AccountKind, AccountRef, HoldKind } from './account.ts';

/** A tenant with its home, or the error that says why it cannot be named. */
export async function tenantOf(
  services: Services,
  accountId: string,
  field = 'accountId',
): Promise<{ readonly tenantId: string; readonly homeId: string } | UserErrorValue> {
  const path = ['input', field];
  const problem = idProblem('tenant', accountId);
  if (problem !== undefined) return validationFailed(path, `The ${field}: ${problem}.`);
  const account = await accountById(services, accountId);
  return account === null
    ? notFound(path, 'account')
    : { tenantId: account.id, homeId: account.homeId };
}

export interface AccountPayload extends Payload {
  readonly accountId: string;
}

export const AccountPayloadRef = builder.interfaceRef<AccountPayload>('AccountPayload').implement({
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

const CustomerKind = enumeration('CustomerKind', 'What stands directly under the provider.', {
  customer: 'Orders for itself.',
  reseller: 'Sells on to customers of its own.',
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
      kind: t.field({
        type: CustomerKind,
        required: false,
        description: 'A customer unless told.',
      }),
    }),
  }),
  type: CustomerCreated,
  names: { 'contact.email': 'email', 'contact.name': 'contactName' },
  act: ({ name, email, contactName, kind }, key, { services }) =>
    services.command(
      CreateCustomer,
      { name, contact: { email, ...given({ name: contactName }) }, ...given({ kind }) },
      key,
    ),
  payload: ({ tenantId }) => ({ accountId: tenantId }),
});

const TenantCreated = builder.objectRef<AccountPayload>('TenantCreated').implement({
  description: 'The account exists.',
  interfaces: [PayloadRef, AccountPayloadRef],
});

mutation('createTenant', {
  description:
    'An account below one that you reach: a reseller’s customer, a customer’s sub-account. What ' +
    'holds an account above holds it from birth.',
  input: builder.inputType('CreateTenantInput', {
    description: 'A new account and where it stands.',
    fields: (t) => ({
      parentId: t.id({ description: 'The account directly above.' }),
      kind: t.field({
        type: AccountKind,
        description: 'A CUSTOMER below a reseller, a SUB_ACCOUNT below a customer.',
      }),
      name: t.string({ description: 'What it is called on lists and invoices; no person’s name.' }),
      email: t.string({ description: 'Where to write to. Kept sealed.' }),
      contactName: t.string({ required: false, description: 'Whom to write to. Kept sealed.' }),
    }),
  }),
  type: TenantCreated,
  names: { 'contact.email': 'email', 'contact.name': 'contactName' },
  act: async ({ parentId, kind, name, email, contactName }, key, { services, viewer }) => {
    const parent = await tenantOf(services, parentId, 'parentId');
    if ('__typename' in parent) return parent;
    if (kind === 'provider' || kind === 'reseller') {
      return validationFailed(
        ['input', 'kind'],
        'The field input.kind is not accepted: expected CUSTOMER or SUB_ACCOUNT. Resellers stand directly under the provider, which creates them by createCustomer.',
      );
    }
    const contact = { email, ...given({ name: contactName }) };
    const { homeId } = parent;
    const input = { parentId, homeId, kind, name, contact };
    const reply = await services.command(CreateTenant, input, key);
    // What is remembered of the key is older than the account.
    if (reply.ok) viewer.nowReaches(reply.result.tenantId);
    return reply;
  },
  payload: ({ tenantId }) => ({ accountId: tenantId }),
});

const TenantClosed = builder.objectRef<AccountPayload>('TenantClosed').implement({
  description: 'The account is closed for ever.',
  interfaces: [PayloadRef, AccountPayloadRef],
});

mutation('closeTenant', {
  description:
    'Closes an account below yours, for ever: it orders nothing any more and its keys only read. ' +
    'What it still has is ended by operations of their own.',
  input: builder.inputType('CloseTenantInput', {
    description: 'Which account and why.',
    fields: (t) => ({
      accountId: t.id({ description: 'The account.' }),
      reason: t.string({ description: 'Why, in a sentence. The staff alone read it.' }),
    }),
  }),
  type: TenantClosed,
  act: async ({ accountId, reason }, key, { services }) => {
    const tenant = await tenantOf(services, accountId);
    return '__typename' in tenant
      ? tenant
      : services.command(CloseTenant, { ...tenant, reason }, key);
  },
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
