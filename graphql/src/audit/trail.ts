/**
 * The trail: every event by object, actor, account, type, time and position. Whoever asks leaves a
 * trace before being answered.
 */
import { randomUUID } from 'node:crypto';

import { TreeOf } from '@bivouac/accounts/api';
import { RecordTrailRead, Trail, type TrailEvent } from '@bivouac/audit/api';
import { PROVIDER_ID } from '@bivouac/events/accounts';
import type { Refusal } from '@bivouac/events/language';
import type { GraphQLError } from 'graphql';

import { argumentPath, sentenceOf } from '../errors/input-names.ts';
import { requestError } from '../errors/request-error.ts';
import { atLeast } from '../language/at-least.ts';
import { builder } from '../language/builder.ts';
import { given, isGiven } from '../language/given.ts';
import { idArgument } from '../language/node.ts';
import { connection, type Connection, pageRequest } from '../language/paging.ts';
import type { Services } from '../request/services.ts';

type Question = (typeof RecordTrailRead)['input']['_zod']['input'];
type Account = NonNullable<Question['filter']['account']>;

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
      description: 'Its number within the stream, from 0.',
    }),
    type: t.exposeString('type', {
      description: 'What happened, e.g. `containers.ContainerRunning`. Stable.',
    }),
    time: t.expose('time', { type: 'DateTime', description: 'Recorded time.' }),
    actor: t.exposeString('actorId', {
      description: 'Who caused it: a lasting pseudonym of a key, a policy, a timer or a node.',
    }),
    accountId: t.exposeID('tenantId', {
      description: 'Whose stream it is in; of the platform’s own, the provider.',
    }),
    home: t.exposeString('homeId', {
      description: 'The tree it belongs to, or the platform’s own stream.',
    }),
    correlationId: t.exposeString('correlationId', {
      description: 'What all events that one request led to have in common.',
    }),
    causationId: t.exposeString('causationId', {
      description: 'The event or request that caused it.',
    }),
    data: t.expose('data', {
      type: 'JSON',
      nullable: true,
      description:
        'What the event says, as far as you may know it. Null where this release cannot read it.',
    }),
  }),
});

const AuditEventConnection = builder.connectionObject(
  {
    type: AuditEventRef,
    name: 'AuditEventConnection',
    description:
      'A page of events in log order. It may be shorter than asked for, even empty, while ' +
      '`pageInfo` says that there is more: go on from its cursor.',
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
    accountId: t.id({
      required: false,
      description: 'An account and all below it. Of the provider, what is its own.',
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
        'Everything that happened, as far as you reach, oldest first. The question itself is ' +
        'recorded as `audit.TrailRead` before it is answered, with what was there until then.',
      // It can have ten thousand events looked at, and writes one.
      extensions: { cost: 200 },
      args: {
        filter: t.arg({ type: AuditFilter, required: false, description: 'What to look for.' }),
        atLeast: atLeast(t.arg),
      },
      resolve: async (_root, args, { services }) => {
        services.raiseTo(args.atLeast);
        const { accountId, ...rest } = args.filter ?? {};
        const page = pageRequest(args);
        const account = isGiven(accountId)
          ? await accountOf(services, idArgument('filter.accountId', 'tenant', accountId))
          : undefined;
        const question = { filter: { ...given(rest), ...given({ account }) }, page };
        const read = await recorded(services, question);
        const answer = await services.query(Trail, { ...question, read });
        const shown = connection(answer, ({ tenantId }) => services.sees(Trail, tenantId));
        return answer.reached === undefined
          ? shown
          : reachingTo(shown, answer.reached, page.reverse);
      },
    },
    AuditEventConnection,
  ),
);

/** An account with all below it. What is unknown or out of reach is asked for as if it had nothing. */
async function accountOf(services: Services, id: string): Promise<Account> {
  if (id === PROVIDER_ID) return { id, tenants: [id] };
  const tree = services.reaches(id) ? await services.query(TreeOf, { tenantId: id }) : null;
  if (tree === null) return { id, homeId: id, tenants: [id] };
  const { homeId, tenants } = tree;
  if (id === homeId) return { id, homeId };
  const below = new Set([id]);
  // Parents come before their children.
  for (const tenant of tenants) {
    if (tenant.parentId !== null && below.has(tenant.parentId)) below.add(tenant.id);
  }
  return { id, homeId, tenants: [...below] };
}

/** Records the question; each is another, also the same asked twice. */
async function recorded(services: Services, question: Question): Promise<string> {
  const reply = await services.command(RecordTrailRead, question, randomUUID());
  if (reply.ok) return reply.result.read;
  throw notRecorded(reply.refusal);
}

function notRecorded(refusal: Refusal): GraphQLError {
  const { code, message, path = [] } = refusal;
  if (code === 'INVALID_INPUT') {
    const argument = argumentPath(path);
    return requestError('INVALID_ARGUMENT', sentenceOf(refusal, argument), { argument });
  }
  if (code === 'NOT_ALLOWED') return requestError('FORBIDDEN', message);
  return requestError(
    'UNAVAILABLE',
    'Your question could not be recorded just now, so it is not answered. Send it again.',
  );
}

/** Where looking ended before the page was full, its cursor is where to go on. */
function reachingTo<T>(page: Connection<T>, reached: string, reverse: boolean): Connection<T> {
  const { pageInfo } = page;
  return {
    ...page,
    pageInfo: reverse ? { ...pageInfo, startCursor: reached } : { ...pageInfo, endCursor: reached },
  };
}
