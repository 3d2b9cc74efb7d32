/** Nobody comes through the gate who does not hold the node's key, on this very connection. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

import { describe, expect, test } from '@jest/globals';
import type { CommandReply, QueryReply, Refusal } from '@bivouac/events/language';
import { NODE_PROTOCOL, signedBy } from '@bivouac/events/node';
import { ManualClock } from '@bivouac/infra/runtime';
import fc from 'fast-check';

import { EnrolNode, IdentityOfNode } from './api/index.ts';
import { id } from './given.ts';
import { nodeGate, type NodeGateOptions, type ToldMessage } from './node-gate.ts';

const nodeId = id('node');

interface Pair {
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

function pair(): Pair {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { publicKey: publicKey.export({ format: 'jwk' }).x ?? '', privateKey };
}

/** What the services know, and what the endpoint has heard. */
class Bench {
  readonly clock = new ManualClock(0);
  known: { publicKey: string | null; revokedKeys: string[] } | null = null;
  enrolments: { publicKey: string; tokenDigest: string }[] = [];
  enrolRefusal: Refusal | undefined;
  readonly heard: unknown[] = [];
  readonly connected: string[] = [];
  readonly left: string[] = [];
  #revoked: ((nodeId: string, publicKey: string) => void) | undefined;
  #randoms = 0;

