// The search for canaries finds each in every form it may be hidden in, and nothing that is not there.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { disguises, foundIn, foundUnder } from './canaries.ts';
import { closeAll, newFolder } from './installation.ts';

afterEach(closeAll);

const text = fc.string({ unit: 'grapheme', minLength: 10, maxLength: 40 });
const around = fc.uint8Array({ maxLength: 50 });

/** How others would write the text, each by means of their own. */
const writers: Readonly<Record<string, (text: string) => Buffer>> = {
  'SQLite or a log': (clear) => Buffer.from(clear),
  'a JSON body': (clear) => Buffer.from(JSON.stringify({ name: `so ${clear} so` })),
  'JSON in JSON': (clear) => Buffer.from(JSON.stringify(JSON.stringify([clear]))),
  'V8, wide': (clear) => Buffer.from(`x${clear}`, 'utf16le'),
  'a dump': (clear) => Buffer.from(Buffer.from(`ab${clear}`).toString('hex')),
  'a query string': (clear) =>
    Buffer.from(new URLSearchParams([['q', clear]]).toString().replaceAll('+', '%20')),
};

test('a canary is found however it was written, wherever it lies', () => {
  const wellFormed = text.filter((clear) => clear.isWellFormed());
  for (const [name, write] of Object.entries(writers)) {
    fc.assert(
      fc.property(wellFormed, around, around, (clear, before, behind) => {
        // Query strings escape a few characters that `encodeURIComponent` leaves alone.
        fc.pre(name !== 'a query string' || !/[!'()~*]/.test(clear));
        const bytes = Buffer.concat([before, write(clear), behind]);
        expect([name, foundIn(bytes, [clear]).length > 0]).toEqual([name, true]);
      }),
    );
  }
});

test('a canary inside base64 is found, whatever stands before and behind it', () => {
  fc.assert(
    fc.property(
      text,
      around,
      around,
      fc.constantFrom('base64', 'base64url'),
      (clear, before, behind, form) => {
        const encoded = Buffer.concat([before, Buffer.from(clear), behind]).toString(
          form === 'base64' ? 'base64' : 'base64url',
        );
        expect(foundIn(Buffer.from(encoded), [clear]).join()).toContain('base64');
      },
    ),
  );
});

test('each form that is planted in a file, deep or in its name, is found there and called by its name', async () => {
  const folder = await newFolder();
  const canary = 'Wren "Canary" Zoë-3f9a';
  await mkdir(join(folder, 'a', 'b'), { recursive: true });
  for (const [form, bytes] of disguises(canary)) {
    const file = join(folder, 'a', 'b', 'planted');
    await writeFile(file, Buffer.concat([Buffer.from('.\0'), bytes, Buffer.from('\0.')]));
    expect(await foundUnder(folder, [canary])).toContain(`${canary} as ${form} in ${file}`);
    await rm(file);
    expect(await foundUnder(folder, [canary])).toEqual([]);
  }
  await writeFile(join(folder, 'a', 'anna@canary.example'), '');
  expect(await foundUnder(folder, ['anna@canary.example'])).toHaveLength(
    foundIn(Buffer.from('anna@canary.example'), ['anna@canary.example']).length,
  );
});

test('what is not there is not found', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 0, maxLength: 4000 }), (bytes) => {
      expect(foundIn(Buffer.from(bytes), ['anna@canary.example'])).toEqual([]);
    }),
  );
});

test('a canary too short to be told from chance is refused', () => {
  expect(() => disguises('too short')).toThrow(RangeError);
});
