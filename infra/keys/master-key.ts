/**
 * The key that wraps all others of a folder, in the file `master.key` (0600) of the folder or in a file
 * elsewhere, made on first use. Who has it and the folder can read everything: it belongs into the
 * backup of another place. The folder's `master.id` says which key it is, without telling it, so that
 * the key of another folder is not taken for it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import { createFile, fileTrouble, readCreated } from '../blobs/durable-file.ts';
import { deriveKey } from './box.ts';

/** Why a master key cannot be used; the owner of the folder makes its own error of it. */
export interface MasterKeyTrouble {
  readonly code: 'corrupt' | 'unavailable';
  readonly message: string;
  readonly cause?: unknown;
}

export type MasterKey = { readonly key: Buffer } | { readonly trouble: MasterKeyTrouble };

export interface MasterKeyPlace {
  readonly folder: string;
  /** The file of the key where it is not `master.key` of the folder. */
  readonly file?: string | undefined;
  /** Whether the folder already holds something that a new key could not open. */
  readonly wraps: boolean;
}

/** Reads the master key of a folder, or makes it; of several processes at once one makes it. */
export async function openMasterKey(place: MasterKeyPlace): Promise<MasterKey> {
  const { folder, file, wraps } = place;
  const path = file ?? join(folder, 'master.key');
  try {
    const identity = await readIdentity(folder);
    let text = await readText(path);
    if (text === undefined && (wraps || identity !== undefined)) {
      return corrupt(
        `${path} is missing, but what it wraps is there: restore it from a backup` +
          (file === undefined ? '' : ', or copy it from a machine that has it'),
      );
    }
    if (text === undefined) {
      await createFile(path, Buffer.from(written(randomBytes(32)), 'utf8'));
      text = await readText(path);
    }
    const key = parsed(text ?? '');
    if (key === undefined) return corrupt(`${path} is damaged: restore it from a backup`);
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) {
      const message = `${path} can be read by other users (mode ${(mode & 0o777).toString(8)}): chmod 600 it`;
      return { trouble: { code: 'unavailable', message } };
    }
    // What a key from elsewhere opens here is not known where nothing says which one it has to be.
    if (identity === undefined && (!wraps || file === undefined)) {
      await createFile(join(folder, 'master.id'), Buffer.from(`${identityOf(key)}\n`, 'utf8'));
    }
    // Read again: of two machines that each made a key at once, one has named the folder's.
    const named = await readIdentity(folder);
    if (named === undefined || named === identityOf(key)) return { key };
    return corrupt(
      `${path} is not the master key of ${folder}: copy the right one from a machine that has it, or ` +
        'restore both from the same backup',
    );
  } catch (cause) {
    return { trouble: { code: 'unavailable', message: fileTrouble('use', path, cause), cause } };
  }
}

async function readIdentity(folder: string): Promise<string | undefined> {
  return (await readText(join(folder, 'master.id')))?.trim();
}

async function readText(path: string): Promise<string | undefined> {
  return (await readCreated(path))?.toString('utf8');
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

/** Derived, and no hash of the key: the folder is kept where the key need not be. */
function identityOf(key: Uint8Array): string {
  return `v1.${deriveKey(key, 'identify a master key').subarray(0, 16).toString('base64url')}`;
}
