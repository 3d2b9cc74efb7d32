/** Metadata that createrepo_c made is read whole, and damage to any of it is found and named. */
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { webSource } from '../adapters/repository-source.web.ts';
import { memorySource, sampleBase, sampleFiles } from '../sample-source.ts';
import { isBelow } from './primary.ts';
import { LIMITS, readRepository } from './read-repository.ts';
import { RepodataError } from './repodata-error.ts';

const REPOMD = 'repodata/repomd.xml';
const PRIMARY = 'repodata/primary.xml.gz';
const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
const text = (files: ReadonlyMap<string, Uint8Array>, path: string): string =>
  Buffer.from(files.get(path) ?? []).toString();

/** The sample with another primary file, its stated checksums and size made right. */
function withPrimary(content: Uint8Array, open: Uint8Array, path = PRIMARY) {
  const files = sampleFiles();
  const before = files.get(PRIMARY) ?? new Uint8Array();
  const repomd = text(files, REPOMD)
    .replace(sha256(before), sha256(content))
    .replace(sha256(gunzipSync(before)), sha256(open))
    .replace(`<size>${before.length}</size>`, `<size>${content.length}</size>`)
    .replace(PRIMARY, path);
  files.set(path, content);
  files.set(REPOMD, Buffer.from(repomd));
  return files;
}

const openPrimary = (): string => gunzipSync(sampleFiles().get(PRIMARY) ?? '').toString();

/** The sample with its primary metadata edited, all checksums right. */
function edited(edit: (primary: string) => string) {
  const open = Buffer.from(edit(openPrimary()));
  return withPrimary(gzipSync(open), open);
}

async function read(files: ReadonlyMap<string, Uint8Array>, limits = LIMITS) {
  return readRepository('https://mirror.example/', memorySource(files), limits);
}

async function failure(files: ReadonlyMap<string, Uint8Array>, limits = LIMITS) {
  try {
    await read(files, limits);
  } catch (error) {
    if (error instanceof RepodataError) return { code: error.code, message: error.message };
    throw error;
  }
  return undefined;
}

