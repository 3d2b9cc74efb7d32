// Queries: who may ask, what is asked, as of what, and what comes back.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Principal, RightSchema } from '@bivouac/events/language';

import { memoryEventStore } from '../../event-store/memory.ts';
import { memoryViews } from '../../views/memory.ts';
import { ManualClock } from '../clock.ts';
import type { EdgePorts } from '../definitions.ts';
import { type Follower, startFollower } from './follower.ts';
import { queryHost, type QueryHost } from './queries.ts';
import {
  Broken,
  everyone,
  HistoryOf,
  Internal,
  memberOf,
  notebook,
  NotesByTopic,
  Refusing,
  registry,
  StaffOnly,
  Writer,
} from './sample-services.ts';

const store = memoryEventStore();
const writer = new Writer(store);
const clock = new ManualClock('2026-04-10T09:00:00.000Z');
const ports = {} as EdgePorts;

let follower: Follower;
let host: QueryHost;
const host_ = (checkResults: boolean): QueryHost =>
  queryHost({
    services: [notebook],
    follower,
    store,
    registry,
    ports,
    clock,
    waitMilliseconds: 1000,
    checkResults,
  });

beforeEach(async () => {
  for (let i = 0; i < 5; i++) await writer.note(i < 4 ? 'tenant-a' : 'tenant-b');
  follower = startFollower({
    store,
    registry,
    services: [notebook],
    views: () => memoryViews(),
    clock,
    onFailure: (error) => {
      throw error;
    },
  });
  await follower.caughtUp;
  host = host_(true);
});
afterEach(() => follower.stop());

const ask = async (input: unknown, principal: Principal = everyone, atLeast?: string) =>
  host.query(NotesByTopic, input as { topic: string }, { principal, atLeast });

