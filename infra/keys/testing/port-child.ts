/** A process that opens keys, secrets and blobs and does with them what its parent says. */
import { folderBlobs } from '../../blobs/folder.ts';
import type { Blobs } from '../../blobs/port.ts';
import { folderSecrets } from '../../secrets/folder.ts';
import type { Secrets } from '../../secrets/port.ts';
import { folderKeys } from '../folder.ts';
import type { Keys } from '../port.ts';
import { type Call, RequestSchema } from './calls.ts';

let keys: Keys | undefined;
let secrets: Secrets | undefined;
let blobs: Blobs | undefined;

function opened<T>(port: T | undefined): T {
  if (port === undefined) throw new Error('it was not opened');
  return port;
}

async function follow(call: Call): Promise<unknown> {
  switch (call.do) {
    case 'openKeys':
      keys = await folderKeys({ folder: call.folder, rememberMilliseconds: call.remember });
      return undefined;
    case 'seal':
      return opened(keys).seal(call.person, call.purpose, call.clear);
    case 'open':
      return opened(keys).open(call.sealed);
    case 'hmac':
      return opened(keys).hmac(call.owner, Buffer.from(call.bytes, 'base64'));
    case 'erase':
      return opened(keys).destroy(call.person, call.purposes);
    case 'forget':
      return opened(keys).forget(call.person, call.purposes);
    case 'closeKeys':
      return opened(keys).close();
    case 'openSecrets':
      secrets = await folderSecrets({ folder: call.folder });
      return undefined;
    case 'put':
      return opened(secrets).put(call.reference, call.clear);
    case 'get':
      return opened(secrets).get(call.reference);
    case 'destroy':
      return opened(secrets).destroy(call.reference);
    case 'closeSecrets':
      return opened(secrets).close();
    case 'openBlobs':
      blobs = await folderBlobs({ folder: call.folder });
      return undefined;
    case 'putBlob':
      return opened(blobs).put(Buffer.from(call.content, 'base64'));
    case 'getBlob': {
      const content = await opened(blobs).get(call.digest);
      return content && Buffer.from(content).toString('base64');
    }
  }
}

process.on('message', (message) => {
  const { id, call } = RequestSchema.parse(message);
  follow(call).then(
    (value) => process.send?.({ id, value }),
    (error: unknown) => {
      const { message: text, code } = Object(error) as { message?: unknown; code?: unknown };
      process.send?.({
        id,
        error: { message: String(text), ...(typeof code === 'string' ? { code } : {}) },
      });
    },
  );
});
process.on('disconnect', () => process.exit(0));
