/** URLs of stores that are folders, `folder:<path>`. */

/** What to write instead of a URL that names no store of this release. */
export const FOLDER_URL_EXPECTED =
  'expected folder:<path>, such as folder:/srv/bivouac/keys; this release keeps them in folders only';

/** The path that a `folder:` URL names as it is written; undefined for any other URL. */
export function folderOfUrl(url: string): string | undefined {
  const path = /^folder:(.+)$/s.exec(url)?.[1]?.trim();
  // `folder://host/path` would be taken for a path of this machine.
  return path === undefined || path === '' || path.startsWith('//') ? undefined : path;
}
