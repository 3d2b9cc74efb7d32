/** Looks for texts that must be nowhere, in every file of a folder and in every form bytes may take. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

/** Shorter ones could be found by chance, and have no middle in base64. */
const SHORTEST = 10;

/**
 * The forms in which a text may lie in bytes: UTF-8, UTF-16 of either order, hex, percent-encoded,
 * escaped as JSON has it (with characters beyond ASCII as they are or as `\u`), escaped twice, and
 * base64 or base64url at each of its three offsets.
 */
export function disguises(text: string): ReadonlyMap<string, Buffer> {
  if (Buffer.byteLength(text) < SHORTEST) {
    throw new RangeError(`a canary has ${SHORTEST} bytes at least: ${JSON.stringify(text)}`);
  }
  const bytes = Buffer.from(text);
  const wide = Buffer.from(text, 'utf16le');
  const json = JSON.stringify(text).slice(1, -1);
  const hex = bytes.toString('hex');
  const forms = new Map<string, Buffer>([
    ['utf8', bytes],
    ['utf16le', wide],
    ['utf16be', Buffer.from(wide).swap16()],
    ['hex', Buffer.from(hex)],
    ['HEX', Buffer.from(hex.toUpperCase())],
    ['json', Buffer.from(json)],
    ['json ascii', Buffer.from(inAscii(json))],
    ['json twice', Buffer.from(JSON.stringify(json).slice(1, -1))],
    ['percent', Buffer.from(encodeURIComponent(text))],
  ]);
  for (const offset of [0, 1, 2]) {
    const base64 = middleOfBase64(bytes, offset);
    forms.set(`base64 at ${offset}`, Buffer.from(base64));
    forms.set(
      `base64url at ${offset}`,
      Buffer.from(base64.replaceAll('+', '-').replaceAll('/', '_')),
    );
  }
  return forms;
}

function inAscii(text: string): string {
  return text.replaceAll(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The characters that say something of these bytes alone, whatever stands around them. */
function middleOfBase64(bytes: Buffer, offset: number): string {
  const around = Buffer.concat([Buffer.alloc(offset), bytes, Buffer.alloc(3)]).toString('base64');
  const first = Math.ceil((offset * 8) / 6);
  const end = Math.floor(((offset + bytes.length) * 8) / 6);
  return around.slice(first, end);
}

/** Which of the texts are in the bytes, and how. */
export function foundIn(bytes: Buffer, texts: readonly string[]): string[] {
  return texts.flatMap((text) =>
    [...disguises(text)].flatMap(([form, bytesOfIt]) =>
      bytes.includes(bytesOfIt) ? [`${text} as ${form}`] : [],
    ),
  );
}

/** Which of the texts are in which file of the folder, or in its name, and how. */
export async function foundUnder(folder: string, texts: readonly string[]): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const hits: string[] = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    for (const hit of foundIn(Buffer.from(entry.name), texts))
      hits.push(`${hit} in the name ${path}`);
    if (!entry.isFile()) continue;
    const bytes = await readFile(path).catch((error: unknown) => {
      // Written beside and renamed since it was listed; at rest nothing is passed over.
      const missing = z.object({ code: z.literal('ENOENT') }).safeParse(error).success;
      if (!missing) throw error;
      return undefined;
    });
    if (bytes === undefined) continue;
    for (const hit of foundIn(bytes, texts)) hits.push(`${hit} in ${path}`);
  }
  return hits;
}