describe('a repository', () => {
  it('is read with every package and all that is known of it', async () => {
    const { revision, repomd, packages } = await readRepository(sampleBase, webSource());
    expect(revision).toBe('1');
    expect(repomd).toBe(sha256(sampleFiles().get(REPOMD) ?? new Uint8Array()));
    expect(packages).toHaveLength(13);
    expect(packages.find(({ name, version }) => name === 'hello' && version === '2.0')).toEqual({
      ...{ name: 'hello', epoch: 0, version: '2.0', release: '1', arch: 'noarch' },
      summary: 'hello of the sample',
      location: 'hello-2.0-1.noarch.rpm',
      checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
      size: expect.any(Number),
      installedSize: 8,
      provides: ['hello = 0:2.0-1'],
      requires: ['libhello >= 0:2.0', 'libhello.so.2'],
      conflicts: [],
      obsoletes: [],
      files: ['/etc/hello.conf', '/usr/bin/hello'],
    });
    expect(packages.find(({ name }) => name === 'newname')).toMatchObject({
      obsoletes: ['oldname < 0:2'],
      provides: ['newname = 0:2.0-1', 'oldname = 0:2.0'],
    });
    expect(packages.find(({ version }) => version === '1.0~rc1')).toMatchObject({ epoch: 1 });
  });

  it('is the same packed with zstd, and not packed at all', async () => {
    const packed = sampleFiles().get('repodata/primary.xml.zst') ?? new Uint8Array();
    const open = Buffer.from(openPrimary());
    const { packages } = await read(sampleFiles());
    const zstd = await read(withPrimary(packed, open, 'repodata/primary.xml.zst'));
    const plain = await read(withPrimary(open, open, 'repodata/primary.xml'));
    expect(zstd.packages).toEqual(packages);
    expect(plain.packages).toEqual(packages);
  });

  it('packed in a way that is not read is refused with how to make it', async () => {
    const xz = withPrimary(Buffer.from('xz'), Buffer.from(''), 'repodata/primary.xml.xz');
    expect(await failure(xz)).toMatchObject({
      code: 'REPODATA_UNSUPPORTED',
      message: expect.stringContaining('--general-compress-type gz'),
    });
  });

  it('with any byte of its primary file changed is refused by its checksum', async () => {
    const files = sampleFiles();
    const content = files.get(PRIMARY) ?? new Uint8Array();
    await fc.assert(
      fc.asyncProperty(
        fc.nat(content.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, by) => {
          const changed = Buffer.from(content);
          changed[at] = (changed[at] ?? 0) ^ by;
          expect(await failure(new Map([...files, [PRIMARY, changed]]))).toMatchObject({
            code: 'REPODATA_CORRUPT',
            message: expect.stringMatching(
              /primary\.xml\.gz: its sha256 checksum is [0-9a-f]{64}, not/,
            ),
          });
        },
      ),
      { numRuns: 50 },
    );
  });

  it('cut short is refused by its size', async () => {
    const files = sampleFiles();
    const content = files.get(PRIMARY) ?? new Uint8Array();
    files.set(PRIMARY, content.subarray(0, 100));
    expect(await failure(files)).toMatchObject({
      code: 'REPODATA_CORRUPT',
      message: expect.stringContaining('it has 100 bytes'),
    });
  });

  it('whose packed content is other than stated is refused by its open checksum', async () => {
    const open = Buffer.from(openPrimary());
    const files = withPrimary(gzipSync(open), Buffer.from('something else'));
    expect(await failure(files)).toMatchObject({
      code: 'REPODATA_CORRUPT',
      message: expect.stringMatching(/open-checksum/),
    });
  });

  it.each([
    ['no XML', (primary: string) => primary.replace('</package>', '</packag>'), 'no XML'],
    [
      'too few packages',
      (primary: string) => primary.replace('packages="13"', 'packages="14"'),
      'says 14',
    ],
    [
      'a package outside',
      (primary: string) => primary.replace('href="hello-2', 'href="../hello-2'),
      'outside',
    ],
    [
      'a package elsewhere',
      (primary: string) => primary.replace('href="hello-2', 'href="https://evil.example/hello-2'),
      'outside',
    ],
    [
      'a name that rpm would not have',
      (primary: string) => primary.replace('<name>hello</name>', '<name>; rm -rf /</name>'),
      'package name',
    ],
    [
      'no checksum',
      (primary: string) => primary.replace(/<checksum[^/]*\/checksum>/, ''),
      'checksum',
    ],
  ])('with %s is refused', async (_what, edit, says) => {
    const found = await failure(edited(edit));
    expect(found?.code).toMatch(/^REPODATA_(CORRUPT|UNSUPPORTED)$/);
    expect(found?.message).toContain(says);
    expect(found?.message).toContain('primary.xml.gz');
  });

  it('with weak checksums is refused, whichever states them', async () => {
    const files = sampleFiles();
    files.set(REPOMD, Buffer.from(text(files, REPOMD).replaceAll('type="sha256"', 'type="sha"')));
    expect(await failure(files)).toMatchObject({ code: 'REPODATA_UNSUPPORTED' });
    const weak = edited((primary) => primary.replace('type="sha256" pkgid', 'type="md5" pkgid'));
    expect(await failure(weak)).toMatchObject({ code: 'REPODATA_UNSUPPORTED' });
  });

  it('whose repomd.xml is none, names nothing, or names what lies outside, is refused', async () => {
    const files = sampleFiles();
    const repomd = text(files, REPOMD);
    for (const broken of [
      'not xml at all <',
      '<repomd/>',
      repomd.replace(/<checksum.*?<\/checksum>/, ''),
      repomd.replace('href="repodata/primary', 'href="../../primary'),
    ]) {
      files.set(REPOMD, Buffer.from(broken));
      expect(await failure(files)).toMatchObject({
        code: 'REPODATA_CORRUPT',
        message: expect.stringContaining('repomd.xml'),
      });
    }
  });

  it('larger than is read is refused, packed, open and by its packages', async () => {
    const files = sampleFiles();
    const small = { repomdBytes: 10, primaryBytes: 10, openBytes: 1000, packages: 5 };
    for (const part of ['repomdBytes', 'primaryBytes', 'openBytes', 'packages'] as const) {
      expect(await failure(files, { ...LIMITS, [part]: small[part] })).toMatchObject({
        code: 'REPODATA_TOO_LARGE',
      });
    }
  });

  it('that bursts when unpacked is left before it fills the memory', async () => {
    const bomb = Buffer.alloc(20 * 1024 * 1024);
    const files = withPrimary(gzipSync(bomb), bomb);
    expect(await failure(files, { ...LIMITS, openBytes: 1024 * 1024 })).toMatchObject({
      code: expect.stringMatching(/^REPODATA_(TOO_LARGE|CORRUPT)$/),
    });
  });

  it('that is away is unreachable', async () => {
    expect(await failure(new Map())).toMatchObject({ code: 'REPOSITORY_UNREACHABLE' });
    const nowhere = readRepository('file:///nowhere/at/all', webSource());
    await expect(nowhere).rejects.toMatchObject({ code: 'REPOSITORY_UNREACHABLE' });
  });
});

describe('a location', () => {
  it('is below its base or refused, however it is written', () => {
    for (const good of ['a.rpm', 'Packages/a/a-1.0~rc1^2+x.rpm']) expect(isBelow(good)).toBe(true);
    for (const bad of [
      ...['', '.', '..', '../a.rpm', 'a/../../a.rpm', '/etc/passwd', '//evil.example/a.rpm'],
      ...['https://evil.example/a.rpm', 'file:///etc/passwd', 'https:a.rpm', 'a.rpm?x', 'a.rpm#x'],
      ...['%2e%2e/a.rpm', '..\\a.rpm', '\\\\evil.example\\a.rpm'],
    ])
      expect([bad, isBelow(bad)]).toEqual([bad, false]);
  });
});
