/** Package files are what their checksum says, or there are none. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import { afterEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';

import { webPackageFiles } from './package-files.ts';

const content = Buffer.from('the file of vim');
const checksum = createHash('sha256').update(content).digest('hex');
const vim = { name: 'vim', epoch: 2, version: '9.1', release: '1.el9', arch: 'x86_64', checksum };
/** Waits for nothing, and tells how often it was asked to. */
const slept: number[] = [];
const clock = {
  now: () => 0,
  sleep: (milliseconds: number) => Promise.resolve(void slept.push(milliseconds)),
};
/** Nobody stops. */
const never = new AbortController().signal;
const files = webPackageFiles({ clock, mostBytes: 1000 });

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  slept.length = 0;
});

async function mirror(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const web = createServer(answer);
  server = web;
  await new Promise<void>((listening) => web.listen(0, '127.0.0.1', listening));
  const { port } = z.object({ port: z.number() }).parse(web.address());
  return `http://127.0.0.1:${port}/vim.rpm`;
}

describe('a package file', () => {
  test('is fetched, under its checksum, and gone when it is done with', async () => {
    const url = await mirror((_request, response) => response.end(content));
    const { paths, dispose } = await files.fetch([{ ...vim, url }], never);
    const path = paths.get(checksum) ?? '';
    expect(readFileSync(path)).toEqual(content);
    await dispose();
    expect(existsSync(path)).toBe(false);
  });

  test('is fetched by a mirror that sends on to another place of it', async () => {
    const url = await mirror((request, response) => {
      if (request.url === '/vim.rpm') response.writeHead(302, { location: '/pool/vim.rpm' }).end();
      else response.end(content);
    });
    const { paths, dispose } = await files.fetch([{ ...vim, url }], never);
    expect(paths.size).toBe(1);
    await dispose();
  });

  test('is asked for again where a mirror is away for a moment', async () => {
    let asked = 0;
    const url = await mirror((_request, response) => {
      asked += 1;
      if (asked < 3) response.writeHead(503).end();
      else response.end(content);
    });
    const { dispose } = await files.fetch([{ ...vim, url }], never);
    await dispose();
    expect(slept).toHaveLength(2);
  });

  test.each([
    ['another file', (response: ServerResponse) => response.end('something else'), 'SHA-256'],
    [
      'one that never ends',
      (response: ServerResponse) => response.end(Buffer.alloc(5000)),
      'longer than 1000',
    ],
    [
      'a server that sends elsewhere without TLS',
      (response: ServerResponse) =>
        response.writeHead(302, { location: 'http://evil.example/vim.rpm' }).end(),
      'not fetched',
    ],
    [
      'a server that sends to a local file',
      (response: ServerResponse) =>
        response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
      'not fetched',
    ],
    ['a server that has none', (response: ServerResponse) => response.writeHead(404).end(), '404'],
  ])('of %s is refused, and none is left', async (_what, answer, why) => {
    const url = await mirror((_request, response) => {
      answer(response);
    });
    const refused: unknown = await files.fetch([{ ...vim, url }], never).catch((e: unknown) => e);
    expect(refused).toMatchObject({
      code: 'package-unavailable',
      message: expect.stringContaining(why),
    });
    expect(refused).toMatchObject({ message: expect.not.stringMatching(/127\.0\.0|evil|passwd/) });
  });

  test.each([
    ['file:///srv/hidden/vim.rpm', 'ENOENT'],
    ['http://127.0.0.1:1/hidden/vim.rpm', 'reading it failed'],
    ['https://hidden.invalid/vim.rpm', 'reading it failed'],
  ])('that is not to be had at %s is said without where that is', async (url, why) => {
    const refused: unknown = await files.fetch([{ ...vim, url }], never).catch((e: unknown) => e);
    expect(refused).toMatchObject({ message: expect.stringContaining(why) });
    expect(refused).toMatchObject({ message: expect.not.stringMatching(/hidden|127|\/\//) });
  });

  test('is not waited for when the agent stops', async () => {
    const stopping = new AbortController();
    const url = await mirror(() => {
      stopping.abort(new Error('the agent stops'));
    });
    const fetched = files.fetch([{ ...vim, url }], stopping.signal);
    await expect(fetched).rejects.toThrow('the agent stops');
    server?.closeAllConnections();
  });

  test('that the instruction does not place is refused', async () => {
    await expect(files.fetch([vim], never)).rejects.toMatchObject({ code: 'package-unavailable' });
  });
});
