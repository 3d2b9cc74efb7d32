/** Who gets in, and for how long an answer counts. */
import { Authenticate } from '@bivouac/accounts/api';
import { formatPosition } from '@bivouac/events/language';
import { describe, expect, test } from '@jest/globals';
import { getIntrospectionQuery } from 'graphql';

import { codesOf, setUp } from '../../test/asking.ts';
import { refused } from '../../test/services-in-memory.ts';

describe('without a valid key', () => {
  test.each([
    ['no header', {}],
    ['another scheme', { authorization: 'Basic eDp5' }],
    ['no key', { authorization: 'Bearer' }],
    ['a typing error', { authorization: 'Bearer bvk_00000000000000000000000000_x' }],
  ])('%s is refused with 401 before anything is asked', async (_name, headers) => {
    const { ask, services } = setUp();
    const reply = await ask('{ viewer { role } }', { as: null, headers });
    expect([reply.status, ...codesOf(reply)]).toEqual([401, 'UNAUTHENTICATED']);
    expect(reply.headers.get('www-authenticate')).toContain('Bearer');
    expect(services.calls).toEqual([]);
  });

  test('an unknown key is refused, and the document is not looked at', async () => {
    const { ask } = setUp();
    const reply = await ask('{ noSuchField }', { as: 'Nobody' });
    expect([reply.status, ...codesOf(reply)]).toEqual([401, 'UNAUTHENTICATED']);
    expect(JSON.stringify(reply.errors)).not.toContain('noSuchField');
  });

  test('the schema is not shown', async () => {
    const { ask } = setUp();
    const reply = await ask(getIntrospectionQuery(), { as: null });
    expect(reply.status).toBe(401);
    expect(reply.data).toBeUndefined();
  });
});

test('with a valid key the schema is shown', async () => {
  const { ask } = setUp();
  const reply = await ask(getIntrospectionQuery());
  expect(reply.errors).toEqual([]);
  expect(reply.data).toHaveProperty('__schema');
});

describe('an answer about a key', () => {
  test('counts for two seconds and no longer', async () => {
    const { ask, services, clock } = setUp();
    await ask('{ viewer { role } }');
    clock.advance(1999);
    await ask('{ viewer { role } }');
    expect(services.of(Authenticate)).toHaveLength(1);
    clock.advance(1);
    await ask('{ viewer { role } }');
    expect(services.of(Authenticate)).toHaveLength(2);
  });

  test('never counts longer than two seconds, whatever is configured', async () => {
    const { ask, services, clock } = setUp({ rememberKeysMs: 60_000 });
    await ask('{ viewer { role } }');
    clock.advance(2000);
    await ask('{ viewer { role } }');
    expect(services.of(Authenticate)).toHaveLength(2);
  });

  test('is worth nothing once the key is revoked and the two seconds are over', async () => {
    const { ask, clock, revoked } = setUp();
    expect((await ask('{ viewer { role } }')).status).toBe(200);
    revoked.add('Alpha');
    clock.advance(2000);
    expect((await ask('{ viewer { role } }')).status).toBe(401);
  });

  test('ends with the key, also within the two seconds', async () => {
    const { ask, services, clock, alpha } = setUp();
    services.onQuery(Authenticate, () => ({
      keyId: 'key_01h455vb4pex5vsknk084sn02q',
      memberId: 'mem_01h455vb4pex5vsknk084sn02q',
      personId: 'per_01h455vb4pex5vsknk084sn02q',
      tenantId: alpha.id,
      homeId: alpha.id,
      kind: 'customer' as const,
      role: 'owner' as const,
      audience: 'customer' as const,
      reach: [alpha.id],
      rights: ['account.read' as const],
      expiresAt: '2026-04-20T12:00:01.000Z',
      acting: null,
    }));
    await ask('{ viewer { role } }');
    services.onQuery(Authenticate, () => refused('KEY_EXPIRED', 'This API key has expired.'));
    clock.advance(999);
    expect((await ask('{ viewer { role } }')).status).toBe(200);
    clock.advance(1);
    const late = await ask('{ viewer { role } }');
    expect(late.errors[0]?.extensions).toMatchObject({
      code: 'UNAUTHENTICATED',
      reason: 'KEY_EXPIRED',
    });
  });

  test('is asked for once by requests that come at the same time', async () => {
    const { ask, services } = setUp();
    await Promise.all(Array.from({ length: 10 }, () => ask('{ viewer { role } }')));
    expect(services.of(Authenticate)).toHaveLength(1);
  });

  test('holds for its own key only', async () => {
    const { ask } = setUp();
    const query = '{ viewer { account { name } } }';
    const [a, b] = await Promise.all([ask(query), ask(query, { as: 'Beta' })]);
    expect(a.data).toEqual({ viewer: { account: { name: 'Alpha' } } });
    expect(b.data).toEqual({ viewer: { account: { name: 'Beta' } } });
  });

  test('waits for the position the caller names, so that a new key is known', async () => {
    const { ask, services } = setUp();
    const position = formatPosition(7n);
    await ask('{ viewer { role } }', { headers: { 'x-bivouac-at-least': position } });
    expect(services.of(Authenticate)[0]?.atLeast).toBe(position);
  });

  test('that does not come is a refusal', async () => {
    const { ask, services, clock } = setUp();
    let asked: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => (asked = resolve));
    services.onQuery(Authenticate, () => {
      asked();
      return new Promise<never>(() => undefined);
    });
    const reply = ask('{ viewer { role } }');
    await waiting;
    await Promise.resolve();
    clock.wake();
    expect((await reply).status).toBe(401);
    expect((await reply).errors[0]?.extensions).toMatchObject({ reason: 'NO_ANSWER' });
  });

  test('that fails is a refusal, is logged and is not remembered', async () => {
    const { ask, services, log } = setUp();
    services.onQuery(Authenticate, () => {
      throw new Error('accounts is down');
    });
    expect((await ask('{ viewer { role } }')).status).toBe(401);
    await ask('{ viewer { role } }');
    expect(services.of(Authenticate)).toHaveLength(2);
    expect(log.filter((entry) => entry.level === 'error')).toHaveLength(2);
  });
});

test('no key stands in the log', async () => {
  const { ask, services, log, keyOf } = setUp();
  services.onQuery(Authenticate, () => {
    throw new Error('accounts is down');
  });
  await ask('{ viewer { role } }');
  expect(JSON.stringify(log)).not.toContain(keyOf('Alpha'));
});
