/** Opens the ports that a configuration names: keys, secrets and blobs, as every process needs them. */
import { randomBytes } from 'node:crypto';

import { openBlobs } from '../blobs/open.ts';
import { openKeys } from '../keys/open.ts';
import { openSecrets } from '../secrets/open.ts';
import type { Config } from './config.ts';
import type { EdgePorts } from './definitions.ts';
import { portUrls } from './port-settings.ts';

/** Ports that are open, and how to close them. */
export interface OpenedPorts extends EdgePorts {
  readonly close: () => Promise<void>;
}

/**
 * Opens them; one that cannot be opened leaves none open.
 *
 * @throws RuntimeError, KeyError, SecretError or BlobError, naming the path and the remedy.
 */
export async function openPorts(
  config: Pick<
    Config,
    | 'DATA_DIR'
    | 'KEYS_URL'
    | 'KEYS_MASTER_FILE'
    | 'SECRETS_URL'
    | 'SECRETS_MASTER_FILE'
    | 'BLOBS_URL'
  >,
): Promise<OpenedPorts> {
  const urls = portUrls(config);
  const keys = await openKeys({ url: urls.keys, masterFile: config.KEYS_MASTER_FILE });
  try {
    const blobs = await openBlobs({ url: urls.blobs });
    const secrets = await openSecrets({
      url: urls.secrets,
      masterFile: config.SECRETS_MASTER_FILE,
    });
    const close = async (): Promise<void> => {
      await secrets.close();
      await keys.close();
    };
    return { keys, secrets, blobs, random: (bytes) => randomBytes(bytes), close };
  } catch (error) {
    await keys.close();
    throw error;
  }
}
