/** The laws every blob store keeps, as one suite. */
import { createHash } from 'node:crypto';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { Blobs } from './port.ts';

export interface BlobsUnderTest {
  readonly blobs: Blobs;
  /** The same blobs, closed and opened again; what has no second opening answers itself. */
  again(): Promise<Blobs>;
  dispose(): Promise<void>;
}

export function blobsContract(name: string, factory: () => Promise<BlobsUnderTest>): void {
  describe(`blobs: ${name}`, () => {
    let under: BlobsUnderTest;
    beforeEach(async () => {
      under = await factory();
    });
    afterEach(() => under.dispose());

    test('content comes back byte for byte under its SHA-256, also after opening again', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), async (content) => {
          const digest = await under.blobs.put(content);
          expect(digest).toBe(createHash('sha256').update(content).digest('hex'));
          const back = await (await under.again()).get(digest);
          expect(Buffer.compare(back ?? Buffer.from('missing'), content)).toBe(0);
        }),
        { numRuns: 20 },
      );
    });

    test('the same content is the same blob, also when put many times at once', async () => {
      const content = Buffer.alloc(300_000, 7);
      const digests = await Promise.all(Array.from({ length: 20 }, () => under.blobs.put(content)));
      expect(new Set(digests).size).toBe(1);
      const back = await under.blobs.get(digests[0] ?? '');
      expect(back?.length).toBe(300_000);
    });

    test('what the caller does to its buffers afterwards is not in the blob', async () => {
      const content = Buffer.from('content');
      const putting = under.blobs.put(content);
      content.fill(0);
      const digest = await putting;
      const back = await under.blobs.get(digest);
      back?.fill(0);
      expect(Buffer.from((await under.blobs.get(digest)) ?? []).toString()).toBe('content');
    });

    test('a blob that is not there is undefined', async () => {
      expect(await under.blobs.get('0'.repeat(64))).toBeUndefined();
    });

    test('what cannot be a name is refused before it is looked for', async () => {
      const names = ['', 'abc', '../../etc/passwd', 'A'.repeat(64), `${'0'.repeat(64)}/..`];
      for (const name of names) {
        await expect(under.blobs.get(name)).rejects.toMatchObject({ code: 'invalid-name' });
      }
    });
  });
}