describe('the query host', () => {
  it('answers from the view with its position, the defaults filled in', async () => {
    const reply = await ask({ topic: 'odd' });
    expect(reply).toMatchObject({ ok: true, position: follower.position('notebook') });
    expect(reply.ok && reply.result.items.length).toBeGreaterThan(1);
  });

  it('names the field of a bad input and what to do, and every problem', async () => {
    const reply = await ask({ topic: 7, limit: 99, extra: true });
    expect(reply).toMatchObject({
      ok: false,
      refusal: { code: 'INVALID_INPUT', path: ['topic'] },
    });
    const refusal = reply.ok ? undefined : reply.refusal;
    expect(refusal?.message).toMatch(/topic.*Correct it/);
    expect(refusal?.details?.['problems']).toHaveLength(3);
  });

  it('names a bad cursor, and one of another list', async () => {
    for (const after of ['nonsense', 'ffff00']) {
      const reply = await ask({ topic: 'odd', after });
      expect(reply).toMatchObject({
        ok: false,
        refusal: { code: 'INVALID_INPUT', path: ['after'] },
      });
      expect(JSON.stringify(reply)).toContain(after);
    }
  });

  it('a principal sees what it reaches', async () => {
    const reply = await ask({ topic: 'even' }, memberOf('tenant-b'));
    const all = await ask({ topic: 'even' });
    const count = (r: typeof reply): number => (r.ok ? r.result.items.length : -1);
    expect(count(reply)).toBeGreaterThan(0);
    expect(count(reply)).toBeLessThan(count(all));
    expect(count(await ask({ topic: 'even' }, memberOf('nobody')))).toBe(0);
  });

  it('staff queries are for staff and auditors, internal ones never for people or keys', async () => {
    const as = (fields: Partial<Principal>): Principal => ({ ...memberOf('t'), ...fields });
    const codeOf = async (contract: typeof StaffOnly, principal: Principal): Promise<string> => {
      const reply = await host.query(contract, {}, { principal });
      return reply.ok ? 'ok' : reply.refusal.code;
    };
    expect(await codeOf(StaffOnly, as({}))).toBe('NOT_ALLOWED');
    expect(await codeOf(StaffOnly, as({ audience: 'reseller' }))).toBe('NOT_ALLOWED');
    expect(await codeOf(StaffOnly, as({ audience: 'staff' }))).toBe('ok');
    expect(await codeOf(StaffOnly, as({ audience: 'auditor', kind: 'key' }))).toBe('ok');
    expect(await codeOf(Internal, as({ audience: 'auditor' }))).toBe('NOT_ALLOWED');
    expect(await codeOf(Internal, as({ kind: 'key', reach: 'all' }))).toBe('NOT_ALLOWED');
    expect(await codeOf(Internal, as({ kind: 'node' }))).toBe('ok');
  });

  it('a person without the right is refused, whatever it reaches; the host needs none', async () => {
    const codeOf = async (principal: Principal): Promise<string> => {
      const reply = await host.query(StaffOnly, {}, { principal });
      return reply.ok ? 'ok' : `${reply.refusal.code} ${String(reply.refusal.details?.['right'])}`;
    };
    const staff: Principal = { ...memberOf('t'), audience: 'staff', reach: 'all' };
    expect(await codeOf({ ...staff, rights: new Set(['account.read']) })).toBe('ok');
    const without = new Set(RightSchema.options.filter((right) => right !== 'account.read'));
    expect(await codeOf({ ...staff, rights: without })).toBe('NOT_ALLOWED account.read');
    expect(await codeOf({ ...staff, kind: 'policy', rights: new Set() })).toBe('ok');
  });

  it('who may not ask learns nothing of the input', async () => {
    const reply = await host.query(StaffOnly, { secret: 1 } as unknown as Record<string, never>, {
      principal: memberOf('t'),
    });
    expect(reply).toMatchObject({ ok: false, refusal: { code: 'NOT_ALLOWED' } });
  });

  it('waits for the position asked for, and answers NOT_YET when it does not come', async () => {
    const { position } = await writer.note('tenant-a');
    const seen = await ask({ topic: 'odd' }, everyone, position);
    expect(seen.ok && (seen.position ?? '') >= position).toBe(true);
    const reply = ask({ topic: 'odd' }, everyone, position.replace(/^./, '9'));
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1000);
    expect(await reply).toMatchObject({
      ok: false,
      refusal: { code: 'NOT_YET', retryable: true },
    });
    expect(await ask({ topic: 'odd' }, everyone, 'soon')).toMatchObject({
      ok: false,
      refusal: { code: 'INVALID_INPUT', path: ['atLeast'] },
    });
  });

  it('a handler’s refusal comes through; a result that breaks its contract is a defect', async () => {
    expect(await host.query(Refusing, {}, { principal: everyone })).toMatchObject({
      ok: false,
      refusal: { code: 'NOTE_MISSING' },
    });
    await expect(host.query(Broken, {}, { principal: everyone })).rejects.toThrow(
      'does not fit its contract',
    );
    expect(await host_(false).query(Broken, {}, { principal: everyone })).toMatchObject({
      ok: true,
    });
  });

  it('a history is paged by revision, both ways, between cursors', async () => {
    const stream = 'log-tenant-paged';
    for (let i = 0; i < 5; i++) await writer.note('tenant-paged');
    await writer.write('tenant-paged', { type: 'others.Unknown' });
    await writer.note('tenant-paged');
    const page = async (range: object) => {
      const reply = await host.query(HistoryOf, { stream, ...range }, { principal: everyone });
      if (!reply.ok) return reply.refusal.path;
      expect(reply.result.now).toBe('2026-04-10T09:00:01.000Z');
      return [reply.result.revisions.join(), reply.result.end];
    };
    expect(await page({})).toEqual(['0,1', false]);
    expect(await page({ after: '1' })).toEqual(['2,3', false]);
    expect(await page({ after: '3' })).toEqual(['4,6', true]);
    expect(await page({ after: '6' })).toEqual(['', true]);
    expect(await page({ reverse: true })).toEqual(['6,4', false]);
    expect(await page({ reverse: true, before: '4', limit: 9 })).toEqual(['3,2,1,0', true]);
    expect(await page({ reverse: true, before: '4', after: '1' })).toEqual(['3,2', true]);
    expect(await page({ after: '0', before: '2', limit: 9 })).toEqual(['1', true]);
    expect(await page({ before: '0' })).toEqual(['', true]);
    expect(await page({ reverse: true, before: '0' })).toEqual(['', true]);
    expect(await page({ stream: 'log-missing' })).toEqual(['', true]);
    expect(await page({ after: 'x' })).toEqual(['after']);
  });

  it('the same handler answers on a view handed in', async () => {
    const empty = { view: memoryViews().view, position: null };
    expect(
      await host.queryOn(empty, NotesByTopic, { topic: 'odd' }, { principal: everyone }),
    ).toEqual({ ok: true, result: { items: [] }, position: null });
  });

  it('a query nobody answers, or two answer, is a matter of configuration', async () => {
    expect(() => host.query({ ...Broken, name: 'x.Y' }, {}, { principal: everyone })).toThrow(
      'no service in this process answers x.Y',
    );
    const options = { follower, store, registry, ports, clock, waitMilliseconds: 1 };
    expect(() => queryHost({ ...options, services: [notebook, notebook] })).toThrow(
      'answered twice',
    );
  });
});
