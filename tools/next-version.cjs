// Jest's resolver where replicas are rolled to a build that writes a newer version of an event: the tests,
// which read the log, know that version too. As `tools/bundle.mjs --replace` has it for the build.
const { join } = require('node:path');

const root = join(__dirname, '..');
const file = join(root, 'events/billing/account.ts');
const newer = join(root, 'test/processes/account-next.ts');

/**
 * @param {string} request
 * @param {{ basedir: string, defaultResolver: (request: string, options: object) => string }} options
 */
module.exports = (request, options) => {
  const path = options.defaultResolver(request, options);
  // What stands in for a file may import the file.
  return path === file && options.basedir !== join(root, 'test/processes') ? newer : path;
};
