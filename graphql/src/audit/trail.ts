/**
 * The trail: every event by object, actor, tree, type, time and position. Staff and auditors leave a
 * trace before they are answered.
 */
import { randomUUID } from 'node:crypto';

import { RecordAccess, type TrailEvent, TrailOf } from '@bivouac/audit/api';
import type { Principal } from '@bivouac/events/language';

import { requestError } from '../errors/request-error.ts';
import { atLeast } from '../language/at-least.ts';
import { builder } from '../language/builder.ts';
import { given } from '../language/given.ts';
import { optionalIdArgument } from '../language/node.ts';
import { connection, pageRequest } from '../language/paging.ts';
import type { Services } from '../request/services.ts';

const AuditEventRef = builder.objectRef<TrailEvent>('AuditEvent').implement({
  description: 'Something that happened, with where it stands in the log.',
  fields: (t) => ({
    id: t.exposeID('eventId', { description: 'The event’s id, a UUID.' }),
    position: t.expose('position', {
      type: 'Position',
      description: 'Where it stands in the log.',
    }),
    stream: t.exposeString('stream', {
      description: 'The stream it is in, `<category>-<id>`.',
    }),
    revision: t.expose('revision', {
      type: 'Revision',
      description: 'Its number within the stream.',
    }),
    type: t.exposeString('type', {
      description: 'What happened, e.g. `containers.ContainerRunning`. Stable.',
    }),
    time: t.expose('time', { type: 'DateTime', description: 'Recorded time.' }),
    actor: t.exposeString('actorId', {
      description: 'Who caused it: a lasting pseudonym of a key, a policy, a timer or a node.',
    }),
    accountId: t.exposeID('tenantId', {
      description: 'Whose thing it is about; of the platform’s own, the provider.',
    }),
    home: t.exposeString('homeId', {
      description: 'The tree it belongs to, or the platform’s own stream.',
    }),
    data: t.expose('data', {
      type: 'JSON',
      description: 'What the event says, as far as you may know it.',
    }),
  }),
});

const AuditEventConnection = builder.connectionObject(
  {
    type: AuditEventRef,
    name: 'AuditEventConnection',
    description: 'A page of events in log order, oldest first.',
  },
  { name: 'AuditEventEdge', description: 'An event and where it stands.' },
);

const AuditFilter = builder.inputType('AuditFilter', {
  description: 'What to look for. All that is given must hold; nothing given means everything.',
  fields: (t) => ({
    object: t.string({
      required: false,
      description:
        'An id, e.g. `ctr_…`: all streams about it. Or a stream, e.g. `container-ctr_…`: it alone.',
    }),
    actor: t.string({
      required: false,
      description: 'Who caused it, as `actor` of an event has it.',
    }),
    rootAccountId: t.id({
      required: false,
      description: 'A whole tree, by the account at its root.',
    }),
    types: t.stringList({
      required: false,
      description: 'Any of these types, e.g. `billing.InvoiceIssued`; at most 50.',
    }),
    from: t.field({ type: 'DateTime', required: false, description: 'Recorded then or later.' }),
    to: t.field({ type: 'DateTime', required: false, description: 'Recorded before then.' }),
    afterPosition: t.field({
      type: 'Position',
      required: false,
      description: 'Only what stands behind it in the log.',
    }),
    upToPosition: t.field({
      type: 'Position',
      required: false,
      description: 'Only what stands there or before.',
    }),
  }),
});

builder.queryField('auditEvents', (t) =>
  t.connection(
    {
      type: AuditEventRef,
      description:
        'Everything that happened, as far as you reach. Of staff and auditors the question itself ' +
        'is recorded as `audit.AccessRecorded`, before it is answered.',
      args: {
        filter: t.arg({ type: AuditFilter, required: false, description: 'What to look for.' }),
        reason: t.arg.string({
          required: false,
          description: 'Why, e.g. a ticket; recorded with the question.',
        }),
        atLeast: atLeast(t.arg),
      },
      resolve: async (_root, args, { services }) => {
        services.raiseTo(args.atLeast);
        const { object, actor, rootAccountId, types, from, to, afterPosition, upToPosition } =
          args.filter ?? {};
        const home = optionalIdArgument('filter.rootAccountId', 'tenant', rootAccountId);
        const filter = given({ object, actor, home, types, from, to, afterPosition, upToPosition });
        const look = { filter, page: pageRequest(args) };
        const access = leavesTrace(services.principal)
          ? await recordedAccess(services, look, args.reason)
          : undefined;
        const page = await services.query(TrailOf, { ...look, ...given({ access }) });
        return connection(page, ({ tenantId }) => services.sees(TrailOf, tenantId));
      },
    },
    AuditEventConnection,
  ),
);

/** Whose looking is recorded; audit asks for the access of no one else. */
function leavesTrace({ audience }: Principal): boolean {
  return audience === 'staff' || audience === 'auditor';
}

/** Records the question; each is another, also the same asked twice. */
async function recordedAccess(
  services: Services,
  look: Pick<(typeof TrailOf)['input']['_zod']['input'], 'filter' | 'page'>,
  reason: string | null | undefined,
): Promise<string> {
  const reply = await services.command(
    RecordAccess,
    { ...look, ...given({ reason }) },
    randomUUID(),
  );
  if (reply.ok) return reply.result.access;
  const { code, message, path } = reply.refusal;
  if (code === 'INVALID_INPUT') {
    throw requestError('INVALID_ARGUMENT', message, { argument: (path ?? []).join('.') });
  }
  if (code === 'NOT_ALLOWED' || code === 'NOT_FOUND' || code === 'FORBIDDEN') {
    throw requestError('FORBIDDEN', message);
  }
  throw requestError(
    'UNAVAILABLE',
    'Your question could not be recorded just now, so it is not answered. Send it again.',
  );
}
