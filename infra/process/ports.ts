/** What commands and queries use at the edge: keys, secrets and blobs, as the settings name them. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { folderBlobs } from '../blobs/index.ts';
import { folderKeys } from '../keys/index.ts';
import type { Config, EdgePorts } from '../runtime/index.ts';
import { folderSecrets } from '../secrets/index.ts';
import type { Closing } from './closing.ts';

/** Opens them; they are closed with the rest of the process. */
export async function openPorts(config: Config, closing: Closing): Promise<EdgePorts> {
  const folder = config.DATA_DIR;
  const keys = await folderKeys({ folder: join(folder, 'keys') });
  closing.add(() => keys.close());
  const secrets = await folderSecrets({ folder: join(folder, 'secrets') });
  closing.add(() => secrets.close());
  const blobs = await folderBlobs({ folder: join(folder, 'blobs') });
  return { keys, secrets, blobs, random: (bytes) => randomBytes(bytes) };
}
