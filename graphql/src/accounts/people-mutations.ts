/** Changing who acts for an account: members, invitations, the provider's staff. */
import {
  AcceptInvitation,
  AddMember,
  ChangeMemberRole,
  EndActing,
  InviteMember,
  RemoveMember,
  StartActing,
  WithdrawInvitation,
} from '@bivouac/accounts/api';

import { notFound } from '../errors/user-error.ts';
import { builder } from '../language/builder.ts';
import { given } from '../language/given.ts';
import { mutation, type Payload, PayloadRef } from '../language/mutation.ts';
import { Role } from './account.ts';
import { type AccountPayload, AccountPayloadRef, tenantOf } from './mutations.ts';

interface MemberPayload extends AccountPayload {
  readonly memberId: string;
}

function memberPayload(name: string, description: string) {
  return builder.objectRef<MemberPayload>(name).implement({
    description,
    interfaces: [PayloadRef, AccountPayloadRef],
    fields: (t) => ({ memberId: t.exposeID('memberId', { description: 'The member, `mem_…`.' }) }),
  });
}

mutation('addMember', {
  description:
    'Lets a person act for an account, in a role that may no more than you. Where they are to come ' +
    'by themselves, invite them.',
  input: builder.inputType('AddMemberInput', {
    description: 'A person and what they may do.',
    fields: (t) => ({
      accountId: t.id({ description: 'The account.' }),
      email: t.string({ description: 'The address. Kept sealed.' }),
      name: t.string({ description: 'The name. Kept sealed.' }),
      role: t.field({ type: Role, description: 'What they may do.' }),
    }),
  }),
  type: memberPayload('MemberAdded', 'The member may be given API keys.'),
  act: async ({ accountId, email, name, role }, key, { services }) => {
    const tenant = await tenantOf(services, accountId);
    return '__typename' in tenant
      ? tenant
      : services.command(AddMember, { ...tenant, email, name, role }, key);
  },
  payload: ({ memberId }, { accountId }) => ({ memberId, accountId }),
});

mutation('changeMemberRole', {
  description: 'Gives a member another role. An account’s last owner stays one.',
  input: builder.inputType('ChangeMemberRoleInput', {
    description: 'Whose role, and which.',
    fields: (t) => ({
      accountId: t.id({ description: 'The account.' }),
      memberId: t.id({ description: 'The member, `mem_…`.' }),
      role: t.field({ type: Role, description: 'What they may do from now on.' }),
    }),
  }),
  type: memberPayload('MemberRoleChanged', 'The member has the role; so have their keys.'),
  act: async ({ accountId, memberId, role }, key, { services }) => {
    const tenant = await tenantOf(services, accountId);
    return '__typename' in tenant
      ? tenant
      : services.command(ChangeMemberRole, { ...tenant, memberId, role }, key);
  },
  payload: ({ memberId }, { accountId }) => ({ memberId, accountId }),
});

mutation('removeMember', {
  description: 'Ends a membership for ever. An account’s last owner stays.',
  input: builder.inputType('RemoveMemberInput', {
    description: 'Who.',
    fields: (t) => ({
      accountId: t.id({ description: 'The account.' }),
      memberId: t.id({ description: 'The member, `mem_…`.' }),
    }),
  }),
  type: memberPayload(
    'MemberRemoved',
    'Every key of the member is refused everywhere within five seconds.',
  ),
  act: async ({ accountId, memberId }, key, { services }) => {
    const tenant = await tenantOf(services, accountId);
    return '__typename' in tenant
      ? tenant
      : services.command(RemoveMember, { ...tenant, memberId }, key);
  },
  payload: ({ memberId }, { accountId }) => ({ memberId, accountId }),
});

interface InvitationPayload extends AccountPayload {
  readonly invitationId: string;
}

const MemberInvited = builder
  .objectRef<InvitationPayload & { readonly token: string | null }>('MemberInvited')
  .implement({
    description: 'The invitation can be accepted.',
    interfaces: [PayloadRef, AccountPayloadRef],
    fields: (t) => ({
      invitationId: t.exposeID('invitationId', { description: 'The id, to withdraw it by.' }),
      token: t.exposeString('token', {
        nullable: true,
        description:
          'The token: shown here and never again. Send it to the person, who accepts with it as ' +
          'Bearer. Null in a repeat; where the first answer was lost, withdraw and invite again.',
      }),
    }),
  });

mutation('inviteMember', {
  description: 'Invites a person to act for an account, in a role that may no more than you.',
  input: builder.inputType('InviteMemberInput', {
    description: 'Whom, and as what.',
    fields: (t) => ({
      accountId: t.id({ description: 'The account.' }),
      email: t.string({ description: 'The address. Kept sealed.' }),
      role: t.field({ type: Role, description: 'What they may do once they have accepted.' }),
      days: t.int({
        required: false,
        description: 'For how many days it counts: 1 to 30; 7 unless told.',
      }),
    }),
  }),
  type: MemberInvited,
  act: async ({ accountId, email, role, days }, key, { services }) => {
    const tenant = await tenantOf(services, accountId);
    if ('__typename' in tenant) return tenant;
    return services.command(InviteMember, { ...tenant, email, role, ...given({ days }) }, key);
  },
  payload: ({ invitationId, token }, { accountId }) => ({ invitationId, token, accountId }),
});

