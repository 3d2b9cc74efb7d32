/** GraphiQL comes from the installed package, and from a CDN only where there is none. */
import { expect, test } from '@jest/globals';

import { graphiqlPage } from './graphiql.ts';
import { playground } from './playground.ts';

test('the page is the installed package’s, made once', async () => {
  let loads = 0;
  const page = graphiqlPage(() => {
    loads += 1;
    return Promise.resolve({
      renderGraphiQL: (options: { title?: string }) => `offline ${options.title ?? ''}`,
    });
  });
  expect(await page(playground)).toBe('offline Bivouac');
  expect(await page(playground)).toBe('offline Bivouac');
  expect(loads).toBe(1);
});

test('without the package it is Yoga’s own', async () => {
  const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
  expect(await graphiqlPage(() => Promise.reject(missing))(playground)).toContain('query First');
});

test('a package that cannot be loaded is not hidden', async () => {
  const broken = graphiqlPage(() => Promise.reject(new SyntaxError('broken')));
  await expect(broken(playground)).rejects.toThrow('broken');
});
