/** Handlers of what is done with people: members, invitations, staff who act for them. */
import { ActingStarted, InvitationAccepted } from '@bivouac/events/accounts';
import { hashApiKey, hashSecret, writeApiKey, writeInvitation } from '@bivouac/events/accounts';
import { idFromUuid } from '@bivouac/events/values';
import { type CommandHandler, handler } from '@bivouac/infra/runtime';

import { acting, members } from '../aggregates.ts';
import {
  AcceptInvitation,
  AddMember,
  ChangeMemberRole,
  EndActing,
  InviteMember,
  RemoveMember,
  StartActing,
  WithdrawInvitation,
} from '../api/index.ts';
import { actingStream, endActing, startActing } from '../domain/acting.ts';
import {
  acceptInvitation,
  addMember,
  changeRole,
  invited,
  inviteMember,
  membersStream,
  removeMember,
  withdrawInvitation,
} from '../domain/members.ts';
import { first, knownTenant, personOf, the } from './edge.ts';

interface OfTenant {
  readonly tenantId: string;
  readonly homeId: string;
}

const stream = ({ tenantId }: OfTenant): string => membersStream(tenantId);
const owner = ({ tenantId, homeId }: OfTenant): OfTenant => ({ tenantId, homeId });

const addMemberHandler = handler(AddMember, members, {
  stream,
  owner,
  person: (_input, { commandKey }) => personOf(commandKey),
  prepare: async (input, { keys }, { commandKey, load, principal }) => {
    const { tenantId, homeId, role, email, name } = input;
    const tenant = await knownTenant(load, homeId, tenantId);
    const personId = personOf(commandKey);
    const contact =
      tenant === undefined
        ? undefined
        : {
            personId,
            email: await keys.seal(personId, 'contact', email),
            name: await keys.seal(personId, 'contact', name),
          };
    const memberId = idFromUuid('member', commandKey);
    const { rights: held } = principal;
    return { input: { memberId, tenantId, homeId, role, tenant, contact, held } };
  },
  decide: addMember,
  result: (_events, _input, _stream, commandKey) => ({
    memberId: idFromUuid('member', commandKey),
    personId: personOf(commandKey),
  }),
});

const changeMemberRole = handler(ChangeMemberRole, members, {
  stream,
  prepare: async (input, _ports, { load, principal }) => {
    const tenant = await knownTenant(load, input.homeId, input.tenantId);
    return { input: { ...input, tenant, held: principal.rights } };
  },
  decide: changeRole,
  result: (_events, { memberId, role }) => ({ memberId, role }),
});

const removeMemberHandler = handler(RemoveMember, members, {
  stream,
  decide: removeMember,
  result: (_events, { memberId }) => ({ memberId }),
});

const inviteMemberHandler = handler(InviteMember, members, {
  stream,
  owner,
  person: (_input, { commandKey }) => invited(idFromUuid('invitation', commandKey)).personId,
  prepare: async (input, { keys, random }, { commandKey, load, principal }) => {
    const { tenantId, homeId, role, email, days } = input;
    const tenant = await knownTenant(load, homeId, tenantId);
    const invitationId = idFromUuid('invitation', commandKey);
    const { personId } = invited(invitationId);
    const token = writeInvitation(invitationId, random(32));
    return {
      input: {
        ...{ invitationId, personId, tenantId, homeId, role, tenant, days },
        email: tenant === undefined ? undefined : await keys.seal(personId, 'contact', email),
        hash: hashSecret(token),
        held: principal.rights,
      },
      reveal: { token },
    };
  },
  decide: inviteMember,
  result: (_events, _input, _stream, commandKey) => ({
    invitationId: idFromUuid('invitation', commandKey),
    token: null,
  }),
});

const acceptInvitationHandler = handler(AcceptInvitation, members, {
  stream,
  person: ({ invitationId }) => invited(invitationId).personId,
  prepare: async (input, { keys, random }, { load, principal }) => {
    const { invitationId, tenantId, homeId } = input;
    const { personId, memberId, keyId } = invited(invitationId);
    const key = writeApiKey(keyId, random(32));
    return {
      input: {
        ...{ invitationId, memberId, tenantId, homeId, actorId: principal.id },
        tenant: await knownTenant(load, homeId, tenantId),
        name: await keys.seal(personId, 'contact', input.name),
        key: { keyId, keyHash: hashApiKey(key) },
      },
      reveal: { key },
    };
  },
  decide: acceptInvitation,
  result: (events) => {
    const { memberId, keyId } = the(events, InvitationAccepted).data;
    return { memberId, keyId, key: null };
  },
});

const withdrawInvitationHandler = handler(WithdrawInvitation, members, {
  stream,
  decide: withdrawInvitation,
  result: (_events, { invitationId }) => ({ invitationId }),
});

const startActingHandler = handler(StartActing, acting, {
  stream: (_input, { commandKey }) => actingStream(idFromUuid('acting', commandKey)),
  owner,
  prepare: async (input, _ports, { commandKey, load, principal }) => ({
    input: {
      ...input,
      actingId: idFromUuid('acting', commandKey),
      memberId: principal.memberId,
      tenant: await knownTenant(load, input.homeId, input.tenantId),
    },
  }),
  decide: startActing,
  result: (events, _input, _stream, commandKey) => ({
    actingId: idFromUuid('acting', commandKey),
    endsAt: first(events, ActingStarted)?.data.endsAt ?? null,
  }),
});

const endActingHandler = handler(EndActing, acting, {
  stream: ({ actingId }) => actingStream(actingId),
  decide: (state, _input, context) => endActing(state, context),
  result: (_events, { actingId }) => ({ actingId }),
});

export const peopleCommands: readonly CommandHandler[] = [
  addMemberHandler,
  changeMemberRole,
  removeMemberHandler,
  inviteMemberHandler,
  acceptInvitationHandler,
  withdrawInvitationHandler,
  startActingHandler,
  endActingHandler,
];
