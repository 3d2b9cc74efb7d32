import { describe, expect, test } from '@jest/globals';
import { PROVIDER_ID } from '@bivouac/events/accounts';
import { ChildStarted, OperationStarted, OperationSucceeded } from '@bivouac/events/provisioning';
import { deriveId } from '@bivouac/events/values';

import { OperationById, Operations, ResolveOperation, StartOperation } from './api/index.ts';
import { customerOf, type Owners, world } from './given.ts';

const month = '2026-04';
const accounts = Array.from({ length: 120 }, (_, i) => deriveId('tenant', `account ${i}`));
const [first = '', second = ''] = accounts;

/** Billing: pages of fifty accounts; every invoice is empty, unless told otherwise. */
function billing(invoice: (accountId: string, attempt: number) => ReturnType<Owners>): Owners {
  return (ask, input, ref) => {
    if (ask === 'billing.invoice') return invoice(String(input['accountId']), ref.attempt);
    if (ask !== 'billing.accounts-to-close') throw new Error(`${ask} is not asked`);
    const from = accounts.indexOf(String(input['after'])) + 1;
    const page = accounts.slice(from, from + 50);
    const next = from + 50 < accounts.length ? { next: page.at(-1) } : {};
    const found = page.map((accountId) => ({ accountId, homeId: accountId }));
    return { outcome: 'done', result: { accounts: found, ...next } };
  };
}
const empty = { outcome: 'done', result: { invoice: null } } as const;
const wrong = { code: 'CURRENCIES_DIFFER', message: 'Two currencies.' };

async function started(it: ReturnType<typeof world>): Promise<string> {
  const order = { kind: 'run-month', issuerId: PROVIDER_ID, month } as const;
  const whose = { tenantId: PROVIDER_ID, homeId: PROVIDER_ID };
  const reply = await it.command(StartOperation, { order, ...whose });
  if (!reply.ok) throw new Error(reply.refusal.message);
  return reply.result.operationId;
}

describe('a run over every account of an issuer', () => {
  test('closes each month by an operation of its own, in the account’s own home', async () => {
    const it = world(billing(() => empty));
    const operationId = await started(it);
    await it.settle();
    const children = await it.recorded(ChildStarted.type);
    expect(children).toHaveLength(accounts.length);
    const begun = (await it.recorded(OperationStarted.type)).slice(1);
    expect(begun.map(({ homeid }) => homeid)).toEqual(accounts);
    expect(await it.query(OperationById, { operationId })).toMatchObject({
      status: 'succeeded',
      progress: 100,
      children: { total: 120, started: 120, succeeded: 120, failed: 0, waiting: 0, failures: [] },
    });
  });

  test('has at most fifty under way at once, and its progress counts them', async () => {
    const it = world(billing(() => undefined));
    const operationId = await started(it);
    await it.settle();
    const row = await it.query(OperationById, { operationId });
    expect(row).toMatchObject({ status: 'running', children: { total: 120, started: 50 } });
    // Three pages of accounts, and nobody's month yet.
    expect(row?.progress).toBe(3);
  });

  test('starts and counts each child once, wherever it is killed and whatever is delivered again', async () => {
    const it = world(
      billing((accountId) =>
        accountId === second ? { outcome: 'refused', refusal: wrong } : empty,
      ),
    );
    const operationId = await started(it);
    for (let i = 1; i < 40; i += 1) await it.crashAfter(1 + ((i * 7) % 23), (i * 5) % 17);
    await it.settle();
    expect((await it.recorded(OperationStarted.type)).length).toBe(1 + accounts.length);
    expect(await it.recorded(OperationSucceeded.type)).toHaveLength(accounts.length);
    expect(await it.query(OperationById, { operationId })).toMatchObject({
      status: 'succeeded',
      children: {
        succeeded: 119,
        failed: 1,
        failures: [{ subject: second, code: 'CURRENCIES_DIFFER' }],
      },
    });
  });

  test('goes on past a child that waits for staff, and ends when they have seen to it', async () => {
    const it = world(
      billing((accountId) => (accountId === first ? { outcome: 'failed', refusal: wrong } : empty)),
    );
    const operationId = await started(it);
    await it.settle();
    expect(await it.query(OperationById, { operationId })).toMatchObject({
      status: 'running',
      children: { started: 120, succeeded: 119, waiting: 1 },
    });
    const waiting = {
      parentId: operationId,
      status: 'needs-attention' as const,
      page: { limit: 10 },
    };
    const [child] = (await it.query(Operations, waiting)).items;
    expect(child?.node.target.id).toBe(first);
    const reason = 'invoiced by hand';
    await it.command(ResolveOperation, { operationId: child?.node.id ?? '', reason });
    await it.settle();
    expect(await it.query(OperationById, { operationId })).toMatchObject({
      status: 'succeeded',
      children: { succeeded: 120, failed: 0, waiting: 0 },
    });
    const seen = await it.query(OperationById, { operationId: child?.node.id ?? '' });
    expect(seen).toMatchObject({
      status: 'resolved',
      interventions: [{ act: 'resolved', reason }],
    });
    // Its owner sees that staff acted, not why.
    const owned = await it.query(OperationById, { operationId: seen?.id ?? '' }, customerOf(first));
    expect(owned?.interventions).toMatchObject([{ act: 'resolved', reason: null, actorId: null }]);
  });

  test('answers its children page by page, in the order they were started', async () => {
    const it = world(billing(() => empty));
    const parentId = await started(it);
    await it.settle();
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = { limit: 50, ...(after === undefined ? {} : { after }) };
      const answer = await it.query(Operations, { parentId, page });
      seen.push(...answer.items.map(({ node }) => node.target.id));
      after = answer.hasNext ? answer.items.at(-1)?.cursor : undefined;
    } while (after !== undefined);
    expect(seen).toEqual(accounts);
    const mine = await it.query(Operations, { parentId, page: { limit: 50 } }, customerOf(second));
    expect(mine.items.map(({ node }) => node.tenantId)).toEqual([second]);
  });

  test('is for whoever reaches the issuer', async () => {
    const it = world(billing(() => empty));
    const order = { kind: 'run-month', issuerId: first, month } as const;
    const mine = { order, tenantId: first, homeId: first };
    expect(await it.command(StartOperation, mine, customerOf(first))).toMatchObject({ ok: true });
    // Handed in for a tenant of one's own, it still names whose months they are.
    const foreign = { order, tenantId: second, homeId: second };
    expect(await it.command(StartOperation, foreign, customerOf(second))).toMatchObject({
      refusal: { code: 'NOT_ALLOWED', path: ['input', 'issuerId'] },
    });
  });
});
