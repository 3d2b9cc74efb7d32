/** `repomd.xml`: a repository's revision, and where its primary metadata is and what it hashes to. */
import { SaxesParser } from 'saxes';

import { RepodataError } from './repodata-error.ts';

/** A digest as metadata states it; `type` as Node names it. */
export interface StatedChecksum {
  readonly type: string;
  readonly value: string;
}

export interface Repomd {
  readonly revision: string;
  readonly primary: {
    /** Below the repository's base. */
    readonly href: string;
    /** Of the file as it lies there. */
    readonly checksum: StatedChecksum;
    /** Of what is packed in it; absent where nothing is. */
    readonly openChecksum: StatedChecksum | undefined;
    readonly size: number | undefined;
    readonly openSize: number | undefined;
  };
}

/** Weaker ones (sha1, md5) are not taken: metadata that names them says so. */
const STRONG = new Set(['sha224', 'sha256', 'sha384', 'sha512']);

/** @throws {RepodataError} where it is no repomd.xml, or has no primary metadata that can be checked. */
export function parseRepomd(content: string): Repomd {
  const found = new Map<string, string>();
  const types = new Map<string, string>();
  let href: string | undefined;
  let data: string | undefined;
  let text = '';
  const parser = new SaxesParser();
  parser.on('opentag', ({ name, attributes }) => {
    text = '';
    if (name === 'data') data = attributes['type'] ?? '';
    else if (data === 'primary' && name === 'location') href = attributes['href'];
    else if (data === 'primary' && attributes['type'] !== undefined)
      types.set(name, attributes['type']);
  });
  parser.on('text', (more) => {
    text += more;
  });
  parser.on('closetag', ({ name }) => {
    if (name === 'data') data = undefined;
    else if (data === 'primary' || (data === undefined && name === 'revision'))
      found.set(name, text.trim());
  });
  parser.on('error', (cause) => {
    throw corrupt(`it is no XML (${cause.message})`, cause);
  });
  parser.write(content).close();

  if (href === undefined) throw corrupt('it names no primary metadata');
  const checksum = checksumOf('checksum', found, types);
  if (checksum === undefined) throw corrupt('it has no checksum of its primary metadata');
  return {
    revision: (found.get('revision') ?? '').slice(0, 100),
    primary: {
      href,
      checksum,
      openChecksum: checksumOf('open-checksum', found, types),
      size: sizeOf(found.get('size')),
      openSize: sizeOf(found.get('open-size')),
    },
  };
}

function checksumOf(
  name: string,
  found: ReadonlyMap<string, string>,
  types: ReadonlyMap<string, string>,
): StatedChecksum | undefined {
  const [type, value] = [types.get(name), found.get(name)];
  if (type === undefined || value === undefined) return undefined;
  if (STRONG.has(type)) return { type, value };
  throw new RepodataError(
    'REPODATA_UNSUPPORTED',
    `repodata/repomd.xml: the ${name} is ${type}; make the metadata with createrepo_c --checksum sha256.`,
  );
}

function sizeOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function corrupt(why: string, cause?: unknown): RepodataError {
  return new RepodataError('REPODATA_CORRUPT', `repodata/repomd.xml: ${why}; make it anew.`, {
    cause,
  });
}
