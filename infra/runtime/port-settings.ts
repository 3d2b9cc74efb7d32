/** The settings of what is kept besides the log: keys, secrets and blobs, which processes share. */
import { join, resolve } from 'node:path';

import { z } from 'zod';

import { FOLDER_URL_EXPECTED, folderOfUrl } from '../blobs/folder-url.ts';

const store = z
  .string()
  .refine((url) => folderOfUrl(url) !== undefined, { error: FOLDER_URL_EXPECTED })
  .optional();
const file = z.string().min(1).optional();

export const portSettings = {
  /** Where the keys of persons are: `folder:<path>`; `keys` of DATA_DIR unless set. */
  KEYS_URL: store,
  /** File of the master key of these keys; `master.key` of their folder unless set. */
  KEYS_MASTER_FILE: file,
  /** Where secrets are: `folder:<path>`; `secrets` of DATA_DIR unless set. */
  SECRETS_URL: store,
  /** File of the master key of the secrets; `master.key` of their folder unless set. */
  SECRETS_MASTER_FILE: file,
  /** Where blobs are: `folder:<path>`; `blobs` of DATA_DIR unless set. */
  BLOBS_URL: store,
} as const;

/** For an installation in a folder of its own: what the environment names belongs to another. */
export const portsOfDataFolder = {
  KEYS_URL: undefined,
  KEYS_MASTER_FILE: undefined,
  SECRETS_URL: undefined,
  SECRETS_MASTER_FILE: undefined,
  BLOBS_URL: undefined,
} as const;

interface Given {
  readonly DATA_DIR: string;
  readonly KEYS_URL?: string | undefined;
  readonly KEYS_MASTER_FILE?: string | undefined;
  readonly SECRETS_URL?: string | undefined;
  readonly SECRETS_MASTER_FILE?: string | undefined;
  readonly BLOBS_URL?: string | undefined;
}

/** The URLs of the three, given or not. */
export function portUrls(settings: Given): { keys: string; secrets: string; blobs: string } {
  const { DATA_DIR, KEYS_URL, SECRETS_URL, BLOBS_URL } = settings;
  return {
    keys: KEYS_URL ?? `folder:${join(DATA_DIR, 'keys')}`,
    secrets: SECRETS_URL ?? `folder:${join(DATA_DIR, 'secrets')}`,
    blobs: BLOBS_URL ?? `folder:${join(DATA_DIR, 'blobs')}`,
  };
}

/** What of the settings does not fit together: each of the three takes a folder for its own. */
export function portProblems(settings: Given): readonly string[] {
  const urls = portUrls(settings);
  const named: Readonly<Record<string, string | undefined>> = {
    KEYS_URL: folderOfUrl(urls.keys),
    SECRETS_URL: folderOfUrl(urls.secrets),
    BLOBS_URL: folderOfUrl(urls.blobs),
    KEYS_MASTER_FILE: settings.KEYS_MASTER_FILE,
    SECRETS_MASTER_FILE: settings.SECRETS_MASTER_FILE,
  };
  const names = new Map<string, string>();
  return Object.entries(named).flatMap(([name, path]) => {
    if (path === undefined) return [];
    const first = names.get(resolve(path));
    if (first === undefined) names.set(resolve(path), name);
    return first === undefined
      ? []
      : [`${name}: ${path} is what ${first} names; give each its own`];
  });
}
