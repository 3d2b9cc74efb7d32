/** The laws every secrets store keeps, as one suite. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { Secrets } from './port.ts';

export interface SecretsUnderTest {
  readonly secrets: Secrets;
  /** The same secrets, closed and opened again; what has no second opening answers itself. */
  again(): Promise<Secrets>;
  dispose(): Promise<void>;
}

export function secretsContract(name: string, factory: () => Promise<SecretsUnderTest>): void {
  describe(`secrets: ${name}`, () => {
    let under: SecretsUnderTest;
    beforeEach(async () => {
      under = await factory();
    });
    afterEach(() => under.dispose());

    test('a secret comes back under its reference, whatever both are, also after opening again', async () => {
      const reference = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 });
      const clear = fc.string({ unit: 'grapheme', maxLength: 200 });
      const pairs = new Map(fc.sample(fc.tuple(reference, clear), 30));
      await Promise.all([...pairs].map(([key, value]) => under.secrets.put(key, value)));
      const again = await under.again();
      for (const [key, value] of pairs) expect(await again.get(key)).toBe(value);
    });

    test('the same reference twice keeps the first, also at once', async () => {
      await under.secrets.put('one', 'first');
      await under.secrets.put('one', 'second');
      expect(await (await under.again()).get('one')).toBe('first');
      await Promise.all(['a', 'b', 'c'].map((clear) => under.secrets.put('two', clear)));
      const kept = await under.secrets.get('two');
      expect(['a', 'b', 'c']).toContain(kept);
      expect(await (await under.again()).get('two')).toBe(kept);
    });

    test('what does not exist is undefined', async () => {
      expect(await under.secrets.get('none')).toBeUndefined();
    });

    test('what was destroyed is gone, and a late repetition does not bring it back', async () => {
      await under.secrets.put('one', 'first');
      await under.secrets.destroy('one');
      await under.secrets.destroy('one');
      await under.secrets.destroy('never there');
      await under.secrets.put('one', 'first');
      expect(await under.secrets.get('one')).toBeUndefined();
      expect(await (await under.again()).get('one')).toBeUndefined();
    });

    test('what is too long or has no reference is refused without being repeated', async () => {
      const long = await under.secrets.put('one', 'geheim'.repeat(20_000)).catch((e: unknown) => e);
      expect(long).toMatchObject({ code: 'invalid' });
      expect(String(long)).not.toContain('geheim');
      await expect(under.secrets.get('')).rejects.toMatchObject({ code: 'invalid' });
      await expect(under.secrets.put('x'.repeat(513), 'y')).rejects.toMatchObject({
        code: 'invalid',
      });
    });

    test('closed secrets do nothing', async () => {
      await under.secrets.close();
      await expect(under.secrets.get('one')).rejects.toMatchObject({ code: 'unavailable' });
    });
  });
}
