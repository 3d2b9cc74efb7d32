// Following where news come by another way than the read models: earlier than they can tell.
import { formatPosition, type Position } from '@bivouac/events/language';
import { deriveId } from '@bivouac/events/values';
import { OperationChanges } from '@bivouac/provisioning/api';
import { expect, test } from '@jest/globals';
import { GraphQLError } from 'graphql';

import { refused, world } from '../../test/services-in-memory.ts';
import { Services } from '../request/services.ts';
import { ChangeNews } from './change-news.ts';
import { follow } from './changes.ts';

const at = (n: number): Position => formatPosition(BigInt(n));
const operationId = deriveId('operation', 'one');

/** One operation, whose read model stands where a test says. */
function rig(after: Position | undefined) {
  const state = { applied: at(10), happened: [] as number[] };
  const asked: (Position | undefined)[] = [];
  const { services: caller } = world();
  caller.onQuery(OperationChanges, (_input, { atLeast }) => {
    asked.push(atLeast);
    if ((atLeast ?? '') > state.applied) return refused('NOT_YET', 'not yet');
    const known = state.happened.filter((n) => at(n) <= state.applied);
    const changes = known.map((n, i) => ({
      ...{ revision: String(i), position: at(n), type: 'x.Y', time: '2026-04-20T12:00:00.000Z' },
    }));
    return { changes, end: true, over: false };
  });
  const ended = new AbortController();
  const news = new ChangeNews();
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const services = (): Services =>
    new Services({
      caller,
      principal: {
        ...{ id: 'key_1', kind: 'key', tenantId: 't', homeId: 't' },
        ...{ reach: 'all', rights: 'all', audience: 'staff' },
      },
      ...{ requestId: 'r', acting: null, logger: silent, atLeast: undefined },
    });
  const given = new Set<string>();
  const changes = follow(
    { changes: news, ended: ended.signal, resumeAt: undefined, services, pause: turns },
    {
      id: operationId,
      after,
      read: async (those) => {
        const found = await those.query(OperationChanges, {
          operationId,
          page: { limit: 100 },
        });
        if (found === null) return null;
        const fresh = found.changes.filter(({ position }) => !given.has(position));
        for (const { position } of fresh) given.add(position);
        return { ...found, changes: fresh };
      },
    },
  );
  return { state, asked, news, changes, end: () => ended.abort() };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
}

test('what news tell of is read at its position, and waited for where the read model is behind', async () => {
  const { state, asked, news, changes, end } = rig(undefined);
  const next = changes.next();
  await turns();
  state.happened.push(15);
  news.hear([{ stream: `operation-${operationId}`, position: at(15) }]);
  news.hear([{ stream: `operation-${deriveId('operation', 'two')}`, position: at(99) }]);
  await turns();
  state.applied = at(15);
  expect((await next).value).toMatchObject({ position: at(15) });
  expect(asked[0]).toBeUndefined();
  expect(new Set(asked.slice(1))).toEqual(new Set([at(15)]));
  end();
});

test('where something may have been missed, it is looked for', async () => {
  const { state, news, changes, end } = rig(undefined);
  const next = changes.next();
  await turns();
  state.happened.push(12);
  state.applied = at(12);
  news.missed(undefined);
  expect((await next).value).toMatchObject({ position: at(12) });
  end();
});

test('a position that nobody has come to is refused to who asks for it', async () => {
  const { news, changes } = rig(at(50));
  news.missed(at(20));
  await expect(changes.next()).rejects.toThrow(GraphQLError);
});
