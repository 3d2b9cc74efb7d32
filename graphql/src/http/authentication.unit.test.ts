/** Who gets in, and for how long an answer counts. */
import {
  AcceptInvitation,
  Authenticate,
  AuthenticateInvitation,
  NoteApiKeyUse,
} from '@bivouac/accounts/api';
import { RenameContainer } from '@bivouac/containers/api';
import { hashSecret, PROVIDER_ID, rightsOf, writeInvitation } from '@bivouac/events/accounts';
import { formatPosition } from '@bivouac/events/language';
import { deriveId } from '@bivouac/events/values';
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

  test('that is older than the position the caller names is asked for anew', async () => {
    const { ask, services } = setUp();
    await ask('{ viewer { role } }');
    for (const [position, asked] of [
      [formatPosition(100n), 1],
      [formatPosition(101n), 2],
    ] as const) {
      await ask('{ viewer { role } }', { headers: { 'x-bivouac-at-least': position } });
      expect(services.of(Authenticate)).toHaveLength(asked);
    }
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

describe('an invitation', () => {
  const invitationId = deriveId('invitation', 'test');
  const token = writeInvitation(invitationId, Buffer.alloc(32, 7));
  const accept = `mutation { acceptInvitation(idempotencyKey: "k", input: { name: "Berta" }) {
    __typename ... on InvitationAccepted { memberId keyId key } ... on UserError { code } } }`;

  const invited = () => {
    const setup = setUp();
    const { services, alpha } = setup;
    services.onQuery(AuthenticateInvitation, ({ tokenHash }) =>
      tokenHash === hashSecret(token)
        ? {
            keyId: invitationId,
            memberId: deriveId('member', invitationId),
            personId: deriveId('person', invitationId),
            tenantId: alpha.id,
            homeId: alpha.homeId,
            kind: 'customer' as const,
            role: 'billing' as const,
            audience: 'customer' as const,
            reach: [alpha.id],
            rights: ['invitation.accept' as const],
            expiresAt: null,
            acting: null,
          }
        : refused('KEY_UNKNOWN', 'This API key is not known.'),
    );
    services.onCommand(AcceptInvitation, () => ({
      memberId: deriveId('member', invitationId),
      keyId: deriveId('apiKey', invitationId),
      key: 'bvk_…',
    }));
    const send = (query: string, text = token) =>
      setup.ask(query, { as: null, headers: { authorization: `Bearer ${text}` } });
    return { ...setup, send };
  };

  test('is accepted by its token, as itself', async () => {
    const { send, services, alpha } = invited();
    const reply = await send(accept);
    expect(reply.data).toMatchObject({ acceptInvitation: { __typename: 'InvitationAccepted' } });
    expect(services.of(AcceptInvitation)[0]).toMatchObject({
      input: { invitationId, tenantId: alpha.id, name: 'Berta' },
      principal: { id: invitationId },
    });
    // Who is no member yet retries as the invitation.
    expect(services.of(AcceptInvitation)[0]?.principal.memberId).toBeUndefined();
  });

  test('lets its bearer read and change nothing', async () => {
    const { send } = invited();
    expect(codesOf(await send('{ accounts { edges { node { id } } } }'))).toEqual(['FORBIDDEN']);
    expect(codesOf(await send('{ containers { edges { node { id } } } }'))).toEqual(['FORBIDDEN']);
  });

  test('that is not known is refused like a key', async () => {
    const { send } = invited();
    const other = writeInvitation(invitationId, Buffer.alloc(32, 8));
    expect((await send(accept, other)).status).toBe(401);
  });

  test('is not accepted by a key', async () => {
    const { ask, services } = invited();
    const reply = await ask(accept);
    expect(reply.data).toMatchObject({ acceptInvitation: { code: 'NOT_FOUND' } });
    expect(services.of(AcceptInvitation)).toEqual([]);
  });
});

describe('acting for an account', () => {
  const actingId = deriveId('acting', 'test');
  const headers = { 'acting-id': actingId };

  const acting = () => {
    const setup = setUp();
    const { services, alpha, provider } = setup;
    services.onQuery(Authenticate, ({ keyId, actingId: session }) => {
      const forAlpha = session === actingId;
      if (session !== undefined && !forAlpha) return refused('ACTING_UNKNOWN', 'No such session.');
      return {
        keyId,
        memberId: deriveId('member', 'Provider'),
        personId: deriveId('person', 'Provider'),
        tenantId: forAlpha ? alpha.id : provider.id,
        homeId: forAlpha ? alpha.homeId : provider.id,
        kind: forAlpha ? ('customer' as const) : ('provider' as const),
        role: 'staff' as const,
        audience: forAlpha ? ('customer' as const) : ('staff' as const),
        reach: forAlpha ? [alpha.id] : ('all' as const),
        rights: [...rightsOf(forAlpha ? 'member' : 'staff', forAlpha ? 'customer' : 'provider')],
        expiresAt: null,
        acting: session ?? null,
      };
    });
    services.onCommand(RenameContainer, ({ containerId }) => ({ containerId }));
    const read = (more: Readonly<Record<string, string>> = {}) =>
      setup.ask('{ viewer { acting account { name } } accounts { edges { node { name } } } }', {
        as: 'Provider',
        headers: more,
      });
    return { ...setup, read };
  };

  test('is what a request that names the session does, and no other', async () => {
    const { read } = acting();
    const edges = [{ node: { name: 'Alpha' } }];
    const as = { viewer: { acting: actingId, account: { name: 'Alpha' } }, accounts: { edges } };
    expect((await read(headers)).data).toEqual(as);
    expect((await read()).data).toMatchObject({ viewer: { acting: null } });
    expect((await read(headers)).data).toEqual(as);
  });

  test('is told by the correlation of what is done, and by nothing else of a request', async () => {
    const { ask, services, containers } = acting();
    const rename = `mutation { renameContainer(idempotencyKey: "k", input: { containerId: "${containers[0]?.id}", hostname: "b.example.com" }) { __typename } }`;
    await ask(rename, { as: 'Provider', headers: { ...headers, 'x-request-id': 'r-7' } });
    // A request id cannot look like a session: it has no slash.
    await ask(rename, { as: 'Provider', headers: { 'x-request-id': `${actingId}/r-8` } });
    const [within, without] = services.of(RenameContainer);
    expect(within?.correlationId).toBe(`${actingId}/r-7`);
    expect(within?.principal).toMatchObject({ id: deriveId('apiKey', 'Provider'), kind: 'key' });
    expect(without?.correlationId).not.toContain('/');
  });

  test('is at the provider’s cost', async () => {
    const { read, cache } = acting();
    await read(headers);
    expect(cache.taken.map(({ bucket }) => bucket)).toEqual([`graphql-cost:${PROVIDER_ID}`]);
  });

  test('in no session of one’s own is refused, and a header that is none too', async () => {
    const { read, services } = acting();
    const other = await read({ 'acting-id': deriveId('acting', 'other') });
    expect(other.status).toBe(401);
    expect(other.errors[0]?.extensions).toMatchObject({ reason: 'ACTING_UNKNOWN' });
    const asked = services.calls.length;
    const malformed = await read({ 'acting-id': 'ten_x' });
    expect([malformed.status, ...codesOf(malformed)]).toEqual([400, 'BAD_REQUEST']);
    expect(services.calls).toHaveLength(asked);
  });
});

describe('the use of a key', () => {
  test('is told once a day, however often it is used', async () => {
    const { ask, services, clock } = setUp();
    for (let n = 0; n < 3; n++) await ask('{ viewer { role } }');
    clock.advance(3000);
    await ask('{ viewer { role } }');
    expect(services.of(NoteApiKeyUse).map(({ input }) => input)).toEqual([
      { keyId: deriveId('apiKey', 'Alpha') },
    ]);
    clock.advance(24 * 60 * 60 * 1000);
    await ask('{ viewer { role } }');
    expect(services.of(NoteApiKeyUse)).toHaveLength(2);
  });

  test('that cannot be told is told with the next, and no request waits for it', async () => {
    const { ask, services, log } = setUp();
    services.onCommand(NoteApiKeyUse, () => refused('UNAVAILABLE', 'Later.', { retryable: true }));
    expect((await ask('{ viewer { role } }')).status).toBe(200);
    expect((await ask('{ viewer { role } }')).status).toBe(200);
    expect(services.of(NoteApiKeyUse)).toHaveLength(2);
    expect(log.filter(({ level }) => level === 'warn').length).toBeGreaterThan(0);
  });
});
