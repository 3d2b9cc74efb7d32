/** A mirror is read as far as it may be trusted and has what it says; else it is said why not. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { afterEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';

import { webSource } from './repository-source.web.ts';

const PATH = 'repodata/repomd.xml';

let server: Server | undefined;
let folder: string | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  if (folder !== undefined) await rm(folder, { recursive: true });
  folder = undefined;
});

async function mirror(answer: (path: string, response: ServerResponse) => void): Promise<string> {
  const web = createServer((request, response) => {
    answer(request.url ?? '', response);
  });
  server = web;
  await new Promise<void>((listening) => web.listen(0, '127.0.0.1', listening));
  const { port } = z.object({ port: z.number() }).parse(web.address());
  return `http://127.0.0.1:${port}/el9/`;
}

describe('a mirror', () => {
  test('is read below its base, and where it sends on to', async () => {
    const base = await mirror((path, response) => {
      if (path === `/el9/${PATH}`) response.writeHead(301, { location: '/pool/x' }).end();
      else response.end(path);
    });
    const read = await webSource().read(base, PATH, 100);
    expect(Buffer.from(read).toString()).toBe('/pool/x');
  });

  test('is a local folder just as well', async () => {
    folder = await mkdtemp(join(tmpdir(), 'bivouac-mirror-'));
    await writeFile(join(folder, 'a.xml'), 'content');
    const base = `${pathToFileURL(folder).href}/`;
    expect(Buffer.from(await webSource().read(base, 'a.xml', 100)).toString()).toBe('content');
    await expect(webSource().read(base, 'a.xml', 3)).rejects.toMatchObject({
      code: 'REPODATA_TOO_LARGE',
    });
    await expect(webSource().read(base, 'b.xml', 100)).rejects.toMatchObject({
      code: 'REPOSITORY_UNREACHABLE',
      message: expect.stringContaining('b.xml'),
    });
  });

  test.each([
    [
      'has none',
      'REPOSITORY_UNREACHABLE',
      (response: ServerResponse) => response.writeHead(404).end(),
    ],
    [
      'sends on without TLS',
      'REPOSITORY_UNREACHABLE',
      (response: ServerResponse) =>
        response.writeHead(302, { location: 'http://evil.example/' }).end(),
    ],
    [
      'sends on in a circle',
      'REPOSITORY_UNREACHABLE',
      (response: ServerResponse) => response.writeHead(302, { location: '/el9/x' }).end(),
    ],
    [
      'says too much',
      'REPODATA_TOO_LARGE',
      (response: ServerResponse) => response.end(Buffer.alloc(101)),
    ],
    [
      'breaks off',
      'REPOSITORY_UNREACHABLE',
      (response: ServerResponse) =>
        response.writeHead(200, { 'content-length': '50' }).write('half', () => response.destroy()),
    ],
  ])('that %s is %s', async (_what, code, answer) => {
    const base = await mirror((_path, response) => {
      answer(response);
    });
    await expect(webSource().read(base, PATH, 100)).rejects.toMatchObject({ code });
  });

  test('that never answers is left when its time is over', async () => {
    const base = await mirror(() => undefined);
    await expect(webSource(20).read(base, PATH, 100)).rejects.toMatchObject({
      code: 'REPOSITORY_UNREACHABLE',
    });
  });

  test('that is away is unreachable', async () => {
    const base = await mirror(() => undefined);
    server?.close();
    server?.closeAllConnections();
    await expect(webSource().read(base, PATH, 100)).rejects.toMatchObject({
      code: 'REPOSITORY_UNREACHABLE',
    });
  });
});
