/**
 * The key that wraps all others of a folder, in the file `master.key` (0600), made on first use. Who
 * has it and the folder can read everything: it belongs into the backup of another place.
 */
import { createHash, randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import { createFile, fileTrouble, readIfThere } from '../blobs/durable-file.ts';

/** Why a master key cannot be used; the owner of the folder makes its own error of it. */
export interface MasterKeyTrouble {
  readonly code: 'corrupt' | 'unavailable';
  readonly message: string;
  readonly cause?: unknown;
}

export type MasterKey = { readonly key: Buffer } | { readonly trouble: MasterKeyTrouble };

/** @param wraps whether the folder already holds something that a new key could not open */
export async function openMasterKey(folder: string, wraps: boolean): Promise<MasterKey> {
  const path = join(folder, 'master.key');
  try {
    const text = (await readIfThere(path))?.toString('utf8');
    if (text === undefined && wraps) {
      return corrupt(`${path} is missing, but what it wraps is there: restore it from a backup`);
    }
    if (text === undefined) {
      await createFile(path, Buffer.from(written(randomBytes(32)), 'utf8'));
      return await openMasterKey(folder, wraps);
    }
    const key = parsed(text);
    if (key === undefined) return corrupt(`${path} is damaged: restore it from a backup`);
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) {
      const message = `${path} can be read by other users (mode ${(mode & 0o777).toString(8)}): chmod 600 it`;
      return { trouble: { code: 'unavailable', message } };
    }
    return { key };
  } catch (cause) {
    return { trouble: { code: 'unavailable', message: fileTrouble('use', path, cause), cause } };
  }
}

function corrupt(message: string): MasterKey {
  return { trouble: { code: 'corrupt', message } };
}

/** Version, key, and a check, so that a damaged key is not taken for another one. */
function written(key: Uint8Array): string {
  return `v1.${Buffer.from(key).toString('base64url')}.${check(key)}\n`;
}

function parsed(text: string): Buffer | undefined {
  const match = /^v1\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{11})\s*$/.exec(text);
  const key = Buffer.from(match?.[1] ?? '', 'base64url');
  return key.length === 32 && check(key) === match?.[2] ? key : undefined;
}

function check(key: Uint8Array): string {
  return createHash('sha256').update(key).digest().subarray(0, 8).toString('base64url');
}
