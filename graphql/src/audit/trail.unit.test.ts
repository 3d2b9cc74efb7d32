/** The trail through the gateway: recorded, then asked for, with the account's tree as accounts know it. */
import { TreeOf } from '@bivouac/accounts/api';
import { RecordTrailRead, Trail, type TrailEvent } from '@bivouac/audit/api';
import { PROVIDER_ID } from '@bivouac/events/accounts';
import { deriveId } from '@bivouac/events/values';
import { parse } from 'graphql';
import { expect, test } from '@jest/globals';

import { codesOf, setUp } from '../../test/asking.ts';
import { refused } from '../../test/services-in-memory.ts';
import { costOf } from '../limits/cost.ts';
import { schema } from '../schema.ts';

const document = `query Q($filter: AuditFilter, $first: Int, $last: Int) {
  auditEvents(filter: $filter, first: $first, last: $last) {
    edges { cursor node { id type data } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;

function eventOf(tenantId: string): TrailEvent {
  const position = '00000000000000000007';
  return {
    ...{ position, eventId: 'e', stream: 's-1', revision: '0', type: 'accounts.TenantRenamed' },
    ...{ time: '2026-04-10T09:00:00.000Z', actorId: 'key_a', tenantId, homeId: tenantId },
    ...{ correlationId: 'c', causationId: 'c', data: { name: 'n' } },
  };
}

function trailing() {
  const asking = setUp();
  const { services, alpha } = asking;
  const { id } = alpha;
  const node = eventOf(id);
  services.onCommand(RecordTrailRead, () => ({ read: 'trailread-1' }));
  services.onQuery(Trail, () => ({
    items: [{ cursor: node.position, node }],
    hasNext: false,
    hasPrevious: false,
  }));
  return { ...asking, id };
}

test('a question is recorded first, each with a key of its own, and asked against the record', async () => {
  const { ask, services } = trailing();
  const variables = { filter: { object: 'ctr_x', types: ['accounts.TenantRenamed'] }, first: 3 };
  const reply = await ask(document, { variables });
  await ask(document, { variables });
  expect(codesOf(reply)).toEqual([]);
  expect(reply.data).toMatchObject({ auditEvents: { edges: [{ node: { data: { name: 'n' } } }] } });
  const order = services.calls.map(({ name }) => name).filter((name) => name.startsWith('audit.'));
  expect(order).toEqual([1, 2].flatMap(() => [RecordTrailRead.name, Trail.name]));
  expect(services.of(RecordTrailRead)[0]?.input).toEqual({
    filter: variables.filter,
    page: { limit: 3, reverse: false },
  });
  expect(services.of(Trail)[0]?.input).toMatchObject({ read: 'trailread-1' });
  const keys = services.of(RecordTrailRead).map((call) => call.idempotencyKey);
  expect(new Set(keys).size).toBe(2);
});

test('what cannot be recorded is not asked', async () => {
  const { ask, services } = trailing();
  services.onCommand(RecordTrailRead, () => refused('UNAVAILABLE'));
  expect(codesOf(await ask(document))).toEqual(['UNAVAILABLE']);
  services.onCommand(RecordTrailRead, () => refused('OUTCOME_UNKNOWN'));
  expect(codesOf(await ask(document))).toEqual(['UNAVAILABLE']);
  services.onCommand(RecordTrailRead, () => refused('INVALID_INPUT', 'No.', { path: ['after'] }));
  expect(codesOf(await ask(document))).toEqual(['INVALID_ARGUMENT']);
  expect(services.of(Trail)).toEqual([]);
});

test('an account is asked for with all below it and nothing beside it', async () => {
  const { ask, services, id } = trailing();
  const [child, grandchild, sibling] = ['child', 'grandchild', 'sibling'].map((name) =>
    deriveId('tenant', name),
  );
  const home = deriveId('tenant', 'root');
  const tenant = (tenantId: string | undefined, parentId: string | undefined) => ({
    ...{ id: tenantId ?? '', parentId: parentId ?? null, name: 'n', closed: false },
    kind: 'sub-account' as const,
  });
  services.onQuery(TreeOf, () => ({
    homeId: home,
    tenants: [
      tenant(home, undefined),
      tenant(id, home),
      tenant(sibling, home),
      tenant(child, id),
      tenant(grandchild, child),
    ],
  }));
  await ask(document, { variables: { filter: { accountId: id } } });
  expect(services.of(Trail)[0]?.input).toMatchObject({
    filter: { account: { id, homeId: home, tenants: [id, child, grandchild] } },
  });
  services.onQuery(TreeOf, () => ({ homeId: id, tenants: [tenant(id, undefined)] }));
  await ask(document, { variables: { filter: { accountId: id } } });
  expect(services.of(Trail)[1]?.input).toMatchObject({ filter: { account: { id, homeId: id } } });
  await ask(document, { variables: { filter: { accountId: PROVIDER_ID } } });
  expect(services.of(Trail)[2]?.input).toMatchObject({
    filter: { account: { id: PROVIDER_ID, tenants: [PROVIDER_ID] } },
  });
});

test('where looking ended early, the page’s cursor is where to go on', async () => {
  const { ask, services } = trailing();
  const reached = '00000000000000000500';
  services.onQuery(Trail, ({ page }) => ({
    ...{ items: [], reached, hasNext: !page.reverse, hasPrevious: page.reverse },
  }));
  const forwards = await ask(document, { variables: { first: 5 } });
  expect(forwards.data).toMatchObject({
    auditEvents: { edges: [], pageInfo: { hasNextPage: true, endCursor: reached } },
  });
  const backwards = await ask(document, { variables: { last: 5 } });
  expect(backwards.data).toMatchObject({
    auditEvents: { edges: [], pageInfo: { hasPreviousPage: true, startCursor: reached } },
  });
});

test('a foreign event is dropped even where the service answers it', async () => {
  const { ask, services } = trailing();
  const node = eventOf(deriveId('tenant', 'foreign'));
  const page = { hasNext: false, hasPrevious: false };
  services.onQuery(Trail, () => ({ items: [{ cursor: node.position, node }], ...page }));
  expect((await ask(document)).data).toMatchObject({ auditEvents: { edges: [] } });
});

test('it costs what it can take, beside its page', () => {
  const query = '{ auditEvents(first: 10) { edges { node { id } } } }';
  expect(costOf(schema, parse(query), undefined, {})).toBe(200 + 10 * 2);
});
