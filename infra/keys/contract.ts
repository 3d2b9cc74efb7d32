/** The laws every key store keeps, as one suite. */
import { createHash } from 'node:crypto';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SealedSchema } from '@bivouac/events/language';
import fc from 'fast-check';

import type { Keys } from './port.ts';

export interface KeysUnderTest {
  readonly keys: Keys;
  /** The same keys, closed and opened again; what has no second opening answers itself. */
  again(): Promise<Keys>;
  dispose(): Promise<void>;
}

const ANNA = 'per_01h455vb4pex5vsknk084sn02q';
const BERT = 'per_01h455vb4pex5vsknk084sn02r';

export function keysContract(name: string, factory: () => Promise<KeysUnderTest>): void {
  describe(`keys: ${name}`, () => {
    let under: KeysUnderTest;
    beforeEach(async () => {
      under = await factory();
    });
    afterEach(() => under.dispose());

    test('what was sealed opens, whatever it is, also after opening the store again', async () => {
      const text = fc.string({ unit: 'binary', maxLength: 300 });
      const sealed = await Promise.all(
        fc.sample(text, 30).map(async (clear) => ({
          clear,
          sealed: await under.keys.seal(ANNA, 'contact', clear),
        })),
      );
      const again = await under.again();
      for (const one of sealed) {
        expect(SealedSchema.parse(one.sealed)).toEqual(one.sealed);
        expect(await again.open(one.sealed)).toBe(Buffer.from(one.clear).toString('utf8'));
      }
    });

    test('the clear text is nowhere in what is sealed, and equal texts are not seen to be equal', async () => {
      const one = await under.keys.seal(ANNA, 'contact', 'anna@example.org');
      const two = await under.keys.seal(ANNA, 'contact', 'anna@example.org');
      expect(one.box).not.toBe(two.box);
      expect(one.commitment).not.toBe(two.commitment);
      const bare = createHash('sha256').update('anna@example.org').digest('base64url');
      expect(one.commitment).not.toBe(bare);
      expect(Buffer.from(one.box, 'base64url').includes('anna@example.org')).toBe(false);
    });

    test('a value does not open as another person’s, for another purpose, or changed', async () => {
      const sealed = await under.keys.seal(ANNA, 'contact', 'anna@example.org');
      const other = await under.keys.seal(BERT, 'contact', 'bert@example.org');
      await under.keys.seal(ANNA, 'invoice', 'x');
      const box = Buffer.from(sealed.box, 'base64url');
      box[20] = (box[20] ?? 0) ^ 1;
      const wrong = [
        { ...sealed, person: BERT },
        { ...sealed, purpose: 'invoice' as const },
        { ...sealed, box: box.toString('base64url') },
        { ...sealed, box: 'AAAA' },
        { ...sealed, commitment: other.commitment },
      ];
      for (const one of wrong) {
        const failed = await under.keys.open(one).catch((error: unknown) => error);
        expect(failed).toMatchObject({ code: 'corrupt' });
        expect(String(failed)).not.toContain('example.org');
      }
    });

    test('a key that never was is missing, not erased', async () => {
      const sealed = await under.keys.seal(ANNA, 'contact', 'x');
      await expect(under.keys.open({ ...sealed, person: BERT })).rejects.toMatchObject({
        code: 'corrupt',
      });
    });

    test('first uses at once make one key', async () => {
      const sealed = await Promise.all(
        Array.from({ length: 20 }, (_, i) => under.keys.seal(ANNA, 'audit', `text ${i}`)),
      );
      const again = await under.again();
      for (const [i, one] of sealed.entries()) expect(await again.open(one)).toBe(`text ${i}`);
    });

    test('destroying erases the person for these purposes, for ever, and nobody else', async () => {
      const contact = await under.keys.seal(ANNA, 'contact', 'anna');
      const invoice = await under.keys.seal(ANNA, 'invoice', 'Anna');
      const other = await under.keys.seal(BERT, 'contact', 'bert');
      await under.keys.hmac(ANNA, Buffer.from('x'));
      await under.keys.destroy(ANNA, ['contact']);
      for (const keys of [under.keys, await under.again()]) {
        expect(await keys.open(contact)).toBeUndefined();
        expect(await keys.open(invoice)).toBe('Anna');
        expect(await keys.open(other)).toBe('bert');
        await expect(keys.seal(ANNA, 'contact', 'secret')).rejects.toMatchObject({
          code: 'erased',
        });
        await expect(keys.hmac(ANNA, Buffer.from('x'))).rejects.toMatchObject({ code: 'erased' });
      }
    });

    test('destroying is idempotent, and erases also who never had a key', async () => {
      await under.keys.destroy(ANNA, ['contact', 'audit']);
      await under.keys.destroy(ANNA, ['contact', 'audit']);
      await expect(under.keys.seal(ANNA, 'audit', 'x')).rejects.toMatchObject({ code: 'erased' });
    });

    test('a key destroyed while it is first used is destroyed', async () => {
      const sealing = under.keys.seal(ANNA, 'contact', 'x').catch(() => undefined);
      await under.keys.destroy(ANNA, ['contact']);
      const sealed = await sealing;
      if (sealed !== undefined) expect(await under.keys.open(sealed)).toBeUndefined();
      await expect(under.keys.seal(ANNA, 'contact', 'y')).rejects.toMatchObject({ code: 'erased' });
    });

    test('an HMAC is the same for the same owner and bytes, also later, and for no others', async () => {
      const bytes = Buffer.from('input');
      const owners = ['home:ten_1', 'home:ten_2', ANNA, BERT];
      const first = await Promise.all(owners.map((owner) => under.keys.hmac(owner, bytes)));
      expect(new Set(first).size).toBe(4);
      for (const one of first) expect(one).toMatch(/^[A-Za-z0-9_-]{43}$/);
      const again = await under.again();
      expect(await Promise.all(owners.map((owner) => again.hmac(owner, bytes)))).toEqual(first);
      expect(await under.keys.hmac('home:ten_1', Buffer.from('other'))).not.toBe(first[0]);
    });

    test('what is too long, or no person, is refused without being repeated', async () => {
      const long = await under.keys.seal(ANNA, 'contact', 'é'.repeat(4000)).catch(String);
      expect(long).toContain('bytes at most');
      expect(long).not.toContain('é');
      await expect(under.keys.seal('../../x', 'contact', 'x')).rejects.toThrow('persons');
      const most = 'x'.repeat(6100);
      expect(await under.keys.open(await under.keys.seal(ANNA, 'contact', most))).toBe(most);
    });

    test('closed keys do nothing', async () => {
      await under.keys.close();
      await expect(under.keys.seal(ANNA, 'contact', 'x')).rejects.toMatchObject({
        code: 'unavailable',
      });
      await expect(under.keys.hmac('home:ten_1', Buffer.from('x'))).rejects.toMatchObject({
        code: 'unavailable',
      });
    });
  });
}