  readonly gate = nodeGate({
    clock: this.clock,
    // Each nonce another, and the same in each run.
    random: (bytes) => new Uint8Array(bytes).fill(++this.#randoms),
    log: () => undefined,
    onRevoked: (listener) => {
      this.#revoked = listener;
      return () => undefined;
    },
    endpoint: {
      connect: (node) => {
        this.connected.push(node);
        return {
          receive: (message) => this.heard.push(message),
          settled: () => Promise.resolve(),
          close: () => this.left.push(node),
        };
      },
    },
    command: ((_nodeId, contract, input) => {
      expect(contract.name).toBe(EnrolNode.name);
      const { publicKey, tokenDigest } = input as { publicKey: string; tokenDigest: string };
      if (this.enrolRefusal !== undefined)
        return Promise.resolve({ ok: false, refusal: this.enrolRefusal });
      this.enrolments.push({ publicKey, tokenDigest });
      this.known = { publicKey, revokedKeys: [] };
      const reply: CommandReply<unknown> = {
        ...{ ok: true, result: {}, stream: '', revision: 0n, position: undefined, repeated: false },
      };
      return Promise.resolve(reply);
    }) as NodeGateOptions['command'],
    query: ((_nodeId, contract) => {
      expect(contract.name).toBe(IdentityOfNode.name);
      const reply: QueryReply<unknown> = { ok: true, result: this.known, position: null };
      return Promise.resolve(reply);
    }) as NodeGateOptions['query'],
  });

  revoke(node: string, publicKey: string): void {
    this.#revoked?.(node, publicKey);
  }

  visit() {
    const told: ToldMessage[] = [];
    const connection = this.gate.accept((message) => {
      told.push(message);
    });
    const [first] = told;
    const nonce = first?.type === 'challenge' ? first.nonce : '';
    return {
      connection,
      nonce,
      closing: () => told.find((message) => message.type === 'closing'),
      admitted: () => told.some((message) => message.type === 'admitted'),
      identify: async (by: Pair, changed: Record<string, unknown> = {}) => {
        connection.receive(identifying(by, nonce, changed));
        await turns();
      },
    };
  }
}

function identifying(by: Pair, nonce: string, changed: Record<string, unknown> = {}) {
  const facts = { nodeId, nonce, protocol: NODE_PROTOCOL, publicKey: by.publicKey };
  const signature = sign(null, Buffer.from(signedBy(facts)), by.privateKey).toString('base64url');
  const { nonce: _nonce, ...shown } = facts;
  return { type: 'identify', ...shown, signature, ...changed };
}

async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

describe('the gate', () => {
  test('admits who holds the key that is known, and hands on what follows', async () => {
    const bench = new Bench();
    const own = pair();
    bench.known = { publicKey: own.publicKey, revokedKeys: [] };
    const visit = bench.visit();
    await visit.identify(own);
    expect([visit.admitted(), bench.connected]).toEqual([true, [nodeId]]);
    visit.connection.receive({ type: 'hello' });
    expect(bench.heard).toEqual([{ type: 'hello' }]);
    visit.connection.close();
    expect(bench.left).toEqual([nodeId]);
  });

  test('takes no signature that was made for another connection', async () => {
    const bench = new Bench();
    const own = pair();
    bench.known = { publicKey: own.publicKey, revokedKeys: [] };
    const first = bench.visit();
    const heard = identifying(own, first.nonce);
    const second = bench.visit();
    second.connection.receive(heard);
    await turns();
    expect(second.closing()).toMatchObject({ reason: 'wrong-key' });
    expect(bench.connected).toEqual([]);
  });

  test('takes no signature in which anything was changed afterwards', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('signature', 'publicKey', 'nodeId'),
        fc.nat(),
        async (field, where) => {
          const bench = new Bench();
          const own = pair();
          bench.known = { publicKey: own.publicKey, revokedKeys: [] };
          const visit = bench.visit();
          const message: Record<string, unknown> = identifying(own, visit.nonce);
          const text = String(message[field]);
          const prefix = field === 'nodeId' ? 5 : 0;
          // The last digit of base64url has bits that mean nothing.
          const at = prefix + (where % (text.length - prefix - 1));
          const other = text.charAt(at) === 'a' ? 'b' : 'a';
          message[field] = text.slice(0, at) + other + text.slice(at + 1);
          visit.connection.receive(message);
          await turns();
          expect(visit.admitted()).toBe(false);
          expect(visit.closing()?.reason).toMatch(/wrong-key|protocol/);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('says in a word and a sentence why somebody is not admitted', async () => {
    const own = pair();
    const other = pair();
    const cases = [
      [null, {}, 'unknown-node', /register/],
      [{ publicKey: null, revokedKeys: [] }, {}, 'not-enrolled', /open an enrolment/],
      [{ publicKey: other.publicKey, revokedKeys: [] }, {}, 'wrong-key', /another key/],
      [{ publicKey: null, revokedKeys: [own.publicKey] }, {}, 'revoked', /enrol/],
      [null, { protocol: 99 }, 'protocol', /matching agent/],
      [null, { nodeId: 7 }, 'protocol', /who you are/i],
    ] as const;
    for (const [known, changed, reason, says] of cases) {
      const bench = new Bench();
      bench.known = known === null ? null : { ...known, revokedKeys: [...known.revokedKeys] };
      const visit = bench.visit();
      await visit.identify(own, changed);
      expect(visit.closing()).toMatchObject({ reason, message: expect.stringMatching(says) });
      expect(bench.connected).toEqual([]);
    }
  });

  test('enrols a key by a token of that node alone, and only whose holder has signed', async () => {
    const bench = new Bench();
    const own = pair();
    const token = `${nodeId}.${'t'.repeat(43)}`;
    const foreign = bench.visit();
    await foreign.identify(own, { token: `${id('node', 'b')}.${'t'.repeat(43)}` });
    expect(foreign.closing()).toMatchObject({ reason: 'enrolment' });
    const unsigned = bench.visit();
    await unsigned.identify(own, { token, signature: 'A'.repeat(86) });
    expect(unsigned.closing()).toMatchObject({ reason: 'wrong-key' });
    expect(bench.enrolments).toEqual([]);
    const visit = bench.visit();
    await visit.identify(own, { token });
    expect(visit.admitted()).toBe(true);
    expect(bench.enrolments).toHaveLength(1);
    expect(JSON.stringify(bench.enrolments)).not.toContain('tttt');

    bench.enrolRefusal = { code: 'ENROLMENT_EXPIRED', message: 'it was good until then' };
    const late = bench.visit();
    await late.identify(pair(), { token });
    expect(late.closing()).toMatchObject({
      reason: 'enrolment',
      message: expect.stringContaining('ENROLMENT_EXPIRED'),
    });
  });

  test('shows out whose key is revoked, and nobody else', async () => {
    const bench = new Bench();
    const own = pair();
    bench.known = { publicKey: own.publicKey, revokedKeys: [] };
    const visit = bench.visit();
    await visit.identify(own);
    bench.revoke(nodeId, pair().publicKey);
    expect(visit.closing()).toBeUndefined();
    bench.revoke(nodeId, own.publicKey);
    expect(visit.closing()).toMatchObject({ reason: 'revoked' });
    expect(bench.left).toEqual([nodeId]);
  });

  test('shows out a key that is revoked while it is being looked at', async () => {
    const bench = new Bench();
    const own = pair();
    bench.known = { publicKey: own.publicKey, revokedKeys: [] };
    const visit = bench.visit();
    const looking = visit.identify(own);
    bench.revoke(nodeId, own.publicKey);
    await looking;
    expect(visit.closing()).toMatchObject({ reason: 'revoked' });
    expect(bench.connected).toEqual([]);
  });

  test('hears of nothing before, and of who they are once', async () => {
    const bench = new Bench();
    const own = pair();
    bench.known = { publicKey: own.publicKey, revokedKeys: [] };
    const hasty = bench.visit();
    hasty.connection.receive({ type: 'hello' });
    expect(hasty.closing()).toMatchObject({ reason: 'protocol' });
    const twice = bench.visit();
    twice.connection.receive(identifying(own, twice.nonce));
    await twice.identify(own);
    expect(twice.closing()).toMatchObject({ reason: 'protocol' });
    expect([bench.heard, bench.connected]).toEqual([[], []]);
  });

  test('does not wait for ever for somebody to say who they are', async () => {
    const bench = new Bench();
    const visit = bench.visit();
    bench.clock.advance(60_000);
    await turns();
    expect(visit.closing()).toMatchObject({ reason: 'protocol' });
  });

  test('turns everybody away once it is closed', () => {
    const bench = new Bench();
    const waiting = bench.visit();
    bench.gate.close();
    expect(waiting.closing()).toMatchObject({ reason: 'shutdown' });
    expect(bench.visit().closing()).toMatchObject({ reason: 'shutdown' });
  });
});

test('where revocations may have gone unheard, a key that is none any more is found out', async () => {
  const bench = new Bench();
  const own = pair();
  bench.known = { publicKey: own.publicKey, revokedKeys: [] };
  const visit = bench.visit();
  await visit.identify(own);
  bench.gate.recheck();
  await turns();
  expect(visit.closing()).toBeUndefined();
  bench.known = { publicKey: null, revokedKeys: [own.publicKey] };
  bench.gate.recheck();
  await turns();
  expect(visit.closing()).toMatchObject({ reason: 'revoked' });
});
