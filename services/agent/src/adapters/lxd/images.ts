/**
 * Makes an image present on a node, once: by the alias of its digest, imported from a tarball whose
 * SHA-256 is that digest, or made on the spot for `builtin:skel`.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { DriverError, type ImageSource } from '../../driver.ts';
import { unreadable } from '../../system-code.ts';
import { LxdRefusal, OperationFailed, type LxdClient } from './client.ts';
import { aliasOf } from './names.ts';
import { skelImage } from './skel-image.ts';
import { Image, ImageAlias, Imported } from './wire.ts';

const IMPORT_MS = 15 * 60_000;

/** Undefined where the node does not have it. */
export async function findImage(
  client: LxdClient,
  digest: string,
): Promise<{ readonly bytes: number } | undefined> {
  const alias = await client.find(`/1.0/images/aliases/${aliasOf(digest)}`, ImageAlias);
  if (alias === undefined) return undefined;
  const image = await client.find(`/1.0/images/${alias.target}`, Image);
  return image === undefined ? undefined : { bytes: image.size };
}

export async function prepareImage(
  client: LxdClient,
  image: ImageSource,
  busybox: string,
): Promise<void> {
  if ((await findImage(client, image.digest)) !== undefined) return;
  const content =
    image.source === 'builtin:skel' ? await skelContent(busybox) : await fileContent(image);
  let fingerprint: string | undefined;
  try {
    const done = await client.change('POST', '/1.0/images', undefined, {
      content,
      deadlineMs: IMPORT_MS,
    });
    fingerprint = Imported.parse(done?.metadata ?? {}).fingerprint;
  } catch (error) {
    // Another name's import, or our own whose reply was lost: the content is what counts.
    if (!(error instanceof OperationFailed) || !/same fingerprint/.test(error.message)) throw error;
    fingerprint = content.sha256;
  }
  try {
    const alias = { name: aliasOf(image.digest), target: fingerprint ?? content.sha256 };
    await client.change('POST', '/1.0/images/aliases', alias);
  } catch (error) {
    if (!(error instanceof LxdRefusal) || (await findImage(client, image.digest)) === undefined)
      throw error;
  }
}

interface Content {
  readonly stream: Readable;
  readonly bytes: number;
  /** LXD's fingerprint of an image in one file is the SHA-256 of that file. */
  readonly sha256: string;
}

async function skelContent(busybox: string): Promise<Content> {
  const tar = await skelImage(busybox);
  const sha256 = createHash('sha256').update(tar).digest('hex');
  return { stream: Readable.from([tar]), bytes: tar.length, sha256 };
}

async function fileContent({ digest, source }: ImageSource): Promise<Content> {
  try {
    const path = fileURLToPath(source);
    const bytes = (await stat(path)).size;
    const hash = createHash('sha256');
    for await (const part of createReadStream(path) as AsyncIterable<Buffer>) hash.update(part);
    const sha256 = hash.digest('hex');
    if (sha256 === digest) return { stream: createReadStream(path), bytes, sha256 };
    throw imageUnavailable(digest, `what is at its source has the SHA-256 ${sha256}`);
  } catch (cause) {
    throw cause instanceof DriverError ? cause : imageUnavailable(digest, unreadable(cause), cause);
  }
}

function imageUnavailable(digest: string, why: string, cause?: unknown): DriverError {
  return new DriverError(
    'image-unavailable',
    `prepareImage: the content of image ${digest} is not to be had: ${why}.`,
    { cause },
  );
}