mutation('withdrawInvitation', {
  description: 'Ends an invitation that was not accepted. One withdrawn before stays so.',
  input: builder.inputType('WithdrawInvitationInput', {
    description: 'Which.',
    fields: (t) => ({
      accountId: t.id({ description: 'The account.' }),
      invitationId: t.id({ description: 'The invitation, `ivt_…`.' }),
    }),
  }),
  type: builder.objectRef<InvitationPayload>('InvitationWithdrawn').implement({
    description: 'The invitation opens nothing any more.',
    interfaces: [PayloadRef, AccountPayloadRef],
    fields: (t) => ({
      invitationId: t.exposeID('invitationId', { description: 'The invitation.' }),
    }),
  }),
  act: async ({ accountId, invitationId }, key, { services }) => {
    const tenant = await tenantOf(services, accountId);
    return '__typename' in tenant
      ? tenant
      : services.command(WithdrawInvitation, { ...tenant, invitationId }, key);
  },
  payload: ({ invitationId }, { accountId }) => ({ invitationId, accountId }),
});

// Without the account: who accepts may read it by the new key, not by the invitation.
const InvitationAccepted = builder
  .objectRef<
    Payload & { readonly memberId: string; readonly keyId: string; readonly key: string | null }
  >('InvitationAccepted')
  .implement({
    description: 'You are a member.',
    interfaces: [PayloadRef],
    fields: (t) => ({
      memberId: t.exposeID('memberId', { description: 'You, `mem_…`.' }),
      keyId: t.exposeID('keyId', { description: 'The id of your first API key.' }),
      key: t.exposeString('key', {
        nullable: true,
        description:
          'Your first API key: shown here and never again; it opens a moment later. Null in a ' +
          'repeat; where the first answer was lost, have whoever invited you create another.',
      }),
    }),
  });

mutation('acceptInvitation', {
  description: 'By whoever was invited, with the token as Bearer: makes you a member, once.',
  input: builder.inputType('AcceptInvitationInput', {
    description: 'Who you are.',
    fields: (t) => ({ name: t.string({ description: 'Your name. Kept sealed.' }) }),
  }),
  type: InvitationAccepted,
  act: async ({ name }, key, { services, viewer }) => {
    const { keyId: invitationId, tenantId, homeId, rights } = viewer;
    if (!rights.includes('invitation.accept')) return notFound(['input'], 'invitation');
    return services.command(AcceptInvitation, { tenantId, homeId, invitationId, name }, key);
  },
  payload: ({ memberId, keyId, key }) => ({ memberId, keyId, key }),
});

mutation('startActing', {
  description:
    'For the staff: a session in which you act for an account. Name it in the header `Acting-Id`; ' +
    'the account sees that, by whom and why.',
  input: builder.inputType('StartActingInput', {
    description: 'For whom, why and how long.',
    fields: (t) => ({
      accountId: t.id({ description: 'The account.' }),
      reason: t.string({ description: 'Why, in a sentence. The account reads it.' }),
      minutes: t.int({
        required: false,
        description: 'For how long: 1 to 480 minutes; 60 unless told.',
      }),
    }),
  }),
  type: builder
    .objectRef<AccountPayload & { readonly actingId: string; readonly endsAt: string | null }>(
      'ActingStarted',
    )
    .implement({
      description: 'Requests of yours that name the session act for the account.',
      interfaces: [PayloadRef, AccountPayloadRef],
      fields: (t) => ({
        actingId: t.exposeID('actingId', { description: 'The session, `act_…`.' }),
        endsAt: t.expose('endsAt', {
          type: 'DateTime',
          nullable: true,
          description: 'When it ends by itself; null where the account’s `actings` tell it.',
        }),
      }),
    }),
  act: async ({ accountId, reason, minutes }, key, { services }) => {
    const tenant = await tenantOf(services, accountId);
    if ('__typename' in tenant) return tenant;
    return services.command(StartActing, { ...tenant, reason, ...given({ minutes }) }, key);
  },
  payload: ({ actingId, endsAt }, { accountId }) => ({ actingId, endsAt, accountId }),
});

mutation('endActing', {
  description: 'Ends a session of the staff before its time: by them, or by the account itself.',
  input: builder.inputType('EndActingInput', {
    description: 'Which.',
    fields: (t) => ({ actingId: t.id({ description: 'The session, `act_…`.' }) }),
  }),
  type: builder.objectRef<Payload & { readonly actingId: string }>('ActingEnded').implement({
    description: 'Requests that name the session are refused everywhere within five seconds.',
    interfaces: [PayloadRef],
    fields: (t) => ({ actingId: t.exposeID('actingId', { description: 'The session.' }) }),
  }),
  act: ({ actingId }, key, { services }) => services.command(EndActing, { actingId }, key),
  payload: ({ actingId }) => ({ actingId }),
});
